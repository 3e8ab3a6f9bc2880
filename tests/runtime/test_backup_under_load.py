"""A backup of a running Kept, while customers and other systems write."""

import asyncio
from itertools import count

import httpx2
import pytest
from sqlmodel import col, select

from portal.database import Database
from portal.demo.fake_providers import FakeProviders
from portal.models import Attachment, Message, ServiceRequest
from portal.runtime.backup import create_backup, restore_backup, sqlite_copy
from portal.runtime.backup.archive import open_archive
from portal.runtime.revisions import find_damage
from tests.runtime.test_backup import digests, elsewhere, ignore  # noqa: F401 (a fixture)
from tests.support.running_stack import TOKEN, RunningStack
from tests.support.sample_images import photo

pytestmark = [pytest.mark.worker]

WRITERS = 6
ACKNOWLEDGED_BEFORE = 12
"""Requests that are acknowledged before the backup begins; writing goes on until it is made."""
PAUSES = 3
"""How often the copy waits in its middle until another request is acknowledged."""


@pytest.fixture
def running(database_url, tmp_path):
    """Kept at work, with a web process."""
    with RunningStack(database_url, tmp_path / "data", FakeProviders(auth_token=TOKEN)) as running:
        yield running


@pytest.fixture
def settings(running):
    """Those of the running product."""
    return running.settings


async def test_backup_under_load_has_all_that_was_acknowledged(
    running,
    elsewhere,  # noqa: F811
    seed_rows,
    tmp_path,
    monkeypatch,
):
    acknowledged, numbers, news = {}, count(1), asyncio.Event()

    async def write(api, pages):
        while True:
            number = next(numbers)
            order = {
                "workflow": "card",
                "title": f"Order {number}",
                "customer": {"name": f"Customer {number}", "phone": f"+1415555{number + 1000:04}"},
            }
            opened = await api.post("/requests", json=order)
            assert opened.status_code == 201, opened.text
            body = f"Words of customer {number}"
            sent = await pages.post(
                httpx2.URL(opened.json()["status_url"]).path + "/messages",
                data={"body": body},
                files=[("file", ("photo.jpeg", photo(16 + number, 16), "image/jpeg"))],
            )
            assert sent.status_code == 303, sent.text
            acknowledged[opened.json()["reference"]] = (order["title"], body)
            news.set()

    async def another():
        """Wait until one more is acknowledged, or a writer has failed."""
        news.clear()
        waiting = asyncio.create_task(news.wait())
        await asyncio.wait([waiting, *writers], return_when=asyncio.FIRST_COMPLETED)
        assert waiting.done(), [writer for writer in writers if writer.done()]

    loop, pauses = asyncio.get_running_loop(), iter(range(PAUSES))

    def pause(_line):
        """In the middle of the copy, let others write."""
        if next(pauses, None) is not None:
            asyncio.run_coroutine_threadsafe(another(), loop).result()

    monkeypatch.setattr(sqlite_copy, "PAGES_A_STEP", 10)
    file = tmp_path / "kept.tar"
    async with (
        running.organisation(seed_rows) as organisation,
        running.api(organisation) as api,
        httpx2.AsyncClient(base_url=running.origin, timeout=120) as pages,
    ):
        api.timeout = pages.timeout
        assert (await pages.get("/healthz")).status_code == 200, "it has started"
        writers = [asyncio.create_task(write(api, pages)) for _ in range(WRITERS)]
        while len(acknowledged) < ACKNOWLEDGED_BEFORE:
            await another()
        before = dict(acknowledged)
        made = await asyncio.to_thread(
            create_backup, running.settings, file, with_keys=False, progress=pause
        )
        for writer in writers:
            writer.cancel()
        for ended in await asyncio.gather(*writers, return_exceptions=True):
            assert isinstance(ended, asyncio.CancelledError), ended
    assert len(acknowledged) >= len(before) + PAUSES, "others wrote during the copy"

    await asyncio.to_thread(restore_backup, elsewhere, file, replace=False, progress=ignore)
    with open_archive(file) as archive:
        archived = {
            name.removeprefix("files/"): member.sha256
            for name, member in archive.manifest.members.items()
            if name.startswith("files/")
        }
    assert digests(elsewhere.files_dir) == archived
    originals = digests(running.settings.files_dir)
    assert archived.items() <= originals.items()
    assert made.missing == 0
    assert len(before) <= made.manifest.files == len(archived)
    assert await missing(elsewhere, before) == {}


async def missing(settings, expected):
    """Of these requests those that are not here with their words and a photo of their own."""
    if settings.is_single_machine:
        assert find_damage(settings.data_dir / "kept.db", thoroughly=True) == ""
    database = Database(settings.database_url)
    try:
        async with database.reading() as session:
            query = (
                select(
                    ServiceRequest.reference, ServiceRequest.title, Message.body, Attachment.digest
                )
                .join(Message, col(Message.request_id) == col(ServiceRequest.id))
                .join(Attachment, col(Attachment.message_id) == col(Message.id))
            )
            found = {tuple(row) for row in await session.exec(query)}
    finally:
        await database.close()
    return {
        reference: words
        for reference, words in expected.items()
        if not any(
            row[:2] == (reference, words[0])
            and words[1] in row[2]
            and (settings.files_dir / row[3][:2] / row[3]).is_file()
            for row in found
        )
    }
