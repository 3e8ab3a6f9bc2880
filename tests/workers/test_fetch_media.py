"""Photos that come by text: fetched with our sign-in, checked by what they are, and kept once."""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
import time_machine
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as some
from PIL import Image
from sqlmodel import col, select

from portal.attachments.file_store import Shelf
from portal.attachments.stored_file import FileRefused
from portal.attachments.validation import check
from portal.database import Database
from portal.demo.fake_providers import Simulator
from portal.messaging.sms.twilio_media import MediaAway, MediaRefused, MediaStore
from portal.models import (
    Attachment,
    AttachmentState,
    Direction,
    MessageKind,
    PromiseKind,
    ServiceRequest,
)
from portal.operations import Relay
from portal.settings import Settings
from tests.support.factories import House
from tests.support.sample_images import GPS, PDF, bomb, photo, photo_from_home
from tests.support.twilio_client import Twilio
from workers.fetch_media import Fetcher

pytestmark = pytest.mark.either_database


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """The carrier, with photos to hand over."""
    with Simulator(auth_token="the token of the tests") as simulator:
        yield simulator


@pytest.fixture
def carrier(simulator: Simulator) -> Simulator:
    """The same, with nothing left of the last test."""
    simulator.faults.clear()
    simulator.carrier.forget()
    return simulator


@pytest.fixture
def settings(settings: Settings, carrier: Simulator, tmp_path: Path) -> Settings:
    """Acme Bank's, with that carrier; no file may be larger than 50 kB."""
    return settings.model_copy(
        update={
            "twilio_api_url": carrier.api_url,
            "twilio_account_sid": carrier.config.account_sid,
            "files_dir": tmp_path / "files",
            "largest_file": 50_000,
        }
    )


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[MediaStore]:
    """Our way to the carrier's photos; it waits a fifth of a second for each."""
    store = MediaStore(
        settings.twilio_account_sid or "",
        settings.twilio_auth_tokens[0].get_secret_value(),
        api_url=settings.twilio_api_url,
        timeout=0.2,
    )
    yield store
    await store.close()


@dataclass
class Mms:
    """A customer's phone, the carrier between us, and the worker's duty."""

    twilio: Twilio
    carrier: Simulator
    database: Database
    fetcher: Fetcher

    async def send(self, *photos: bytes, body: str = "", told: int = 1) -> None:
        """Send these with these words, which we are ``told`` so often; each is "image/jpeg"."""
        media = {f"MediaUrl{n}": self.carrier.hold(one) for n, one in enumerate(photos)}
        kinds = {f"MediaContentType{n}": "image/jpeg" for n in range(len(photos))}
        form = {"NumMedia": str(len(photos)), **media, **kinds}
        for _ in range(told):
            assert await self.twilio.text(body, sid="MM1", **form) == 200

    async def files(self) -> list[Attachment]:
        """What we know of them."""
        async with self.database.reading() as session:
            query = select(Attachment).order_by(col(Attachment.id))
            return list((await session.exec(query)).all())

    @property
    def asked(self) -> int:
        """How often the carrier was asked for one."""
        return self.carrier.carrier.requests["media"]


@pytest.fixture
def mms(
    client: httpx2.AsyncClient,
    settings: Settings,
    carrier: Simulator,
    relay: Relay,
    store: MediaStore,
) -> Mms:
    """All of it together."""
    return Mms(Twilio(client, settings), carrier, relay.database, Fetcher(relay, store))


async def test_a_text_of_only_a_photo_gets_an_owner_and_a_promise_like_words(
    mms: Mms, house: House, martins: ServiceRequest
) -> None:
    """The photo is expected in the same transaction, once, however often the text is told."""
    await mms.send(photo(), told=2)
    [expected] = await mms.files()
    assert expected.state == AttachmentState.PENDING
    [heard] = [one for one in await house.messages() if one.direction == Direction.IN]
    assert (heard.request_id, expected.message_id) == (martins.id, heard.id)
    [promise] = (await house.see(martins)).promises
    assert promise.kind == PromiseKind.ANSWER
    assert (await house.told(martins))[-1].kind == MessageKind.ACKNOWLEDGEMENT


