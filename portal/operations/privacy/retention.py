"""Retention: erases what has been kept as long as the settings say; lists it for a dry run.

Each item is erased in a transaction of its own, so a failure in one does not stop the others.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.attachments.file_store import FileStore
from portal.database_errors import DatabaseReason, find_reason
from portal.models import (
    SYSTEM_ACTOR,
    AccountEvent,
    Attachment,
    AttachmentRead,
    DroppedBall,
    Message,
    MessageKind,
    StaffSignIn,
)
from portal.operations.privacy.classification import ERASED
from portal.operations.privacy.erase import erase_closed_request, remove_unused_files
from portal.operations.privacy.message_rows import (
    balls_about_addresses,
    erase_addresses,
    erase_balls,
    erase_texts,
)
from portal.operations.unit_of_work import Operations
from portal.queries.requests import lock_by_id
from portal.queries.retention import (
    find_attachments,
    find_message_bodies,
    find_requests_to_erase,
)

log = structlog.get_logger()

BATCH_SIZE = 200
ORPHAN_AGE = timedelta(days=1)
"""A file is stored before its row is; one that has no row for so long never will have one."""

FindIds = Callable[[AsyncSession, int], Awaitable[Sequence[int]]]


@dataclass
class RetentionReport:
    """What was erased, or would be."""

    requests: list[str] = field(default_factory=list)
    messages: int = 0
    balls: int = 0
    files: int = 0
    orphans: int = 0
    sign_ins: int = 0
    failures: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there was nothing to erase."""
        counts = (self.messages, self.balls, self.files, self.orphans, self.sign_ins)
        return not (self.requests or any(counts))


