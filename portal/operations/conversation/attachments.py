"""Files that come with a customer's message: expected, fetched, stored or refused."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlmodel import col, select

from portal.attachments.file_store import FileStore
from portal.attachments.refusals import FileRefusal, FileRefusalCode
from portal.attachments.stored_file import RefusedFile, StoredFile
from portal.errors import Busy
from portal.models import Attachment, AttachmentState, Channel, Message, MessageKind
from portal.models.columns import saved_id
from portal.operations.needs.sent_items import return_item_of_refused_files
from portal.operations.outbox import Draft
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.conversations import has_message_of
from portal.queries.requests import lock_by_id


@dataclass(frozen=True, slots=True)
class IncomingMedia:
    """A file that the provider stores: its URL, and the media type that the sender's phone names."""

    url: str
    media_type: str


def expect_media(uow: UnitOfWork, inbound: Message, media: Iterable[IncomingMedia]) -> None:
    """Record the files of this text; a worker fetches each. The message has its id."""
    for file in media:
        uow.session.add(
            Attachment(
                message_id=saved_id(inbound),
                source_url=file.url,
                media_type=file.media_type,
                created_at=uow.now,
                next_at=uow.now,
            )
        )


async def attach_files(
    uow: UnitOfWork, inbound: Message, files: Sequence[StoredFile | RefusedFile]
) -> None:
    """Record files of this message that are checked already. The message has its id.

    Raises Busy where a file was removed since it was stored: somebody who had sent the same bytes
    was erased.
    """
    for file in files:
        attachment = Attachment(message_id=saved_id(inbound), created_at=uow.now)
        if isinstance(file, StoredFile):
            attachment.mark_stored(file)
        else:
            attachment.name = file.name
            attachment.mark_refused(file.refusal)
        uow.session.add(attachment)
    # Once the rows are written, nobody removes their files.
    await uow.session.flush()
    if not all(_is_stored(uow, file) for file in files if isinstance(file, StoredFile)):
        raise Busy


def _is_stored(uow: UnitOfWork, file: StoredFile) -> bool:
    store = FileStore(uow.settings.files_dir, uow.settings.max_upload_bytes)
    return store.path(file.digest).is_file()


async def claim_fetch(uow: UnitOfWork, attachment_id: int) -> Attachment | None:
    """Claim one attempt to fetch it; None where it is not due, or has had its last attempt.

    If the process dies in the attempt, the next one is due by itself.
    """
    attachment = await _lock_attachment(uow, attachment_id)
    if attachment.next_at is None or attachment.next_at > uow.now:
        return None  # Another worker has it.
    if not attachment.start_attempt(uow.now):
        await _refuse(uow, attachment, NOT_FETCHED)
        return None
    return attachment


async def store_fetched(uow: UnitOfWork, attachment_id: int, stored: StoredFile) -> None:
    """Record that the file is stored: the customer's page and the desk show it.

    Raises Busy as ``attach_files`` does: the next attempt fetches it again.
    """
    attachment = await _lock_attachment(uow, attachment_id)
    if attachment.state == AttachmentState.PENDING:
        attachment.mark_stored(stored)
        await uow.session.flush()
        if not _is_stored(uow, stored):
            raise Busy
        await _mark_page_changed(uow, attachment)


async def reject_fetched(uow: UnitOfWork, attachment_id: int, refusal: FileRefusal) -> None:
    """Record that the file is refused; customer and staff read why."""
    attachment = await _lock_attachment(uow, attachment_id)
    if attachment.state == AttachmentState.PENDING:
        await _refuse(uow, attachment, refusal)


async def record_failed_fetch(uow: UnitOfWork, attachment_id: int) -> None:
    """Record that an attempt failed. After the last one the file is refused."""
    attachment = await _lock_attachment(uow, attachment_id)
    if attachment.state == AttachmentState.PENDING and attachment.is_out_of_attempts:
        await _refuse(uow, attachment, NOT_FETCHED)


NOT_FETCHED = FileRefusal(FileRefusalCode.NOT_FETCHED)


async def _refuse(uow: UnitOfWork, attachment: Attachment, refusal: FileRefusal) -> None:
    attachment.mark_refused(refusal)
    await uow.session.flush()
    await return_item_of_refused_files(uow, attachment.message_id)
    await _mark_page_changed(uow, attachment)
    await _tell_by_text(uow, attachment)


async def _tell_by_text(uow: UnitOfWork, attachment: Attachment) -> None:
    """Whoever sent the photo by text hears that it did not arrive: once for a message."""
    message = await uow.session.get_one(Message, attachment.message_id)
    cause = f"message:{message.id}:photo"
    if message.channel != Channel.SMS or message.request_id is None:
        return
    if await has_message_of(uow.session, cause):
        return
    request = await lock_by_id(uow.session, message.request_id)
    text = (await uow.renderer(request)).say("photo_refused")
    await uow.outbox.queue(
        request, Draft(MessageKind.ANSWER, cause, text, urgent=True), channels=[Channel.SMS]
    )


async def _mark_page_changed(uow: UnitOfWork, attachment: Attachment) -> None:
    """Mark its page as changed. A text that is on no request yet is on no page."""
    message = await uow.session.get_one(Message, attachment.message_id)
    if message.request_id is not None:
        uow.mark_page_changed(await lock_by_id(uow.session, message.request_id))


async def _lock_attachment(uow: UnitOfWork, attachment_id: int) -> Attachment:
    query = select(Attachment).where(col(Attachment.id) == attachment_id).with_for_update()
    return (await uow.session.exec(query)).one()
