"""What a mail says of "e-mails" is kept as what it is, in the words of the customer."""

from collections.abc import Awaitable, Callable
from email.message import EmailMessage

import httpx2
import pytest
from sqlmodel import col, select

from portal.messaging.email.signed_addresses import reply_address
from portal.models import Channel, Consent, DroppedBallKind, Message, ServiceRequest
from portal.queries.consent import may_write
from portal.settings import Settings
from tests.messaging.email.mail_server import MARTIN, TOKEN
from tests.support.factories import Organisation

pytestmark = pytest.mark.either_database

Send = Callable[..., Awaitable[Message]]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"mail_from": "Acme Bank <desk@acme.example>"})


@pytest.fixture
def send(
    client: httpx2.AsyncClient,
    settings: Settings,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> Send:
    """Mails about the card to its reply address; gives the message as it is stored."""

    async def send(text: str, sender: str = MARTIN) -> Message:
        mail = EmailMessage()
        mail["From"], mail["To"] = sender, reply_address(settings, card_request.id or 0)
        mail["Message-ID"] = "<1@example.com>"
        mail.set_content(text)
        answer = await client.post("/hooks/email/inbound", content=mail.as_bytes(), headers=TOKEN)
        assert answer.status_code == 204
        sent = await organisation.messages()
        return next(message for message in sent if message.body.strip() == text)

    return send


async def test_partial_wish_by_mail_is_no_stop(
    organisation: Organisation, card_request: ServiceRequest, send: Send
) -> None:
    await send("Not at night please, no email then")
    assert (await organisation.reload(card_request)).customer.quiet_hours == "21:00-08:00"
    async with organisation.database.reading() as session:
        assert await may_write(session, Channel.EMAIL, MARTIN, card_request.id or 0)


async def test_wish_about_mail_at_night_stops_no_mail(
    organisation: Organisation, card_request: ServiceRequest, send: Send
) -> None:
    await send("Please don't e-mail me at night")
    assert (await organisation.reload(card_request)).customer.quiet_hours == "21:00-08:00"
    async with organisation.database.reading() as session:
        assert await may_write(session, Channel.EMAIL, MARTIN, card_request.id or 0)


async def test_evidence_of_a_wish_by_mail_is_what_the_customer_wrote(
    organisation: Organisation, send: Send
) -> None:
    text = "No more e-mails about this one please"
    message = await send(text)
    assert message.because == "No more e-mails about"
    async with organisation.database.reading() as session:
        query = select(Consent.evidence).where(col(Consent.granted).is_(False))
        [evidence] = (await session.exec(query)).all()
    assert evidence == f"{text} (<1@example.com>)"


async def test_urgent_mail_of_another_sender_is_raised_at_once(
    organisation: Organisation,
    send: Send,
    balls: Callable[[DroppedBallKind], Awaitable[list[object]]],
) -> None:
    await send("The card was stolen and somebody uses it!", sender="eve@example.com")
    assert len(await balls(DroppedBallKind.URGENT)) == 1