async def test_it_is_fetched_with_our_sign_in_bared_and_put_on_the_shelf(
    mms: Mms, house: House, martins: ServiceRequest, settings: Settings
) -> None:
    """Upright, and with no word of where it was taken; the customer's page is a new one."""
    await mms.send(photo_from_home(), body="Look at this crack")
    before = (await house.see(martins)).page_version
    await mms.fetcher.once()
    [kept] = await mms.files()
    assert (kept.state, kept.media_type, kept.name) == ("stored", "image/jpeg", "Photo.jpg")
    assert (kept.width, kept.height) == (40, 80)
    path = Shelf(settings.files_dir, 1).path(kept.digest)
    data = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(data) == kept.size
    with Image.open(path) as picture:
        assert not picture.getexif().get_ifd(GPS)
        assert not picture.getexif()
        assert "comment" not in picture.info
    assert b"Secretphone" not in data
    assert b"40.748" not in data
    assert (await house.see(martins)).page_version == before + 1
    await mms.fetcher.once()
    assert mms.asked == 1


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"<html><script>alert(1)</script>", "only photos (JPEG, PNG, GIF, WebP) and PDF files"),
        (b"", "there is nothing in it"),
        (bomb(), "too many pixels"),
        (photo()[:200], "damaged"),
        (b"\xff\xd8\xff" + b"x" * 60_000, "larger than"),
        (b"\x00\x00\x00\x18ftypheic" + b"\x00" * 40, "HEIC"),
    ],
    ids=["a page", "nothing", "a bomb", "half a photo", "too large", "heic"],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_is_not_what_it_says_is_refused_for_good_with_the_reason(
    sent: bytes, reason: str, mms: Mms, martins: ServiceRequest, settings: Settings
) -> None:
    """All of them come as image/jpeg; nothing of them is kept, and they are asked for once."""
    await mms.send(sent)
    await mms.fetcher.once()
    [refused] = await mms.files()
    assert (refused.state, refused.next_at) == (AttachmentState.REFUSED, None)
    assert reason in refused.reason
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
async def test_what_does_not_come_is_tried_five_times_ever_later_and_then_said(
    fault: dict[str, Any], clock: time_machine.Traveller, mms: Mms, martins: ServiceRequest
) -> None:
    """Never sooner than it is due, and never a sixth time."""
    mms.carrier.fault(**fault, on="media")
    await mms.send(photo())
    for _ in range(5):
        [waiting] = await mms.files()
        assert waiting.state == AttachmentState.PENDING
        clock.move_to(waiting.next_at)
        await mms.fetcher.once()
        await mms.fetcher.once()
    clock.shift(timedelta(days=1))
    await mms.fetcher.once()
    [refused] = await mms.files()
    assert (refused.state, refused.tries, mms.asked) == (AttachmentState.REFUSED, 5, 5)


@given(
    look=some.sampled_from(["JPEG", "PNG", "GIF", "WEBP"]),
    place=some.integers(0, 10_000),
    noise=some.binary(min_size=1, max_size=40),
)
@effort(max_examples=150, deadline=None)
def test_whatever_a_file_holds_it_is_taken_or_refused(look: str, place: int, noise: bytes) -> None:
    """A broken picture never breaks us; what is taken is a whole picture."""
    data = bytearray(photo(look=look))
    place %= len(data)
    data[place : place + len(noise)] = noise
    try:
        taken = check(bytes(data), "x")
    except FileRefused:
        return
    with Image.open(io.BytesIO(taken.data)) as picture:
        assert picture.size == (taken.width, taken.height)
        picture.load()


async def test_a_later_try_brings_it(
    clock: time_machine.Traveller, mms: Mms, martins: ServiceRequest
) -> None:
    """A carrier that is away for a moment costs a minute."""
    mms.carrier.fault("status_500", on="media", times=1)
    await mms.send(photo(), PDF)
    await mms.fetcher.once()
    clock.shift(timedelta(minutes=1))
    await mms.fetcher.once()
    assert [one.state for one in await mms.files()] == ["stored", "stored"]


async def test_two_workers_fetch_it_once(
    relay: Relay, store: MediaStore, mms: Mms, martins: ServiceRequest
) -> None:
    """Whoever claims the try first makes it."""
    await mms.send(photo())
    await asyncio.gather(Fetcher(relay, store).once(), mms.fetcher.once())
    [kept] = await mms.files()
    assert (kept.state, kept.tries, mms.asked) == (AttachmentState.STORED, 1, 1)


async def test_a_strangers_photo_is_kept_too(mms: Mms, house: House) -> None:
    """It is on no request and on no page; the front desk has the text."""
    await mms.send(photo())
    await mms.fetcher.once()
    [kept] = await mms.files()
    assert kept.state == AttachmentState.STORED


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_only_our_carrier_is_called_and_only_with_the_right_sign_in(
    settings: Settings, carrier: Simulator, store: MediaStore
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
    stranger = MediaStore(
        settings.twilio_account_sid or "", "a wrong token", api_url=settings.twilio_api_url
    )
    with pytest.raises(MediaAway):
        await stranger.fetch(carrier.hold(photo()), 50_000)
    await stranger.close()
