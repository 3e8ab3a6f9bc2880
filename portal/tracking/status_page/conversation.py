"""What was said between us and the customer, as it reads on the page itself."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from portal.attachments.refusals import FileRefusal, FileRefusalCode
from portal.attachments.stored_file import StoredFile
from portal.messaging.wording.channel_neutral import (
    channel_neutral_text,
    without_opt_out_hint,
    without_reply_hint,
)
from portal.models import (
    EDITED_SUFFIX,
    AttachmentState,
    Channel,
    Direction,
    MessageKind,
    MessageStatus,
)
from portal.queries.status_page.rows import AttachmentRow, MessageRow
from portal.tracking.status_page.view_models import AttachmentLine, ConversationLine

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
"""Milestones, holds and endings are left out: they are what the page as a whole says."""

SHOWN_AT_ONCE = frozenset(
    {MessageKind.STAFF, MessageKind.ACKNOWLEDGEMENT, MessageKind.ANSWER, MessageKind.REOPEN_OFFER}
)
"""Said to the customer here, whatever became of the text or mail that carries it."""

NEVER_SHOWN = frozenset({MessageStatus.SUPPRESSED, MessageStatus.EXPIRED})


def build_conversation(
    messages: Iterable[MessageRow], attachments: Iterable[AttachmentRow], brand: str
) -> tuple[ConversationLine, ...]:
    """The lines of the conversation, oldest first.

    What staff wrote and what answers the customer stand here at once, also to somebody who
    wants no texts. What went a second time, or another way, stands here once.
    """
    files: defaultdict[int, list[AttachmentLine]] = defaultdict(list)
    for one in attachments:
        files[one.message_id].append(_file(one))
    said = _once(one for one in messages if _is_said(one))
    return tuple(replace(_line(one, brand), files=tuple(files[one.id])) for one in said)


def _once(messages: Iterable[MessageRow]) -> Iterable[MessageRow]:
    """Of several about one thing the first, in the words that a colleague gave it last."""
    said: dict[object, MessageRow] = {}
    for message in messages:
        about = (message.event_id, message.kind) if message.event_id else message.id
        if message.direction == Direction.IN:
            about = message.id
        if about not in said or message.cause.endswith(EDITED_SUFFIX):
            said[about] = message
    return said.values()


def _is_said(message: MessageRow) -> bool:
    if message.kind not in CONVERSATION_KINDS:
        return False
    return message.kind in SHOWN_AT_ONCE or message.status not in NEVER_SHOWN


def _line(message: MessageRow, brand: str) -> ConversationLine:
    channel = Channel.WEB if message.status in NEVER_SHOWN else message.channel
    return ConversationLine(
        key=str(message.id),
        body=message.body if message.direction == Direction.IN else _words(message, brand),
        at=message.created_at,
        author=_author(message, brand),
        channel=channel,  # type: ignore[arg-type]
    )


def _file(row: AttachmentRow) -> AttachmentLine:
    kept = None
    if row.state == AttachmentState.STORED:
        kept = StoredFile(row.name, row.media_type, row.digest, row.size, row.width, row.height)
    refused = ""
    if row.refusal_code is not None:
        refused = FileRefusal(FileRefusalCode(row.refusal_code), row.max_megabytes).text
    return AttachmentLine(key=str(row.id), kept=kept, refused=refused)


def _author(message: MessageRow, brand: str) -> str | None:
    """A colleague's first name; another system speaks for all of us."""
    if message.direction == Direction.IN:
        return None
    if message.kind == MessageKind.STAFF and message.author_id is not None:
        return message.author.split()[0]
    return brand


def _words(message: MessageRow, brand: str) -> str:
    """Without what a text needs and this page does not: our name, the link, how to stop."""
    if message.kind == MessageKind.STAFF:
        return without_opt_out_hint(message.body)
    body = channel_neutral_text(message.body, brand)
    if message.kind in (MessageKind.FOLLOW_UP, MessageKind.REMINDER):
        body = without_reply_hint(body)
    return body
