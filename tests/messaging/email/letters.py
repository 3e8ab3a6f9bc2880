"""An email that the tests of rendering and sending share."""

import email
import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage

from portal.messaging.email.composition import EmailContent, EmailEnvelope, build_email

LETTER = EmailContent(
    subject="Your card is being made",
    headline="Your card is being made, Martin",
    paragraphs=("Card Processing has it since Tuesday, 2:05 pm.",),
    button_label="See where it is",
    link="https://kept.example/r/Ab1?x=1&y=2",
    footer="You get this because you gave us this address.",
    unsubscribe_label="Stop these e-mails",
    reference="CARD-7K4M-2Q9",
)


ENVELOPE = {
    "brand": "Acme Bank",
    "sender": "hello@acme.example",
    "to": "martin@example.org",
    "to_name": "Martin",
    "message_id": "<m7.k3@kept.example>",
    "at": datetime(2026, 11, 24, 14, 5, tzinfo=UTC),
    "unsubscribe_url": "https://kept.example/r/Ab1/unsubscribe",
}


def letter_of(letter: EmailContent = LETTER, **changes: object) -> EmailMessage:
    """As a mail program reads it: written out, and parsed again."""
    raw = build_email(letter, EmailEnvelope(**(ENVELOPE | changes))).as_bytes()
    assert raw.isascii()
    return email.message_from_bytes(raw, policy=email.policy.default)


def parts(message: EmailMessage) -> tuple[str, str]:
    text, html = message.iter_parts()
    assert text.get_content_type() == "text/plain"
    assert html.get_content_type() == "text/html"
    words, page = (part.get_content().replace("\r\n", "\n") for part in (text, html))
    return words, page
