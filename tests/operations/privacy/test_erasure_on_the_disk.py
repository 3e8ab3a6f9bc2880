"""What an erasure leaves on the disk when a part of it fails."""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlmodel import select

from portal.attachments.file_store import FileStore
from portal.database import Database
from portal.errors import PortalError
from portal.models import SYSTEM_ACTOR, Attachment, ServiceRequest
from portal.operations import CustomerDetails, Operations
from portal.operations.privacy.erase import erase_person
from portal.operations.privacy.erasure_list import ErasureList
from portal.settings import Settings
from tests.support.factories import MARTIN, Organisation
from tests.support.sample_images import photo

PHONE = MARTIN.phone or ""


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """With a folder for files."""
    return settings.model_copy(update={"files_dir": tmp_path / "data" / "files"})


@pytest.fixture
async def stored(
    card_request: ServiceRequest, client: httpx2.AsyncClient, settings: Settings
) -> list[Path]:
    """The files of a photo that the customer has sent."""
    assert (await send_photo(client, card_request)).status_code == 303
    return [path for path in settings.files_dir.rglob("*") if path.is_file()]


async def send_photo(client: httpx2.AsyncClient, request: ServiceRequest) -> httpx2.Response:
    files = [("file", ("a.jpg", photo(20, 20), "image/jpeg"))]
    return await client.post(f"/r/{request.links[0].token}/messages", files=files)


def failing(error: Exception) -> Callable[..., Any]:
    async def fail(*_: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize("failing_part", [(FileStore, "remove"), (Database, "truncate_log")])
async def test_erasure_is_listed_whatever_fails_after_it(
    stored: list[Path],
    card_request: ServiceRequest,
    organisation: Organisation,
    operations: Operations,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    failing_part: tuple[type, str],
) -> None:
    monkeypatch.setattr(*failing_part, failing(PermissionError(errno.EACCES, "Permission denied")))
    erasure = await erase_person(operations, SYSTEM_ACTOR, PHONE, cancel_open=True)
    assert erasure.files_left == (1 if FileStore in failing_part else 0)
    assert (await organisation.reload(card_request)).erased_at
    assert len(ErasureList.of(settings).path.read_text().splitlines()) == 1


async def test_nothing_is_erased_where_the_list_cannot_be_written(
    stored: list[Path],
    card_request: ServiceRequest,
    organisation: Organisation,
    operations: Operations,
    settings: Settings,
) -> None:
    listed = ErasureList.of(settings).path
    listed.mkdir(parents=True)
    with pytest.raises(PortalError, match="nothing was erased"):
        await erase_person(operations, SYSTEM_ACTOR, PHONE, cancel_open=True)
    request = await organisation.reload(card_request)
    assert (request.erased_at, request.closed_at) == (None, None)
    assert all(path.exists() for path in stored)
    listed.rmdir()
    await erase_person(operations, SYSTEM_ACTOR, PHONE, cancel_open=True)
    assert listed.stat().st_mode & 0o777 == 0o600


async def test_file_that_is_removed_while_another_sends_it_is_asked_for_again(
    card_request: ServiceRequest, organisation: Organisation, client: httpx2.AsyncClient,
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Both send the same bytes. His are erased after hers are stored, and before her row is."""
    await send_photo(client, card_request)
    hers = await organisation.open(
        customer=CustomerDetails("Olga", "+14155550199"), by=organisation.people.mona.actor
    )
    put = FileStore.put

    async def put_and_erase_him(store: FileStore, checked: Any) -> Any:
        stored = await put(store, checked)
        await erase_person(organisation.operations, SYSTEM_ACTOR, PHONE, cancel_open=True)
        return stored

    with monkeypatch.context() as patch:
        patch.setattr(FileStore, "put", put_and_erase_him)
        refused = await send_photo(client, hers)
    assert refused.status_code == 503
    async with database.reading() as session:
        assert (await session.exec(select(Attachment))).all() == []
    assert (await send_photo(client, hers)).status_code == 303
    async with database.reading() as session:
        [attachment] = await session.exec(select(Attachment))
    assert FileStore(settings.files_dir, 1).path(attachment.digest).is_file()
