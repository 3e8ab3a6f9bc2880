"""What a mail about a request says: the content of the mail that a message becomes."""

import re
from dataclasses import replace

from portal.i18n.languages import Language, language_of
from portal.messaging.code_masking import reveal_code
from portal.messaging.email.composition import EmailContent
from portal.messaging.email.letter_details import NO_DETAILS, LetterDetails
from portal.messaging.wording.channel_neutral import (
    channel_neutral_text,
    without_pointer,
    without_reply_hint,
)
from portal.messaging.wording.signatures import without_signature
from portal.models import Customer, Message, MessageKind, ServiceRequest
from portal.models.people.given_name import staff_first_name
from portal.settings import Settings

PROGRESS_KINDS = frozenset({MessageKind.MILESTONE, MessageKind.DELAY, MessageKind.UPDATE})
"""The kinds whose mail has the links of tracking numbers."""
QUESTION_KINDS = frozenset({MessageKind.FOLLOW_UP, MessageKind.REMINDER})


def letter_about_request(
    settings: Settings,
    message: Message,
    request: ServiceRequest,
    customer: Customer,
    link: str,
    *,
    title: str,
    details: LetterDetails = NO_DETAILS,
) -> EmailContent:
    """The subject says what has happened; the header References keeps the mails in one thread."""
    language = language_of(customer.locale)
    headline = _headline(settings, message, language)
    is_question = message.kind in QUESTION_KINDS
    return EmailContent(
        subject=headline if is_question or headline == title else f"{headline}: {title}",
        headline=headline,
        paragraphs=(
            *_paragraphs(settings, message, language, has_reason=details.has_reason),
            *details.sentences,
        ),
        author_name=_writer(settings, message),
        steps_label=language.gettext("Your timeline"),
        steps=details.steps,
        answer_links=_choices(message, link, language, details),
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
    choices = [f"{words}: {link}" for words, link in (*letter.answer_links, *letter.parcel_links)]
    if letter.steps:
        said += [letter.steps_label, *(f"{step}: {state}" for step, state in letter.steps)]
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
    return _what_happened(language).get(message.kind, message.subject)


def _what_happened(language: Language) -> dict[MessageKind, str]:
    """The headline of a mail whose message has none of its own."""
    received = language.gettext("We have your message")
    return {
        MessageKind.ACKNOWLEDGEMENT: received,
        MessageKind.REOPEN_OFFER: received,
        MessageKind.ANSWER: language.gettext("About your request"),
        MessageKind.CANCELLED: language.gettext("Your request has been cancelled"),
        MessageKind.COMPLETED: language.gettext("All done"),
        MessageKind.CONSENT: language.gettext("Your messages from us"),
        MessageKind.DECLINED: language.gettext("Your request has been closed"),
        MessageKind.DELAY: language.gettext("There is a new date"),
        MessageKind.HOLD: language.gettext("Your request is on hold"),
        MessageKind.LINK: language.gettext("We have your request"),
        MessageKind.PROMISE: language.gettext("Our promise to you"),
        MessageKind.RESUMED: language.gettext("We go on with your request"),
        MessageKind.UPDATE: language.gettext("How your request stands"),
    }


def _paragraphs(
    settings: Settings, message: Message, language: Language, *, has_reason: bool
) -> tuple[str, ...]:
    """A colleague's message as it was written, with its line breaks."""
    if message.kind == MessageKind.STAFF:
        words = without_signature(message.body, settings.brand, message.author)
        parts = re.split(r"\n[ \t]*\n\s*", words.replace("\r\n", "\n").strip())
        return tuple(part.strip() for part in parts)
    if message.kind in QUESTION_KINDS:
        return (language.gettext("Choose below: your page opens, and one press there answers."),)
    words = reveal_code(settings, message.kind, message.cause, message.body)
    words = without_pointer(words) if has_reason else words
    return (channel_neutral_text(words, settings.brand, language),)


def _choices(
    message: Message, link: str, language: Language, details: LetterDetails
) -> tuple[tuple[str, str], ...]:
    """They lead to the buttons on the page, or its list of windows: a link answers nothing."""
    if message.kind not in QUESTION_KINDS:
        return ()
    answers = details.answers or (
        (language.gettext("Yes"), "answer-yes"),
        (language.gettext("No"), "answer-no"),
    )
    return tuple((label, f"{link}#{anchor}") for label, anchor in answers)


def _writer(settings: Settings, message: Message) -> str:
    """A colleague's first name; for other systems and Kept itself the brand."""
    if message.kind != MessageKind.STAFF:
        return ""
    writer = staff_first_name(message.author) if message.author_id is not None else ""
    return writer or settings.brand
