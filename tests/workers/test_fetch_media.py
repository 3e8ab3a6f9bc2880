"""Photos that come by text: fetched with the account's credentials, validated and stored once."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
import time_machine
from PIL import Image
from sqlmodel import col, select

from portal.attachments.file_store import FileStore
from portal.attachments.refusals import FileRefusal, FileRefusalCode
from portal.database import Database
from portal.demo.fake_providers import FakeProviders
from portal.messaging.sms.twilio_media import MediaRefused, MediaUnavailable, TwilioMediaClient
from portal.models import (
    Attachment,
    AttachmentState,
    Direction,
    MessageKind,
    PromiseKind,
    ServiceRequest,
)
from portal.operations import Operations
from portal.settings import Settings
from tests.support.factories import Organisation
from tests.support.sample_images import GPS, PDF, decompression_bomb, photo, photo_with_gps
from tests.support.twilio_client import TwilioClient
from workers.fetch_media import MediaFetcher

pytestmark = pytest.mark.either_database


@pytest.fixture(scope="module")
def simulator() -> Iterator[FakeProviders]:
    """The fake carrier, which serves photos."""
    with FakeProviders(auth_token="the token of the tests") as simulator:
        yield simulator


@pytest.fixture
def carrier(simulator: FakeProviders) -> FakeProviders:
    """The fake carrier without faults and texts of former tests."""
    simulator.faults.clear()
    simulator.carrier.forget()
    return simulator


@pytest.fixture
def settings(settings: Settings, carrier: FakeProviders, tmp_path: Path) -> Settings:
    """Acme Bank's, with that carrier; no file may be larger than 50 kB."""
    return settings.model_copy(
        update={
            "twilio_api_url": carrier.api_url,
            "twilio_account_sid": carrier.config.account_sid,
            "files_dir": tmp_path / "files",
            "max_upload_bytes": 50_000,
        }
    )


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[TwilioMediaClient]:
    """A client of the carrier's media, with a timeout of 0.2 seconds."""
    store = TwilioMediaClient(
        settings.twilio_account_sid or "",
        settings.twilio_auth_tokens[0].get_secret_value(),
        api_url=settings.twilio_api_url,
        timeout=0.2,
    )
    yield store
    await store.close()


@dataclass
class Mms:
    """A customer's phone, the fake carrier, and the round that fetches media."""

    twilio: TwilioClient
    carrier: FakeProviders
    database: Database
    media_fetcher: MediaFetcher

    async def send(self, *photos: bytes, body: str = "", told: int = 1) -> None:
        """Send these photos ("image/jpeg") with a text; its webhook is posted ``told`` times."""
        media = {f"MediaUrl{n}": self.carrier.hold(content) for n, content in enumerate(photos)}
        kinds = {f"MediaContentType{n}": "image/jpeg" for n in range(len(photos))}
        form = {"NumMedia": str(len(photos)), **media, **kinds}
        for _ in range(told):
            assert await self.twilio.text(body, sid="MM1", **form) == 200

    async def files(self) -> list[Attachment]:
        """The attachments in the database, oldest first."""
        async with self.database.reading() as session:
            query = select(Attachment).order_by(col(Attachment.id))
            return list((await session.exec(query)).all())

    @property
    def asked(self) -> int:
        """The number of media calls to the carrier."""
        return self.carrier.carrier.requests["media"]


@pytest.fixture
def mms(
    client: httpx2.AsyncClient,
    settings: Settings,
    carrier: FakeProviders,
    operations: Operations,
    store: TwilioMediaClient,
) -> Mms:
    fetcher = MediaFetcher(operations, store)
    return Mms(TwilioClient(client, settings), carrier, operations.database, fetcher)


