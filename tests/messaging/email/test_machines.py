"""Machines are known by several signs together; a person is never taken for one."""

import pytest

from portal.demo.fake_providers.mailbox import Mail
from portal.messaging.email.machines import Sign, is_automatic
from portal.models import (
    Channel,
    ContactPoint,
    Direction,
    Message,
    MessageKind,
    MessageStatus,
    ServiceRequest,
)
from tests.messaging.email.mail_server import MARTIN, MailServer, parse, reply
from tests.messaging.email.test_bounces import balls, is_reached_by_mail, letter
from tests.support.factories import Organisation

pytestmark = pytest.mark.either_database


@pytest.fixture
async def mail(server: MailServer, mailed: ServiceRequest) -> Mail:
    return (await server.deliver())[-1]


async def heard(organisation: Organisation) -> list[Message]:
    return [
        message for message in await organisation.messages() if message.direction == Direction.IN
    ]


MISSPELT = "My card came, but the name on it is misspelled. Please call me."
PEOPLE = [
    ({"X_Auto_Response_Suppress": "DR, OOF, AutoReply", "X_Mailer": "Outlook 16.0"}, MISSPELT),
    ({"X_Auto_Response_Suppress": "All"}, "I am on vacation until Monday, please come then."),
    ({"Precedence": "bulk"}, MISSPELT),
    ({"Precedence": "list", "X_Auto_Response_Suppress": "All"}, MISSPELT),
    ({"Auto_Submitted": "no"}, MISSPELT),
    ({"Subject": "Out of office on Friday"}, "Please deliver on Monday."),
    ({"Subject": "Re: Automatic reply: Credit card"}, MISSPELT),
    ({"X_Loop": "desk"}, MISSPELT),
]


@pytest.mark.parametrize(("headers", "words"), PEOPLE, ids=range(len(PEOPLE)))
async def test_mail_of_a_person_is_answered(
    headers: dict[str, str],
    words: str,
    server: MailServer,
    organisation: Organisation,
    mailed: ServiceRequest,
    mail: Mail,
) -> None:
    assert await server.receive(reply(mail, words, **headers)) == 204
    [message] = await heard(organisation)
    assert (message.kind, message.body) == (MessageKind.CUSTOMER, words)
    request = await organisation.reload(mailed)
    assert [promise.owner_id for promise in request.promises] == [request.owner_id]
    assert len(await server.deliver()) == 2


MACHINES = [
    ({"Subject": "Abwesenheitsnotiz: Credit card"}, "Ich bin nicht da."),
    ({"Subject": "رد تلقائي: بطاقة"}, "أنا غير موجود"),
    ({"Subject": "自动回复: Credit card"}, "我不在"),
    ({"Subject": "Out of office", "X_Auto_Response_Suppress": "All"}, "Back on Monday."),
    ({"Precedence": "bulk"}, "I am on annual leave until Monday."),
    ({"From": "no-reply@example.com"}, "Your request has been received. Ticket 77."),
    ({"X_OTRS_Loop": "1"}, "This is an automated message. Your ticket was created."),
    ({"Subject": "Read: Credit card"}, "Your message was read on Monday."),
    ({"From": "MAILER-DAEMON@example.com"}, "Something happened."),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "words"), MACHINES, ids=range(len(MACHINES)))
async def test_mail_of_a_machine_is_shown_and_owed_nothing(
    headers: dict[str, str],
    words: str,
    server: MailServer,
    organisation: Organisation,
    mailed: ServiceRequest,
    mail: Mail,
) -> None:
    assert await server.receive(reply(mail, words, **headers)) == 204
    [message] = await heard(organisation)
    assert (message.kind, message.body) == (MessageKind.AUTOMATIC, words)
    assert message.request_id == mailed.id
    assert (await organisation.reload(mailed)).unanswered_since is None
    assert await server.deliver() == [mail]


async def test_calendar_answer_is_a_machines(
    server: MailServer, organisation: Organisation, mail: Mail
) -> None:
    answer = reply(mail, "Martin Miller has accepted this invitation.")
    answer.add_alternative(
        "BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nEND:VCALENDAR",
        subtype="calendar",
        params={"method": "REPLY"},
    )
    assert await server.receive(answer) == 204
    [message] = await heard(organisation)
    assert message.kind == MessageKind.AUTOMATIC


async def test_receipt_of_reading_is_a_machines(
    server: MailServer, organisation: Organisation, mail: Mail
) -> None:
    raw = (
        f"From: {MARTIN}\r\nTo: {mail.header('Reply-To')}\r\nMessage-ID: <r@x>\r\n"
        "Subject: Credit card\r\nContent-Type: multipart/report; boundary=b;"
        " report-type=disposition-notification\r\n\r\n--b\r\n\r\nIt was displayed.\r\n--b\r\n"
        "Content-Type: message/disposition-notification\r\n\r\n"
        "Disposition: manual-action/MDN-sent-manually; displayed\r\n--b--\r\n"
    )
    assert await server.receive(raw.encode()) == 204
    [message] = await heard(organisation)
    assert message.kind == MessageKind.AUTOMATIC


