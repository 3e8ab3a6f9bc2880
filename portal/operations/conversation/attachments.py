"""Photos and papers that come with a customer's words: expected, fetched, kept or refused."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlmodel import col, select

from portal.attachments.refusals import FileRefusal, FileRefusalCode
from portal.attachments.stored_file import RefusedFile, StoredFile
from portal.models import Attachment, AttachmentState, Message
from portal.models.columns import saved_id
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.requests import lock_by_id


@dataclass(frozen=True, slots=True)
class IncomingMedia:
    """A file that lies with the provider: where, and what the sender's phone says it is."""

    url: str
    media_type: str


def expect_media(uow: UnitOfWork, inbound: Message, media: Iterable[IncomingMedia]) -> None:
    """They come with this text; a worker fetches each. The message has its id."""
    for one in media:
        uow.session.add(
            Attachment(
                message_id=saved_id(inbound),
                source_url=one.url,
                media_type=one.media_type,
                created_at=uow.now,
                next_at=uow.now,
            )
        )


def attach_files(
    uow: UnitOfWork, inbound: Message, files: Iterable[StoredFile | RefusedFile]
) -> None:
    """They came with these words and have been looked at. The message has its id."""
    for one in files:
        attachment = Attachment(message_id=saved_id(inbound), created_at=uow.now)
        if isinstance(one, StoredFile):
            attachment.mark_stored(one)
        else:
            attachment.name = one.name
            attachment.mark_refused(one.refusal)
        uow.session.add(attachment)


async def claim_fetch(uow: UnitOfWork, attachment_id: int) -> Attachment | None:
    """Claim one try at fetching it; None where it is not due, or was tried often enough.

    Should the process die in the try, the next is due by itself.
    """
    attachment = await _held(uow, attachment_id)
    if attachment.next_at is None or attachment.next_at > uow.now:
        return None  # Another worker has it.
    if not attachment.start_attempt(uow.now):
        await _refuse(uow, attachment, NOT_FETCHED)
        return None
    return attachment


async def store_fetched(uow: UnitOfWork, attachment_id: int, kept: StoredFile) -> None:
    """It is on the shelf: the customer's page and the desk show it."""
    attachment = await _held(uow, attachment_id)
    if attachment.state == AttachmentState.PENDING:
        attachment.mark_stored(kept)
        await _show(uow, attachment)


async def reject_fetched(uow: UnitOfWork, attachment_id: int, refusal: FileRefusal) -> None:
    """It was looked at and cannot be taken; customer and staff read why."""
    attachment = await _held(uow, attachment_id)
    if attachment.state == AttachmentState.PENDING:
        await _refuse(uow, attachment, refusal)


async def record_failed_fetch(uow: UnitOfWork, attachment_id: int) -> None:
    """The try brought nothing. The last one is the end of it."""
    attachment = await _held(uow, attachment_id)
    if attachment.state == AttachmentState.PENDING and attachment.is_out_of_attempts:
        await _refuse(uow, attachment, NOT_FETCHED)


NOT_FETCHED = FileRefusal(FileRefusalCode.NOT_FETCHED)


async def _refuse(uow: UnitOfWork, attachment: Attachment, refusal: FileRefusal) -> None:
    attachment.mark_refused(refusal)
    await _show(uow, attachment)


async def _show(uow: UnitOfWork, attachment: Attachment) -> None:
    """Its page is another page now. A text that is on no request yet is on no page."""
    message = await uow.session.get_one(Message, attachment.message_id)
    if message.request_id is not None:
        uow.mark_page_changed(await lock_by_id(uow.session, message.request_id))


async def _held(uow: UnitOfWork, attachment_id: int) -> Attachment:
    query = select(Attachment).where(col(Attachment.id) == attachment_id).with_for_update()
    return (await uow.session.exec(query)).one()
