"""A reaction by mail (Gmail, Outlook) is recorded, owes nothing and changes nothing."""

import json
from email.message import EmailMessage

import httpx2
import pytest

from portal.messaging.email.signed_addresses import reply_address
from portal.messaging.sms.reactions import reaction_words, read_mail_reaction
from portal.models import Direction, ServiceRequest
from portal.settings import Settings
from tests.messaging.email.mail_server import MARTIN, TOKEN
from tests.support.factories import Organisation

pytestmark = pytest.mark.either_database


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"mail_from": "Acme Bank <desk@acme.example>"})


def gmail_reaction(sign: str) -> EmailMessage:
    """As Google describes the format (developers.google.com/gmail/reactions/format)."""
    mail = EmailMessage()
    mail.set_content(
        f"{sign}  Martin Miller reacted via Gmail\n"
        "<https://www.google.com/gmail/about/?utm_source=gmail-in-product>\n\n"
        "On Tue, Jun 3, 2025 at 10:00 AM Acme Bank <desk@acme.example> wrote:\n"
        "> Has your card arrived? Reply YES or NO.\n> Reply STOP to end.\n"
    )
    mail.add_alternative(
        json.dumps({"version": 1, "emoji": sign}).encode(), "text", "vnd.google.email-reaction+json"
    )
    mail.add_alternative(f"<p>{sign}</p><p>Martin Miller reacted via Gmail</p>", "html")
    return mail


def outlook_reaction(sign: str) -> EmailMessage:
    mail = EmailMessage()
    mail.set_content(f"{sign}\n\nMartin Miller reacted to your message:\n")
    return mail


@pytest.mark.parametrize("make", [gmail_reaction, outlook_reaction])
async def test_mail_reaction_is_recorded_and_changes_nothing(
    make,
    client: httpx2.AsyncClient,
    settings: Settings,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    mail = make("👍")
    mail["From"], mail["To"] = MARTIN, reply_address(settings, card_request.id or 0)
    mail["Message-ID"] = "<1@example.com>"
    before = len(await organisation.messages())
    answer = await client.post("/hooks/email/inbound", content=mail.as_bytes(), headers=TOKEN)
    assert answer.status_code == 204
    *_, message = await organisation.messages()
    assert (message.direction, message.intent) == (Direction.IN, "reaction")
    assert message.request_id == card_request.id
    card = await organisation.reload(card_request)
    assert (card.promises, card.unanswered_since) == ([], None)
    assert len(await organisation.messages()) == before + 1


def test_mail_reaction_is_read_in_every_listed_form() -> None:
    for example in reaction_words().mail_examples:
        assert read_mail_reaction(example) is not None, example


@pytest.mark.parametrize(
    "text",
    [
        "Yes, it arrived.",
        "Nobody reacted to your message",
        "My card was stolen, and nobody reacted to your message",
        "Tess reacted to your message, and the card is wrong",
        "Martin Miller reacted to your message?",
        "Nobody reacted to your message at our office, and I have waited for two weeks for my card",
    ],
)
def test_mail_with_words_is_no_reaction(text: str) -> None:
    assert read_mail_reaction(text) is None
