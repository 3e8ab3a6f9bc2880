"""Fetches photos that came by text: downloads, validates and stores them.

An attempt is claimed by storing when the next one is due, so one that dies is made again. No
transaction is open while the carrier is called or a picture is decoded.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlmodel import col, select

from portal import business_time
from portal.attachments.file_store import FileStore
from portal.attachments.refusals import FileRefusal
from portal.attachments.stored_file import FileRefused
from portal.errors import Busy
from portal.messaging.sms.twilio_media import MediaRefused, MediaUnavailable, TwilioMediaClient
from portal.models import SYSTEM_ACTOR, Attachment
from portal.operations import Operations
from portal.operations.conversation.attachments import (
    claim_fetch,
    record_failed_fetch,
    reject_fetched,
    store_fetched,
)
from portal.settings import Settings

log = structlog.get_logger()

BATCH_SIZE = 20
MAX_CONCURRENT = 4


class MediaFetcher:
    """Fetches media from the carrier; without a client there is nothing to fetch."""

    def __init__(self, operations: Operations, client: TwilioMediaClient | None) -> None:
        self._operations = operations
        self._client = client
        self._file_store = FileStore(
            operations.settings.files_dir, operations.settings.max_upload_bytes
        )
        self._semaphore = asyncio.Semaphore(MAX_CONCURRENT)

    async def once(self) -> None:
        """Make one attempt at each file that is due."""
        if self._client is None:
            return
        due = await self._due(business_time.now())
        fetches = (self._fetch(self._client, attachment_id) for attachment_id in due)
        for result in await asyncio.gather(*fetches, return_exceptions=True):
            if isinstance(result, BaseException):
                log.error("a file could not be fetched", exc_info=result)

    async def _due(self, now: datetime) -> Sequence[int]:
        query = (
            select(col(Attachment.id))
            .where(col(Attachment.next_at) <= now)
            .order_by(col(Attachment.next_at))
            .limit(BATCH_SIZE)
        )
        async with self._operations.database.reading() as session:
            return [attachment_id or 0 for attachment_id in (await session.exec(query)).all()]

    async def _fetch(self, client: TwilioMediaClient, attachment_id: int) -> None:
        async with self._semaphore:
            async with self._operations.begin(SYSTEM_ACTOR) as uow:
                claimed = await claim_fetch(uow, attachment_id)
            if claimed is None:
                return
            try:
                data = await client.fetch(claimed.source_url, self._file_store.max_bytes)
                stored_file = await self._file_store.put(
                    await self._file_store.check(data, claimed.name)
                )
            except (MediaUnavailable, Busy, OSError) as error:
                log.warning(
                    "a file could not be fetched", file=attachment_id, error=type(error).__name__
                )
                async with self._operations.begin(SYSTEM_ACTOR) as uow:
                    await record_failed_fetch(uow, attachment_id)
            except (MediaRefused, FileRefused) as error:
                await self._refuse(attachment_id, error.refusal)
            else:
                async with self._operations.begin(SYSTEM_ACTOR) as uow:
                    await store_fetched(uow, attachment_id, stored_file)

    async def _refuse(self, attachment_id: int, refusal: FileRefusal) -> None:
        async with self._operations.begin(SYSTEM_ACTOR) as uow:
            await reject_fetched(uow, attachment_id, refusal)


def create_media_client(settings: Settings) -> TwilioMediaClient | None:
    """The carrier's store, as the settings name it; nothing is connected yet."""
    if settings.twilio_account_sid is None:
        return None
    return TwilioMediaClient(
        settings.twilio_account_sid,
        settings.twilio_auth_tokens[0].get_secret_value(),
        api_url=settings.twilio_api_url,
    )