class Retention:
    """One run at one moment. With ``is_dry`` it counts and changes nothing."""

    def __init__(self, operations: Operations, now: datetime, *, is_dry: bool = False) -> None:
        self._operations = operations
        self._now = now
        self._is_dry = is_dry
        self.report = RetentionReport()

    async def run(self) -> RetentionReport:
        """Requests, then messages and files of what stays, then files without a row."""
        settings = self._operations.settings
        if settings.keep_closed_requests_days:
            await self._requests(self._before(settings.keep_closed_requests_days))
        if settings.keep_message_bodies_days:
            before = self._before(settings.keep_message_bodies_days)
            await self._message_bodies(before)
            await self._try("dropped balls could not be erased", partial(self._balls, before))
        if settings.keep_files_days:
            await self._files(self._before(settings.keep_files_days))
        if settings.keep_sign_ins_days:
            before = self._before(settings.keep_sign_ins_days)
            await self._try("sign-ins could not be erased", partial(self._sign_ins, before))
        await self._try("stored files could not be erased", self._orphans)
        if not (self._is_dry or self.report.is_empty):
            await self._operations.database.truncate_log()
        return self.report

    async def _requests(self, closed_before: datetime) -> None:
        last = 0
        while True:
            async with self._operations.database.reading() as session:
                found = await find_requests_to_erase(
                    session, closed_before, after_id=last, limit=BATCH_SIZE
                )
            if not found:
                return
            for request_id, reference, customer_id in found:
                last = request_id
                if self._is_dry or await self._try(
                    "a request could not be erased",
                    partial(
                        erase_closed_request, self._operations, SYSTEM_ACTOR, request_id,
                        customer_id, closed_before,
                    ),
                    request=request_id,
                ):  # fmt: skip
                    self.report.requests.append(reference)

    async def _message_bodies(self, created_before: datetime) -> None:
        async for ids in self._batches(
            lambda session, last: find_message_bodies(
                session, created_before, ERASED, after_id=last, limit=BATCH_SIZE
            )
        ):
            for message_id in ids:
                if self._is_dry or await self._try(
                    "a message could not be erased",
                    partial(self._erase_body, message_id),
                    message=message_id,
                ):
                    self.report.messages += 1

    async def _erase_body(self, message_id: int) -> None:
        async with self._operations.begin(SYSTEM_ACTOR) as uow:
            message = await uow.session.get_one(Message, message_id)
            if message.request_id is not None:
                uow.mark_page_changed(await lock_by_id(uow.session, message.request_id))
            await erase_texts(uow, [message_id])
            if message.request_id is None and message.kind != MessageKind.NOTICE:
                # Whoever wrote it is no customer: nothing else would ever remove the address.
                await erase_addresses(uow, [message_id])

    async def _balls(self, raised_before: datetime) -> None:
        """Dropped balls about the addresses of people without a request."""
        condition = balls_about_addresses(raised_before)
        async with self._operations.database.reading() as session:
            count = select(sa.func.count()).select_from(DroppedBall).where(condition)
            found = (await session.exec(count)).one()
        if found and not self._is_dry:
            async with self._operations.begin(SYSTEM_ACTOR) as uow:
                await erase_balls(uow, condition)
        self.report.balls += found

    async def _files(self, created_before: datetime) -> None:
        async for ids in self._batches(
            lambda session, last: find_attachments(
                session, created_before, after_id=last, limit=BATCH_SIZE
            )
        ):
            for attachment_id in ids:
                if self._is_dry or await self._try(
                    "a file could not be erased",
                    partial(self._erase_file, attachment_id),
                    attachment=attachment_id,
                ):
                    self.report.files += 1

    async def _erase_file(self, attachment_id: int) -> None:
        async with self._operations.begin(SYSTEM_ACTOR) as uow:
            attachment = await uow.session.get_one(Attachment, attachment_id)
            message = await uow.session.get_one(Message, attachment.message_id)
            digest = attachment.digest
            connection = await uow.session.connection()
            await connection.execute(
                sa.delete(AttachmentRead).where(col(AttachmentRead.attachment_id) == attachment_id)
            )
            await uow.session.delete(attachment)
            await uow.session.flush()
            if message.request_id is not None:
                uow.mark_page_changed(await lock_by_id(uow.session, message.request_id))
        if digest:
            await self._remove([digest])

    async def _sign_ins(self, before: datetime) -> None:
        """Sign-ins of staff that nobody has used since, and the record of their accounts.

        A sign-in that still opens the desk stays.
        """
        settings = self._operations.settings
        has_ended = sa.or_(
            col(StaffSignIn.ended_at).is_not(None),
            col(StaffSignIn.last_seen_at) < self._now - settings.sign_in_idle,
            col(StaffSignIn.created_at) < self._now - settings.sign_in_longest,
        )
        old: tuple[tuple[Any, Any], ...] = (
            (StaffSignIn, sa.and_(col(StaffSignIn.last_seen_at) < before, has_ended)),
            (AccountEvent, col(AccountEvent.at) < before),
        )
        if self._is_dry:
            async with self._operations.database.reading() as session:
                for table, is_old in old:
                    query = select(sa.func.count()).select_from(table).where(is_old)
                    self.report.sign_ins += (await session.exec(query)).one()
            return
        async with self._operations.database.transaction() as session:
            connection = await session.connection()
            for table, is_old in old:
                self.report.sign_ins += (
                    await connection.execute(sa.delete(table).where(is_old))
                ).rowcount

    async def _orphans(self) -> None:
        """Files that no message has: their erasure was interrupted, or their upload was."""
        settings = self._operations.settings
        store = FileStore(settings.files_dir, settings.max_upload_bytes)
        old = await store.list_older_than(self._now - ORPHAN_AGE)
        for start in range(0, len(old), BATCH_SIZE):
            digests = old[start : start + BATCH_SIZE]
            async with self._operations.database.reading() as session:
                query = select(Attachment.digest).where(col(Attachment.digest).in_(digests))
                used = set((await session.exec(query)).all())
            unused = [digest for digest in digests if digest not in used]
            if self._is_dry:
                self.report.orphans += len(unused)
            else:
                self.report.orphans += await self._remove(unused)

    async def _remove(self, digests: Sequence[str]) -> int:
        """Remove stored files; gives how many were. Those that could not be count as failures."""
        files = await remove_unused_files(self._operations, digests)
        self.report.failures += files.left
        return files.removed

    async def _batches(self, find: FindIds) -> AsyncIterator[Sequence[int]]:
        """The ids in batches, each once: one that could not be erased is not tried again today."""
        last = 0
        while True:
            async with self._operations.database.reading() as session:
                ids = await find(session, last)
            if not ids:
                return
            last = ids[-1]
            yield ids

    async def _try(self, event: str, erase: Callable[[], Awaitable[None]], **item: int) -> bool:
        """Whether it was erased; a failure is logged and counted.

        Raises where the database cannot be reached or written: then every other item fails too.
        """
        try:
            await erase()
        except Exception as error:
            if (
                isinstance(error, SQLAlchemyError)
                and find_reason(error) is not DatabaseReason.OTHER
            ):
                raise
            log.exception(event, error=type(error).__name__, **item)
            self.report.failures += 1
            return False
        return True

    def _before(self, days: int) -> datetime:
        return self._now - timedelta(days=days)