def test_no_header_of_a_persons_mail_is_enough():
    for sign in (Sign.BULK, Sign.SUPPRESSES, Sign.TICKET_SYSTEM, Sign.SAYS_ABSENT):
        assert not is_automatic({sign})
    assert not is_automatic({Sign.BULK, Sign.SUPPRESSES})


QMAIL = (
    "Hi. This is the qmail-send program at example.com.\r\nI'm afraid I wasn't able to deliver your"
    " message to the following addresses.\r\nThis is a permanent error; I've given up. Sorry it"
    " didn't work out.\r\n\r\n<{to}>:\r\nSorry, no mailbox here by that name. (#5.1.1)\r\n\r\n"
    "--- Below this line is a copy of the message.\r\n\r\nReceived: from x\r\nMessage-ID: {id}\r\n"
)
EXIM = (
    "This message was created automatically by mail delivery software.\r\n\r\nA message that you"
    " sent could not be delivered to one or more of its recipients. This is a permanent error.\r\n"
    "\r\n  {to}\r\n    host mx.example.com: 550 5.1.1 no such user\r\n\r\n------ This is a copy of"
    " the message, including all the headers. ------\r\n\r\nMessage-ID: {id}\r\n"
)
SPANISH = "No se pudo entregar el mensaje a {to}\r\n550 5.1.1 no existe\r\n\r\nMessage-ID: {id}\r\n"
BOUNCES = {
    "qmail": ("From: MAILER-DAEMON@example.com\r\nSubject: failure notice\r\n", QMAIL),
    "exim": (
        (
            "From: Mail Delivery System <Mailer-Daemon@mx.example>\r\nX-Failed-Recipients: {to}\r\n"
            "Auto-Submitted: auto-replied\r\nSubject: Mail delivery failed\r\n"
        ),
        EXIM,
    ),
    "spanish": ("From: postmaster@example.com\r\nSubject: Mensaje no entregado\r\n", SPANISH),
}


@pytest.mark.parametrize("make", BOUNCES)
@pytest.mark.parametrize("to", ["sealed", "desk@acme.example"])
async def test_bounce_in_plain_words_fails_its_message(
    make: str,
    to: str,
    server: MailServer,
    organisation: Organisation,
    mailed: ServiceRequest,
    mail: Mail,
) -> None:
    head, body = BOUNCES[make]
    recipient = mail.mail_from if to == "sealed" else to
    raw = f"{head}To: {recipient}\r\nMessage-ID: <b@x>\r\n\r\n{body}"
    told = raw.replace("{to}", MARTIN).replace("{id}", mail.header("Message-ID")).encode()
    for _ in range(2):
        assert await server.receive(told) == 204
    assert (await letter(organisation, mailed)).status == MessageStatus.UNDELIVERED
    assert not await is_reached_by_mail(organisation, mailed)
    assert await balls(organisation) == []


async def test_notice_of_a_delay_fails_nothing(
    server: MailServer, organisation: Organisation, mailed: ServiceRequest, mail: Mail
) -> None:
    raw = (
        f"From: MAILER-DAEMON@example.com\r\nTo: {mail.mail_from}\r\nSubject: Warning: message"
        f" delayed\r\n\r\nYour message to {MARTIN} could not be delivered yet. It will be retried;"
        f" no action is required.\r\n\r\nMessage-ID: {mail.header('Message-ID')}\r\n"
    )
    assert await server.receive(raw.encode()) == 204
    assert (await letter(organisation, mailed)).status == MessageStatus.SENT


@pytest.mark.parametrize("subject", ["Re: Card", "Delivery failed", "Mail delivery failure"])
@pytest.mark.parametrize("sender", [MARTIN, "postmaster@example.com"])
async def test_person_who_speaks_of_a_failed_delivery_is_no_bounce(
    subject: str,
    sender: str,
    server: MailServer,
    organisation: Organisation,
    mailed: ServiceRequest,
    mail: Mail,
) -> None:
    """Nor where the customer's address is a postmaster's."""
    if sender != MARTIN:
        await _give_address(organisation, mailed, sender)
    words = f"The courier could not deliver to {sender}, delivery failed. My card was stolen."
    words += f" Message-ID: {mail.header('Message-ID')}"
    sent = await letter(organisation, mailed)
    assert await server.receive(reply(mail, words, Subject=subject, From=sender)) == 204
    [message] = await heard(organisation)
    assert message.kind == MessageKind.CUSTOMER
    assert message.body == words
    assert await is_reached_by_mail(organisation, mailed)
    after = [each for each in await organisation.messages() if each.id == sent.id]
    assert [each.status for each in after] == [MessageStatus.SENT]
    assert (await organisation.reload(mailed)).unanswered_since is not None


async def _give_address(organisation: Organisation, request: ServiceRequest, address: str) -> None:
    async with organisation.database.transaction() as session:
        session.add(
            ContactPoint(customer_id=request.customer_id, channel=Channel.EMAIL, address=address)
        )


def test_words_of_a_bounce_are_read_in_linear_time():
    raw = b"From: mailer-daemon@x\r\n\r\n" + b"could not be delivered a@b.c 5.1.1 " * 20_000
    assert parse(raw).report is not None
