"""The conversation with the customer, as the status page shows it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from portal.attachments.refusals import FileRefusal, FileRefusalCode
from portal.attachments.stored_file import StoredFile
from portal.i18n.languages import ENGLISH, Language
from portal.messaging.sms.reactions import reaction_line
from portal.messaging.wording.channel_neutral import (
    channel_neutral_text,
    without_opt_out_hint,
    without_pointer,
    without_reply_hint,
)
from portal.messaging.wording.signatures import without_signature
from portal.models import (
    EDITED_SUFFIX,
    AttachmentState,
    Channel,
    DeliveryReason,
    Direction,
    MessageKind,
    MessageStatus,
    Transport,
)
from portal.models.people.given_name import staff_first_name
from portal.operations.delivery.channel_fallback import RETRY_CAUSE
from portal.queries.status_page.rows import AttachmentRow, MessageRow
from portal.tracking.status_page.conversation_view import (
    AttachmentLine,
    ConversationLine,
    DocumentLine,
)

CONVERSATION_KINDS = frozenset(
    {
        MessageKind.CUSTOMER,
        MessageKind.STAFF,
        MessageKind.ACKNOWLEDGEMENT,
        MessageKind.ANSWER,
        MessageKind.REOPEN_OFFER,
        MessageKind.FOLLOW_UP,
        MessageKind.REMINDER,
        MessageKind.PROMISE,
        MessageKind.CONSENT,
    }
)
"""The kinds shown. Milestones, holds and endings are left out: the rest of the page shows them."""

SHOWN_AT_ONCE = frozenset(
    {MessageKind.STAFF, MessageKind.ACKNOWLEDGEMENT, MessageKind.ANSWER, MessageKind.REOPEN_OFFER}
)
"""Shown on the page even where the text or e-mail with it is not sent."""

NEVER_SHOWN = frozenset({MessageStatus.SUPPRESSED, MessageStatus.EXPIRED})


def build_conversation(
    messages: Iterable[MessageRow],
    attachments: Iterable[AttachmentRow],
    brand: str,
    language: Language = ENGLISH,
) -> tuple[ConversationLine, ...]:
    """The lines of the conversation, oldest first.

    What staff wrote and what answers the customer is shown at once, also to a customer who has
    opted out of texts. A message that was sent again, or by another channel, is shown once.
    """
    files: defaultdict[int, list[AttachmentLine]] = defaultdict(list)
    for attachment in attachments:
        files[attachment.message_id].append(_file(attachment))
    all_messages = list(messages)
    bodies = {message.id: _text(message, brand, language) for message in all_messages}
    shown = _without_copies(message for message in all_messages if _is_shown(message))
    return tuple(
        replace(
            _line(message, brand, language, bodies.get(message.reacted_to_id or 0)),
            files=tuple(files[message.id]),
        )
        for message in shown
    )


def asks_which(messages: Iterable[MessageRow]) -> bool:
    """Whether we asked the customer which request a text is about, and nobody has answered since."""
    waits = False
    for message in messages:
        if message.direction == Direction.IN and message.reason == DeliveryReason.REQUEST_UNCLEAR:
            waits = True
        elif message.kind == MessageKind.STAFF:
            waits = False
    return waits


def list_documents(
    messages: Iterable[MessageRow], attachments: Iterable[AttachmentRow]
) -> tuple[DocumentLine, ...]:
    """What staff gave to the customer, the newest first."""
    given = {row.id: row.created_at for row in messages if row.kind == MessageKind.DOCUMENT}
    lines = [
        DocumentLine(_file(row), given[row.message_id])
        for row in attachments
        if row.message_id in given
    ]
    return tuple(reversed(lines))


def _without_copies(messages: Iterable[MessageRow]) -> Iterable[MessageRow]:
    """Of the messages about one event the first, or the one that staff edited last.

    One that was sent again, as by SMS after WhatsApp, says by what it went at last.
    """
    shown: dict[object, MessageRow] = {}
    subjects: dict[int, object] = {}
    for message in messages:
        subject: object = message.id
        repeated = RETRY_CAUSE.fullmatch(message.cause)
        if message.event_id and message.direction != Direction.IN:
            subject = (message.event_id, message.kind)
        elif repeated:
            subject = subjects.get(int(repeated[1]), subject)
        subjects[message.id] = subject
        if subject not in shown or message.cause.endswith(EDITED_SUFFIX):
            shown[subject] = message
        elif repeated:
            shown[subject] = replace(shown[subject], transport=message.transport)
    return shown.values()


def _is_shown(message: MessageRow) -> bool:
    if message.kind not in CONVERSATION_KINDS:
        return False
    return message.kind in SHOWN_AT_ONCE or message.status not in NEVER_SHOWN


def _line(
    message: MessageRow, brand: str, language: Language, reacted_to: str | None
) -> ConversationLine:
    """One line; ``reacted_to`` is our text that the message is a reaction to."""
    body = message.body if message.direction == Direction.IN else _text(message, brand, language)
    if reacted_to is not None:
        body = reaction_line(message.because, reacted_to)
    channel = Channel.WEB if message.status in NEVER_SHOWN else message.channel
    if channel == Channel.SMS and message.transport == Transport.WHATSAPP:
        channel = Transport.WHATSAPP
    return ConversationLine(
        key=str(message.id),
        body=body,
        at=message.created_at,
        author=_author(message, brand),
        channel=channel,  # type: ignore[arg-type]
        is_receipt=message.kind == MessageKind.ACKNOWLEDGEMENT,
    )


def _file(row: AttachmentRow) -> AttachmentLine:
    stored_file = None
    if row.state == AttachmentState.STORED:
        stored_file = StoredFile(
            row.name, row.media_type, row.digest, row.size, row.width, row.height
        )
    rejected = ""
    if row.refusal_code is not None:
        rejected = FileRefusal(FileRefusalCode(row.refusal_code), row.max_megabytes).text
    return AttachmentLine(key=str(row.id), stored_file=stored_file, rejected=rejected)


def _author(message: MessageRow, brand: str) -> str | None:
    """The first name of a member of staff; the brand for an automatic message."""
    if message.direction == Direction.IN:
        return None
    if message.kind == MessageKind.STAFF and message.author_id is not None:
        return staff_first_name(message.author)
    return brand


def _text(message: MessageRow, brand: str, language: Language) -> str:
    """Without what only a text needs: the brand, the link, how to stop."""
    if message.kind == MessageKind.STAFF:
        return without_signature(without_opt_out_hint(message.body), brand, message.author)
    # "See why: LINK" leads to this page.
    body = channel_neutral_text(without_pointer(message.body), brand, language)
    if message.kind in (MessageKind.FOLLOW_UP, MessageKind.REMINDER):
        body = without_reply_hint(body)
    return body
