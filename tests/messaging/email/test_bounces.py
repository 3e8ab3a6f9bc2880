"""A bounce is matched to its message: its reason, its address, and the fallback channel."""

import pytest
from sqlmodel import select

from portal.demo.fake_providers.mailbox import Mail
from portal.messaging.email.bounces import failure_rule
from portal.models import (
    Channel,
    DeliveryReason,
    Direction,
    DroppedBall,
    DroppedBallKind,
    Message,
    MessageKind,
    MessageStatus,
    ServiceRequest,
)
from portal.operations import CustomerDetails, Operations, write_to_customer
from portal.operations.delivery.outcomes import record_receipt
from tests.messaging.email.mail_server import MARTIN, MailServer, bounce, parse
from tests.support.factories import Organisation

pytestmark = pytest.mark.either_database

BY_MAIL_ALONE = CustomerDetails(name="Mary Miller", email=MARTIN)
LONG = "We looked at it and wrote down all that we found. " * 6


async def letter(organisation: Organisation, request: ServiceRequest) -> Message:
    """The newest mail to the customer."""
    return [
        message
        for message in await organisation.outbound_messages(request)
        if message.channel == Channel.EMAIL
    ][-1]


async def texts(organisation: Organisation, request: ServiceRequest) -> list[Message]:
    """Texts of the same cause as the newest mail."""
    cause = (await letter(organisation, request)).cause
    told = await organisation.outbound_messages(request)
    return [
        message for message in told if message.channel == Channel.SMS and message.cause == cause
    ]


async def is_reached_by_mail(organisation: Organisation, request: ServiceRequest) -> bool:
    found = await organisation.reload(request)
    return any(
        p.channel == Channel.EMAIL and not p.valid_until for p in found.customer.contact_points
    )


async def balls(organisation: Organisation) -> list[DroppedBall]:
    async with organisation.database.reading() as session:
        return list((await session.exec(select(DroppedBall))).all())


@pytest.mark.parametrize("returns", ["message/rfc822", "text/rfc822-headers", "sealed"])
async def test_hard_bounce_falls_back_to_sms_and_invalidates_the_address(
    returns: str,
    server: MailServer,
    organisation: Organisation,
    mailed: ServiceRequest,
) -> None:
    """Known by what is returned, or by the address that it is returned to; told twice, done once."""
    (mail,) = await server.deliver()
    message = await letter(organisation, mailed)
    assert mail.mail_from.startswith(f"bounce+{message.id}-")
    told = {"returns": "", "to": mail.mail_from} if returns == "sealed" else {"returns": returns}
    for _ in range(2):
        assert await server.receive(bounce(mail, **told)) == 204
    message = await letter(organisation, mailed)
    assert (message.status, message.error_code) == (MessageStatus.UNDELIVERED, "5.1.1")
    assert message.reason == DeliveryReason.ADDRESS_UNKNOWN
    assert not await is_reached_by_mail(organisation, mailed)
    (text,) = await texts(organisation, mailed)
    assert (text.body.removesuffix(" STOP to end"), text.status) == (
        f"Tess at Acme Bank: {message.body}", "queued",
    )  # fmt: skip
    assert await balls(organisation) == []
    assert await server.deliver() == [mail]  # a bounce is never answered


@pytest.mark.parametrize(
    ("status", "diagnostic", "reason", "retires"),
    [
        ("5.0.0", "smtp; 550 5.1.1 unknown", DeliveryReason.ADDRESS_UNKNOWN, True),
        ("5.4.4", "", DeliveryReason.MAIL_DOMAIN_UNKNOWN, True),
        ("5.2.1", "", DeliveryReason.MAILBOX_CLOSED, True),
        ("5.0.0", "x-unix; away", DeliveryReason.MAIL_RETURNED, True),
        ("5.2.2", "", DeliveryReason.MAILBOX_FULL, False),
        ("5.6.0", "", DeliveryReason.MAIL_CONTENT_UNSUPPORTED, False),
        ("5.7.1", "", DeliveryReason.MAIL_UNWANTED, False),
        ("5.1.8", "", DeliveryReason.MAIL_SENDER_REFUSED, False),
        ("4.4.7", "", DeliveryReason.MAIL_GIVEN_UP, False),
    ],
)
def test_only_address_failures_invalidate_the_address(status, diagnostic, reason, retires):
    """A full mailbox is emptied one day, a policy changes, and words are not the address's fault."""
    mail = Mail(id=1, mail_from="", rcpt_tos=(), content=b"Message-ID: <kept.1.a@x>\r\n\r\nHi")
    report = parse(bounce(mail, status, diagnostic=diagnostic).as_bytes()).report
    assert report is not None
    rule = failure_rule(report)
    assert rule.reason == reason
    assert (rule.action == "bad_address") == retires


async def test_content_rejection_keeps_the_address(
    server: MailServer, organisation: Organisation, mailed: ServiceRequest
) -> None:
    """The words come by text all the same."""
    (mail,) = await server.deliver()
    assert await server.receive(bounce(mail, "5.7.1")) == 204
    assert (await letter(organisation, mailed)).status == MessageStatus.UNDELIVERED
    assert await is_reached_by_mail(organisation, mailed)
    assert len(await texts(organisation, mailed)) == 1


