"""Inbound e-mail: answered or assigned, automatic mail ignored, From not trusted."""

from email.message import EmailMessage
from textwrap import indent

import httpx2
import pytest
from sqlmodel import select

from portal.demo.fake_providers.mailbox import Mail
from portal.messaging.email.signed_addresses import reply_address
from portal.messaging.wording.delivery_reasons import message_reason
from portal.models import (
    Channel,
    Consent,
    Contact,
    DeliveryReason,
    Direction,
    Message,
    MessageKind,
    MessageStatus,
    ServiceRequest,
)
from portal.operations import Operations, advance, run_due_follow_ups, write_to_customer
from portal.queries.attachments import attachments_by_message
from portal.settings import Settings
from tests.messaging.email.mail_server import MARTIN, MailServer, reply
from tests.support.factories import Organisation
from tests.support.sample_images import photo_with_gps

pytestmark = pytest.mark.either_database


ANSWERS = (MessageKind.ACKNOWLEDGEMENT, MessageKind.ANSWER, MessageKind.CONSENT)


@pytest.fixture
async def mail(
    organisation: Organisation, card_request: ServiceRequest, server: MailServer
) -> Mail:
    """The e-mail of Tess that Martin replies to."""
    by_mail = {"channels": [Channel.EMAIL], "by": organisation.people.tess.actor}
    await organisation.run(write_to_customer, card_request, body="Please call us.", **by_mail)
    (mail,) = await server.deliver()
    return mail


async def heard(organisation: Organisation) -> list[Message]:
    """Every message that came in."""
    return [
        message for message in await organisation.messages() if message.direction == Direction.IN
    ]


async def answered(organisation: Organisation) -> list[Message]:
    """What we said of ourselves to what came in."""
    return [message for message in await organisation.messages() if message.kind in ANSWERS]


async def test_reply_is_recorded_once_and_answered_in_its_thread(
    server: MailServer, organisation: Organisation, card_request: ServiceRequest, mail: Mail
) -> None:
    """By the sealed address, without what it quotes; told twice, answered once."""
    quoted = indent(mail.text or "", "> ", lambda _: True)
    words = f"Please ring the bell.\n\nOn Mon, Nov 23, 2026 at 2:05 PM Acme wrote:\n{quoted}"
    answer = reply(mail, words)
    for _ in range(2):
        assert await server.receive(answer) == 204
    (message,) = await heard(organisation)
    assert (message.body, message.channel) == ("Please ring the bell.", Channel.EMAIL)
    assert (message.request_id, message.reason) == (card_request.id, None)
    _, ours = await server.deliver()
    theirs, first = str(answer["Message-ID"]), mail.header("Message-ID")
    assert ours.header("In-Reply-To") == theirs
    assert ours.header("References") == f"{first} {theirs}"
    assert ours.header("Auto-Submitted") == "auto-replied"
    assert ours.subject == "We have your message: Credit card"


async def test_mail_without_valid_token_is_rejected(
    server: MailServer, organisation: Organisation, card_request: ServiceRequest, mail: Mail
) -> None:
    """403 for a caller that we do not know, 422 for a person's mail to an address not sealed."""
    answer = reply(mail, "Hello").as_bytes()
    assert await server.receive(answer, Authorization="Bearer of bad news") == 403
    forged = answer.replace(
        f"reply+{card_request.id}-".encode(), f"reply+{card_request.id}9-".encode()
    )
    assert await server.receive(forged) == 422
    assert await heard(organisation) == []


@pytest.mark.parametrize(
    "header",
    [
        {"Auto_Submitted": "auto-replied (vacation)"},
        {"X_Autoreply": "yes"},
        {"Precedence": "auto_reply"},
        {"Return_Path": "<>"},
        {"Subject": "Automatic reply: Credit card"},
        {"Subject": "Respuesta automática: Tarjeta"},
    ],
    ids=lambda header: next(iter(header)),
)
async def test_automatic_mail_is_stored_and_not_answered(
    header: dict[str, str],
    server: MailServer,
    organisation: Organisation,
    card_request: ServiceRequest,
    mail: Mail,
) -> None:
    """RFC 3834: staff see it, marked; it is no answer, asks for nothing and gets nothing."""
    before = await organisation.reload(card_request)
    for _ in range(2):
        assert await server.receive(reply(mail, "Yes, I am away. STOP", **header)) == 204
    (message,) = await heard(organisation)
    assert (message.kind, message.request_id) == (MessageKind.AUTOMATIC, card_request.id)
    assert message.reason == DeliveryReason.AUTOMATIC_REPLY
    after = await organisation.reload(card_request)
    assert (after.promises, after.unanswered_since) == (before.promises, None)
    assert after.page_version == before.page_version
    assert await server.deliver() == [mail]
    async with organisation.database.reading() as session:
        assert (await session.exec(select(Contact))).all() == []


