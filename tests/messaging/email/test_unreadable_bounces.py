"""A bounce that cannot be read puts the mail that it returns before a person."""

import pytest

from portal.models import DeliveryReason, DroppedBallKind, ServiceRequest
from tests.messaging.email.mail_server import MailServer, bounce
from tests.messaging.email.test_bounces import balls, is_reached_by_mail, letter
from tests.support.factories import Organisation

pytestmark = pytest.mark.either_database


async def raw_bounce(
    server: MailServer, organisation: Organisation, mailed: ServiceRequest, header: str
) -> bytes:
    """A report to the signed address of the newest mail, with one header of 6,000 letters."""
    (mail,) = await server.deliver()
    report = bounce(mail, to=mail.mail_from)
    filler = f"{header}: {'x ' * 3_000}\r\n".encode()
    raw = report.as_bytes()
    at = raw.index(b"Diagnostic-Code:") if header == "Diagnostic-Code" else 0
    return raw[:at] + filler + raw[at:]


@pytest.mark.parametrize("header", ["Diagnostic-Code", "Content-Disposition"])
async def test_bounce_that_cannot_be_read_puts_its_message_before_a_person(
    header: str, server: MailServer, organisation: Organisation, mailed: ServiceRequest
) -> None:
    raw = await raw_bounce(server, organisation, mailed, header)
    sent = await letter(organisation, mailed)
    for _ in range(2):
        assert await server.receive(raw) == 422
    message = await letter(organisation, mailed)
    assert (message.id, message.status) == (sent.id, sent.status)
    assert message.reason == DeliveryReason.MAIL_REPORT_UNREADABLE
    [ball] = await balls(organisation)
    assert (ball.kind, ball.subject) == (
        DroppedBallKind.MESSAGE_UNDELIVERED,
        f"message:{message.id}",
    )
    assert ball.owner_id == (await organisation.reload(mailed)).owner_id
    assert "report that says why cannot be read" in ball.detail
    assert await is_reached_by_mail(organisation, mailed)


async def test_automatic_mail_to_a_bounce_address_is_no_bounce(
    server: MailServer, organisation: Organisation, mailed: ServiceRequest
) -> None:
    (mail,) = await server.deliver()
    head = (
        f"To: {mail.mail_from}\r\nAuto-Submitted: auto-replied\r\nMessage-ID: <1@example.com>\r\n"
    )
    assert (
        await server.receive(f"{head}Content-Type: {'a=b; ' * 2_000}\r\n\r\nAway".encode()) == 422
    )
    assert (await letter(organisation, mailed)).reason is None
    assert await balls(organisation) == []
