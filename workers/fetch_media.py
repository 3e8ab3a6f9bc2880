"""Photos that came by text: fetched from the carrier, checked, and put on the shelf.

A try is claimed by saying when the next one is due, so one that dies is simply made again. No
transaction is open while the carrier is called or a picture is drawn.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlmodel import col, select

from portal import business_time
from portal.attachments.file_store import Shelf
from portal.attachments.stored_file import FileRefused
from portal.messaging.sms.twilio_media import MediaAway, MediaRefused, MediaStore
from portal.models import KEPT, Attachment
from portal.operations import Relay
from portal.operations.conversation.attachments import (
    begin_fetching,
    keep_fetched,
    miss_fetching,
    refuse_fetched,
)
from portal.settings import Settings

log = structlog.get_logger()

AT_ONCE = 20
SIDE_BY_SIDE = 4


class Fetcher:
    """Brings in what lies with the carrier. Without a ``store`` nothing could have been sent us."""

    def __init__(self, relay: Relay, store: MediaStore | None) -> None:
        self._relay = relay
        self._store = store
        self._shelf = Shelf(relay.settings.files_dir, relay.settings.largest_file)
        self._turns = asyncio.Semaphore(SIDE_BY_SIDE)

    async def once(self) -> None:
        """One try at each file that is due."""
        if self._store is None:
            return
        due = await self._due(business_time.now())
        await asyncio.gather(*(self._fetch(self._store, one) for one in due))

    async def _due(self, now: datetime) -> Sequence[int]:
        query = (
            select(col(Attachment.id))
            .where(col(Attachment.next_at) <= now)
            .order_by(col(Attachment.next_at))
            .limit(AT_ONCE)
        )
        async with self._relay.database.reading() as session:
            return [one or 0 for one in (await session.exec(query)).all()]

    async def _fetch(self, store: MediaStore, attachment_id: int) -> None:
        async with self._turns:
            async with self._relay.turn(KEPT) as turn:
                claimed = await begin_fetching(turn, attachment_id)
            if claimed is None:
                return
            try:
                data = await store.fetch(claimed.source_url, self._shelf.largest)
                kept = await self._shelf.put(await self._shelf.check(data, claimed.name))
            except (MediaAway, OSError) as error:
                log.warning("a file could not be fetched", file=attachment_id, error=str(error))
                async with self._relay.turn(KEPT) as turn:
                    await miss_fetching(turn, attachment_id)
            except MediaRefused as refusal:
                await self._refuse(attachment_id, str(refusal))
            except FileRefused as refusal:
                await self._refuse(attachment_id, refusal.detail)
            else:
                async with self._relay.turn(KEPT) as turn:
                    await keep_fetched(turn, attachment_id, kept)

    async def _refuse(self, attachment_id: int, reason: str) -> None:
        async with self._relay.turn(KEPT) as turn:
            await refuse_fetched(turn, attachment_id, reason)


def open_media(settings: Settings) -> MediaStore | None:
    """The carrier's store, as the settings name it; nothing is connected yet."""
    if settings.twilio_account_sid is None:
        return None
    return MediaStore(
        settings.twilio_account_sid,
        settings.twilio_auth_tokens[0].get_secret_value(),
        api_url=settings.twilio_api_url,
    )