async def test_auto_reply_loop_ends(
    server: MailServer, organisation: Organisation, mail: Mail
) -> None:
    """One that says what it is gets nothing; one that does not gets three answers in an hour."""
    assert await server.receive(reply(mail, "I am away.", Auto_Submitted="auto-replied")) == 204
    assert len(await server.deliver()) == 1
    newest = mail
    for number in range(6):
        words = f"Ticket {number}: where is my card?"
        await server.receive(reply(newest, words, Message_ID=f"<{number}@machine>"))
        newest = (await server.deliver())[-1]
    assert len(await answered(organisation)) == 3
    assert len(await heard(organisation)) == 7
    (owed,) = [
        promise
        for promise in (await organisation.reload(await _only(organisation))).promises
        if not promise.closed_at
    ]
    assert owed.owner_id is not None  # a person looks, and nothing was dropped


async def _only(organisation: Organisation) -> str:
    async with organisation.database.reading() as session:
        return (await session.exec(select(ServiceRequest.reference))).one()


async def test_foreign_sender_is_marked_and_answers_no_question(
    server: MailServer, organisation: Organisation
) -> None:
    """From proves nothing, in either direction: the seal names the request, a person judges."""
    people = organisation.people
    request = await organisation.open("repair", by=people.ben.actor)
    await organisation.run(advance, request, by=people.ben.actor)
    await organisation.run(run_due_follow_ups, request, by=people.ben.actor)
    by_mail = {"channels": [Channel.EMAIL], "by": people.ben.actor}
    await organisation.run(write_to_customer, request, body="See the quote.", **by_mail)
    (mail,) = await server.deliver()
    await server.receive(reply(mail, "YES", From="eve@else.example", Message_ID="<1@e>"))
    assert (await organisation.reload(request)).open_question is not None
    (message,) = await heard(organisation)
    assert message.reason == DeliveryReason.FOREIGN_SENDER
    told = "Sent from eve@else.example, which is not an address of theirs."
    assert message_reason(message) == told
    assert (await organisation.reload(request)).unanswered_since is not None
    await server.receive(reply(mail, "Yes", From="Martin <Martin@Example.com>", Message_ID="<2@e>"))
    assert (await organisation.reload(request)).open_question is None


@pytest.mark.parametrize("sender", [MARTIN, "martin@work.example"])
async def test_stop_by_mail_withdraws_consent_and_is_confirmed_once(
    sender: str,
    server: MailServer,
    organisation: Organisation,
    card_request: ServiceRequest,
    mail: Mail,
) -> None:
    """From their own address all mail, else mail about this request; texts go on."""
    for number, words in enumerate(("Please unsubscribe me", "stop emailing me")):
        await server.receive(reply(mail, words, From=sender, Message_ID=f"<{number}@x>"))
    (confirmation,) = [
        message for message in await answered(organisation) if message.kind == MessageKind.CONSENT
    ]
    _, told_so = await server.deliver()
    assert "mail" in (told_so.text or "")
    assert (confirmation.to_address, confirmation.request_id) == (MARTIN, card_request.id)
    async with organisation.database.reading() as session:
        query = select(Consent).where(Consent.source == "mail")
        lines = (await session.exec(query)).all()
    about = None if sender == MARTIN else card_request.id
    assert {(line.address, line.request_id, line.granted) for line in lines} == {
        (MARTIN, about, False)
    }
    await organisation.run(
        write_to_customer, card_request, body="And now?", by=organisation.people.tess.actor
    )
    by_mail = {"channels": [Channel.EMAIL], "by": organisation.people.tess.actor}
    await organisation.run(write_to_customer, card_request, body="Sure?", **by_mail)
    told = {
        message.body: (message.channel, message.status)
        for message in await organisation.outbound_messages(card_request)
    }
    assert told["Tess at Acme Bank: And now?"] == (Channel.SMS, MessageStatus.QUEUED)
    assert told["Sure?"] == (Channel.EMAIL, MessageStatus.SUPPRESSED)
    await server.receive(reply(mail, "START", Message_ID="<again@x>"))
    await organisation.run(write_to_customer, card_request, body="Again.", **by_mail)
    again = (await organisation.outbound_messages(card_request))[-1].status
    assert again == (MessageStatus.QUEUED if sender == MARTIN else again)