async def test_photo_without_text_gets_an_owner_and_a_promise(
    mms: Mms, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """The attachment is pending in the same transaction, once for a repeated webhook."""
    await mms.send(photo(), told=2)
    [expected] = await mms.files()
    assert expected.state == AttachmentState.PENDING
    messages = await organisation.messages()
    [text] = [message for message in messages if message.direction == Direction.IN]
    assert (text.request_id, expected.message_id) == (card_request.id, text.id)
    [promise] = (await organisation.reload(card_request)).promises
    assert promise.kind == PromiseKind.ANSWER
    [*_, answer] = await organisation.outbound_messages(card_request)
    assert answer.kind == MessageKind.ACKNOWLEDGEMENT


async def test_media_is_fetched_with_auth_and_metadata_is_stripped(
    mms: Mms, organisation: Organisation, card_request: ServiceRequest, settings: Settings
) -> None:
    """Upright, and with no word of where it was taken; the customer's page is a new one."""
    await mms.send(photo_with_gps(), body="Look at this crack")
    before = (await organisation.reload(card_request)).page_version
    await mms.media_fetcher.once()
    [kept] = await mms.files()
    assert (kept.state, kept.media_type, kept.name) == ("stored", "image/jpeg", "Photo.jpg")
    assert (kept.width, kept.height) == (40, 80)
    path = FileStore(settings.files_dir, 1).path(kept.digest)
    data = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(data) == kept.size
    with Image.open(path) as picture:
        assert not picture.getexif().get_ifd(GPS)
        assert not picture.getexif()
        assert "comment" not in picture.info
    assert b"Secretphone" not in data
    assert b"40.748" not in data
    assert (await organisation.reload(card_request)).page_version == before + 1
    await mms.media_fetcher.once()
    assert mms.asked == 1


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"<html><script>alert(1)</script>", "unsupported_type"),
        (b"", "empty"),
        (decompression_bomb(), "too_many_pixels"),
        (photo()[:200], "damaged"),
        (b"\xff\xd8\xff" + b"x" * 60_000, "too_large"),
        (b"\x00\x00\x00\x18ftypheic" + b"\x00" * 40, "heic"),
    ],
    ids=["a page", "nothing", "a bomb", "half a photo", "too large", "heic"],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_mismatched_file_type_is_rejected_permanently_with_reason(
    sent: bytes,
    code: str,
    mms: Mms,
    organisation: Organisation,
    card_request: ServiceRequest,
    settings: Settings,
) -> None:
    """All of them come as image/jpeg; nothing of them is kept, and the sender is told by text."""
    await mms.send(sent)
    await mms.media_fetcher.once()
    told = (await organisation.outbound_messages(card_request))[-1]
    assert told.channel == "sms"
    assert told.body.startswith("Acme Bank: Sorry, we could not open your photo.")
    [refused] = await mms.files()
    assert (refused.state, refused.next_at) == (AttachmentState.REFUSED, None)
    assert refused.refusal == FileRefusal(
        FileRefusalCode(code), max_megabytes=1 if code == "too_large" else 0
    )
    assert refused.reason == refused.refusal.text
    assert not settings.files_dir.exists()


@pytest.mark.parametrize(
    "fault",
    [
        {"do": "error", "code": 20404},
        {"do": "hang", "seconds": 5},
        {"do": "status_502_html"},
    ],
    ids=["not there", "slow", "broken"],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_failed_fetch_is_retried_five_times_with_backoff_then_reported(
    fault: dict[str, Any], clock: time_machine.Traveller, mms: Mms, card_request: ServiceRequest
) -> None:
    """Never sooner than it is due, and never a sixth time."""
    mms.carrier.fault(**fault, on="media")
    await mms.send(photo())
    for _ in range(5):
        [waiting] = await mms.files()
        assert waiting.state == AttachmentState.PENDING
        clock.move_to(waiting.next_at)
        await mms.media_fetcher.once()
        await mms.media_fetcher.once()
    clock.shift(timedelta(days=1))
    await mms.media_fetcher.once()
    [refused] = await mms.files()
    assert (refused.state, refused.attempts, mms.asked) == (AttachmentState.REFUSED, 5, 5)


async def test_retry_fetches_media_after_a_failure(
    clock: time_machine.Traveller, mms: Mms, card_request: ServiceRequest
) -> None:
    """A carrier that is away for a moment costs a minute."""
    mms.carrier.fault("status_500", on="media", times=1)
    await mms.send(photo(), PDF)
    await mms.media_fetcher.once()
    clock.shift(timedelta(minutes=1))
    await mms.media_fetcher.once()
    assert [file.state for file in await mms.files()] == ["stored", "stored"]


async def test_two_workers_fetch_media_once(
    operations: Operations, store: TwilioMediaClient, mms: Mms, card_request: ServiceRequest
) -> None:
    """Whoever claims the try first makes it."""
    await mms.send(photo())
    await asyncio.gather(MediaFetcher(operations, store).once(), mms.media_fetcher.once())
    [kept] = await mms.files()
    assert (kept.state, kept.attempts, mms.asked) == (AttachmentState.STORED, 1, 1)


async def test_photo_of_unknown_sender_is_stored(mms: Mms, organisation: Organisation) -> None:
    """It is on no request and on no page; the front desk has the text."""
    await mms.send(photo())
    await mms.media_fetcher.once()
    [kept] = await mms.files()
    assert kept.state == AttachmentState.STORED


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_only_the_carrier_host_is_fetched_and_only_with_its_credentials(
    settings: Settings, carrier: FakeProviders, store: TwilioMediaClient
) -> None:
    """Another address is never asked; a wrong token brings nothing."""
    for elsewhere in (
        "http://127.0.0.1:9/x",
        "file:///etc/passwd",
        "//evil.example/x",
        "",
        "http://[",
    ):
        with pytest.raises(MediaRefused):
            await store.fetch(elsewhere, 1_000)
    assert carrier.carrier.requests["media"] == 0
    stranger = TwilioMediaClient(
        settings.twilio_account_sid or "", "a wrong token", api_url=settings.twilio_api_url
    )
    with pytest.raises(MediaUnavailable):
        await stranger.fetch(carrier.hold(photo()), 50_000)
    await stranger.close()
