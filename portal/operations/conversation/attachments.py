"""Photos and papers that come with a customer's words: expected, fetched, kept or refused."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlmodel import col, select

from portal.attachments.stored_file import KeptFile, RefusedFile
from portal.models import Attachment, AttachmentState, Message
from portal.operations.unit_of_work import Turn
from portal.queries.requests import lock_by_id


@dataclass(frozen=True, slots=True)
class Texted:
    """A file that lies with the provider: where, and what the sender's phone says it is."""

    url: str
    media_type: str


def expect_files(turn: Turn, heard: Message, texted: Iterable[Texted]) -> None:
    """They come with this text; a worker fetches each. The message has its id."""
    for one in texted:
        turn.session.add(
            Attachment(
                message_id=heard.id or 0,
                source_url=one.url,
                media_type=one.media_type,
                created_at=turn.now,
                next_at=turn.now,
            )
        )


def attach_files(turn: Turn, heard: Message, files: Iterable[KeptFile | RefusedFile]) -> None:
    """They came with these words and have been looked at. The message has its id."""
    for one in files:
        attachment = Attachment(message_id=heard.id or 0, created_at=turn.now)
        if isinstance(one, KeptFile):
            attachment.keep(one)
        else:
            attachment.name = one.name
            attachment.refuse(one.reason)
        turn.session.add(attachment)


async def begin_fetching(turn: Turn, attachment_id: int) -> Attachment | None:
    """Claim one try at fetching it; None where it is not due, or was tried often enough.

    Should the process die in the try, the next is due by itself.
    """
    attachment = await _held(turn, attachment_id)
    if attachment.next_at is None or attachment.next_at > turn.now:
        return None  # Another worker has it.
    if not attachment.begin_try(turn.now):
        await _refuse(turn, attachment, GIVEN_UP)
        return None
    return attachment


async def keep_fetched(turn: Turn, attachment_id: int, kept: KeptFile) -> None:
    """It is on the shelf: the customer's page and the desk show it."""
    attachment = await _held(turn, attachment_id)
    if attachment.state == AttachmentState.PENDING:
        attachment.keep(kept)
        await _show(turn, attachment)


async def refuse_fetched(turn: Turn, attachment_id: int, reason: str) -> None:
    """It was looked at and cannot be taken; customer and staff read why."""
    attachment = await _held(turn, attachment_id)
    if attachment.state == AttachmentState.PENDING:
        await _refuse(turn, attachment, reason)


async def miss_fetching(turn: Turn, attachment_id: int) -> None:
    """The try brought nothing. The last one is the end of it."""
    attachment = await _held(turn, attachment_id)
    if attachment.state == AttachmentState.PENDING and attachment.was_last_try:
        await _refuse(turn, attachment, GIVEN_UP)


GIVEN_UP = "the phone company did not hand it over"


async def _refuse(turn: Turn, attachment: Attachment, reason: str) -> None:
    attachment.refuse(reason)
    await _show(turn, attachment)


async def _show(turn: Turn, attachment: Attachment) -> None:
    """Its page is another page now. A text that is on no request yet is on no page."""
    message = await turn.session.get_one(Message, attachment.message_id)
    if message.request_id is not None:
        turn.touch(await lock_by_id(turn.session, message.request_id))


async def _held(turn: Turn, attachment_id: int) -> Attachment:
    query = select(Attachment).where(col(Attachment.id) == attachment_id).with_for_update()
    return (await turn.session.exec(query)).one()