async def test_html_mail_is_read_and_its_files_are_stored(
    server: MailServer,
    settings: Settings,
    operations: Operations,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    """Megabytes and HTML are what phones send; what is no photo is refused with the reason."""
    mail = EmailMessage()
    mail["From"], mail["To"] = MARTIN, reply_address(settings, card_request.id or 0)
    mail.set_content("<p>It is <b>torn</b>, see</p>", subtype="html")
    mail.add_attachment(photo_with_gps(), "image", "png", filename="torn.png")
    mail.add_attachment(b"\x89" * 2_000_000, "image", "png", filename="../bad\x00.png")
    for _ in range(2):
        assert await server.receive(mail) == 204
    (message,) = await heard(organisation)
    assert message.body == "It is torn, see"
    async with operations.database.reading() as session:
        kept, refused = (await attachments_by_message(session, [message]))[message.id]
    assert (kept.state, kept.name, kept.height) == ("stored", "torn.jpg", 80)
    assert (refused.state, refused.reason[:11]) == ("refused", "only photos")


@pytest.mark.parametrize("body", ["", "> Reply YES or NO.\r\n"])
async def test_mail_without_own_text_goes_to_staff(
    body: str,
    server: MailServer,
    organisation: Organisation,
    card_request: ServiceRequest,
    mail: Mail,
) -> None:
    """What we said ourselves is never read as their answer, and is not thrown away."""
    raw = f"From: {MARTIN}\r\nTo: {mail.header('Reply-To')}\r\nSubject: Torn\r\n\r\n{body}"
    assert await server.receive(raw.encode()) == 204
    (message,) = await heard(organisation)
    assert message.body == (body.strip() or "Torn")
    assert (await organisation.reload(card_request)).unanswered_since is not None


async def test_one_click_unsubscribe_needs_a_post(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest, mail: Mail
) -> None:
    """RFC 8058: the address in the mail's header takes a POST, without a login or a redirect."""
    url = mail.header("List-Unsubscribe").strip("<>")
    assert mail.header("List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"
    assert url == f"http://testserver/r/{card_request.links[-1].token}/unsubscribe"
    by_mail = {"channels": [Channel.EMAIL], "by": organisation.people.tess.actor}

    async def status_of_the_next() -> MessageStatus:
        await organisation.run(write_to_customer, card_request, body="More.", **by_mail)
        return (await organisation.outbound_messages(card_request))[-1].status

    page = await client.get(url)
    assert page.text.count("<button") == 2
    assert await status_of_the_next() == MessageStatus.QUEUED
    headers = {"Origin": "https://mail.example", "Sec-Fetch-Site": "cross-site"}
    done = await client.post(url, data={"List-Unsubscribe": "One-Click"}, headers=headers)
    assert done.status_code == 200
    assert "We do not e-mail you about this request" in done.text
    assert await status_of_the_next() == MessageStatus.SUPPRESSED
    assert (await client.post(url, data={"stop": "all"})).status_code == 303
    other = await organisation.open("repair", by=organisation.people.ben.actor)
    await organisation.run(
        write_to_customer,
        other,
        body="Hi.",
        channels=[Channel.EMAIL],
        by=organisation.people.ben.actor,
    )
    assert (await organisation.outbound_messages(other))[-1].status == MessageStatus.SUPPRESSED
    gone = url.replace(card_request.links[-1].token, "unknown")
    assert (await client.get(gone)).status_code == 404
    assert (await client.post(gone)).status_code == 404