async def test_unrelated_or_temporary_report_changes_nothing(
    server: MailServer, organisation: Organisation, mailed: ServiceRequest
) -> None:
    """A delay, a success, and forgeries: of a mail that we never sent, about another person."""
    (mail,) = await server.deliver()
    before = await letter(organisation, mailed)
    for told in (
        bounce(mail, "4.4.1", action="delayed").as_bytes(),
        bounce(mail, "2.0.0", action="delivered").as_bytes(),
        bounce(mail, recipient="eve@example.com").as_bytes(),
        bounce(mail).as_bytes().replace(b"<kept.", b"<kept.9"),
        bounce(mail, returns="").as_bytes(),
        b"Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\n\r\n--x--",
    ):
        assert await server.receive(told) == 204
    after = await letter(organisation, mailed)
    assert (after.status, after.reason) == (before.status, before.reason)
    assert await is_reached_by_mail(organisation, mailed)
    assert await texts(organisation, mailed) == []
    assert await balls(organisation) == []


async def test_bounce_of_a_forwarded_mail_keeps_the_address(
    server: MailServer, organisation: Organisation, mailed: ServiceRequest
) -> None:
    """The seal proves that our mail came back; the address that failed is not the one we know."""
    (mail,) = await server.deliver()
    report = bounce(mail, recipient="martin@old.example", to=mail.mail_from)
    assert await server.receive(report) == 204
    assert (await letter(organisation, mailed)).status == MessageStatus.UNDELIVERED
    assert await is_reached_by_mail(organisation, mailed)


async def test_nonstandard_bounce_is_shown_to_staff(
    server: MailServer, organisation: Organisation, mailed: ServiceRequest
) -> None:
    """No delivery status, but our id in it: set aside on its request. Without it: nothing."""
    (mail,) = await server.deliver()
    told = "Return-Path: <>\r\nTo: desk@acme.example\r\nMessage-ID: <{}@x>\r\n\r\nWe failed. {}"
    ours = mail.header("Message-ID")
    for number, named in enumerate((ours, ours, "<kept.9.aa@acme.example>")):
        assert await server.receive(told.format(number // 2, named).encode()) == 204
    (kept,) = [
        message for message in await organisation.messages() if message.direction == Direction.IN
    ]
    assert (kept.kind, kept.request_id) == (MessageKind.AUTOMATIC, mailed.id)
    assert (await letter(organisation, mailed)).status == MessageStatus.SENT


async def test_bounce_without_other_channel_raises_a_dropped_ball(
    server: MailServer, organisation: Organisation
) -> None:
    """Without a phone the owner hears of it, with the reason in plain words."""
    request = await organisation.open(customer=BY_MAIL_ALONE, by=organisation.people.tess.actor)
    (mail,) = await server.deliver()
    await server.receive(bounce(mail))
    (ball,) = await balls(organisation)
    assert (ball.kind, ball.owner_id) == (DroppedBallKind.MESSAGE_UNDELIVERED, request.owner_id)
    assert ball.detail == "There is no such mail address."


@pytest.mark.parametrize("first", [Channel.SMS, Channel.EMAIL])
async def test_each_channel_is_tried_once_for_one_cause(
    first: Channel,
    server: MailServer,
    operations: Operations,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    """A text that fails goes by mail, a mail by text; both failed, a person has it."""
    words = {"body": "Please call us.", "channels": [first], "by": organisation.people.tess.actor}
    request = await organisation.run(write_to_customer, card_request, **words)
    cause = (await organisation.outbound_messages(request))[-1].cause
    for _ in range(2):
        message = [
            message
            for message in await organisation.outbound_messages(request)
            if message.cause == cause
        ][-1]
        if message.channel == Channel.EMAIL:
            await server.receive(bounce((await server.deliver())[-1], "5.7.1"))
        else:
            failed = {"sid": f"SM{message.id}", "status": MessageStatus.UNDELIVERED}
            await organisation.run_unbound(
                record_receipt,
                by=organisation.people.tess.actor,
                message_id=message.id,
                error_code="30005",
                **failed,
            )
    told = [
        message
        for message in await organisation.outbound_messages(request)
        if message.cause == cause
    ]
    assert [message.status for message in told] == [MessageStatus.UNDELIVERED] * 2
    assert {message.channel for message in told} == {Channel.SMS, Channel.EMAIL}
    (ball,) = await balls(organisation)
    assert (ball.kind, ball.subject) == (
        DroppedBallKind.MESSAGE_UNDELIVERED,
        f"message:{told[1].id}",
    )


async def test_long_email_falls_back_to_a_text_with_a_link(
    server: MailServer, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """One segment, whatever was written."""
    words = {"body": LONG, "channels": [Channel.EMAIL], "by": organisation.people.tess.actor}
    request = await organisation.run(write_to_customer, card_request, **words)
    await server.receive(bounce((await server.deliver())[-1]))
    (text,) = await texts(organisation, request)
    assert "Tess has written to you" in text.body
    assert f"/r/{request.links[-1].token}" in text.body
    assert text.segments == 1


async def test_unrenderable_email_fails_and_next_is_sent(
    server: MailServer, organisation: Organisation
) -> None:
    """Our own mistake is before a person after the first try; nobody else waits for it."""
    request = await organisation.open(customer=BY_MAIL_ALONE, by=organisation.people.tess.actor)
    async with organisation.database.transaction() as session:
        message = await session.get_one(Message, (await letter(organisation, request)).id)
        message.provider_sid = "<an id with spaces>"
    await organisation.run(
        write_to_customer, request, body="Next.", by=organisation.people.tess.actor
    )
    assert [mail.text and "Next." in mail.text for mail in await server.deliver()] == [True]
    first, _ = await organisation.outbound_messages(request)
    assert (first.status, first.attempts) == (MessageStatus.FAILED, 1)
    assert first.reason == DeliveryReason.NOT_WRITTEN
    (ball,) = await balls(organisation)
    assert ball.kind == DroppedBallKind.MESSAGE_UNDELIVERED
