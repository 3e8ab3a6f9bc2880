"""What a mail about a request says: the content of the mail that a message becomes."""

import re
from dataclasses import replace

from portal.i18n.languages import Language, language_of
from portal.messaging.code_masking import reveal_code
from portal.messaging.email.composition import EmailContent
from portal.messaging.wording.channel_neutral import channel_neutral_text, without_reply_hint
from portal.models import Customer, Message, MessageKind, ServiceRequest
from portal.settings import Settings

QUESTION_KINDS = frozenset({MessageKind.FOLLOW_UP, MessageKind.REMINDER})
NUMBERED_WINDOWS = re.compile(r"(?<!\S)1\) ")
"""A question about a visit offers its windows by number."""


def letter_about_request(
    settings: Settings,
    message: Message,
    request: ServiceRequest,
    customer: Customer,
    link: str,
    *,
    title: str,
) -> EmailContent:
    """All mails of a request have one subject, by which mail programs group them."""
    language = language_of(customer.locale)
    return EmailContent(
        subject=f"{title} ({request.reference})",
        headline=_headline(settings, message, language),
        paragraphs=_paragraphs(settings, message, language),
        author_name=_writer(settings, message),
        answer_links=_choices(message, link, language),
        button_label=language.gettext("See your request"),
        link=link,
        footer=language.gettext(
            "You get this because you have a request with {brand}.", brand=settings.brand
        ),
        unsubscribe_label=language.gettext("No more e-mail about it"),
        reference=request.reference,
        language=language.code,
        right_to_left=language.direction == "rtl",
    )


def with_calendar(letter: EmailContent, link: str, language: Language) -> EmailContent:
    """The mail with a link that puts the noted time into a calendar."""
    label = language.gettext("Add to my calendar")
    return replace(letter, answer_links=((label, f"{link}/appointment.ics"),))


def letter_texts(letter: EmailContent, brand: str) -> tuple[str, str]:
    """What a reply to this mail may quote: the text of its text part, and that of its page."""
    signed = [brand, letter.reference]
    said = [letter.headline, *letter.paragraphs, letter.author_name]
    choices = [f"{words}: {link}" for words, link in letter.answer_links]
    button = f"{letter.button_label}: {letter.link}"
    last = [letter.footer, f"{letter.unsubscribe_label}: {letter.link}"]
    page = [*said[1:2], " ".join(signed), *said, *choices, button, *last]
    return (
        "\n".join([*said, *choices, button, " ".join(signed), *last]),
        "\n".join(page),
    )


def _headline(settings: Settings, message: Message, language: Language) -> str:
    if message.kind == MessageKind.STAFF:
        writer = _writer(settings, message)
        return language.gettext("{writer} wrote to you", writer=writer)
    if message.kind in QUESTION_KINDS:
        return without_reply_hint(message.subject)
    return message.subject


def _paragraphs(settings: Settings, message: Message, language: Language) -> tuple[str, ...]:
    """A colleague's message as it was written, with its line breaks."""
    if message.kind == MessageKind.STAFF:
        parts = re.split(r"\n[ \t]*\n\s*", message.body.replace("\r\n", "\n").strip())
        return tuple(part.strip() for part in parts)
    if message.kind in QUESTION_KINDS:
        return (language.gettext("Choose below: your page opens, and one press there answers."),)
    words = reveal_code(settings, message.kind, message.cause, message.body)
    return (channel_neutral_text(words, settings.brand),)


def _choices(message: Message, link: str, language: Language) -> tuple[tuple[str, str], ...]:
    """They lead to the buttons on the page, or its list of windows: a link answers nothing."""
    if message.kind not in QUESTION_KINDS:
        return ()
    if NUMBERED_WINDOWS.search(message.body):
        return ((language.gettext("Choose a time"), f"{link}#answer-at"),)
    return (
        (language.gettext("Yes"), f"{link}#answer-yes"),
        (language.gettext("No"), f"{link}#answer-no"),
    )


def _writer(settings: Settings, message: Message) -> str:
    """A colleague's first name; for other systems and Kept itself the brand."""
    if message.kind != MessageKind.STAFF:
        return ""
    return message.author.split()[0] if message.author_id is not None else settings.brand
