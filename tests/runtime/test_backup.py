"""A backup holds what was there, and a restore takes only what is whole and fits."""

import asyncio
import hashlib
import io
import json
import sqlite3
import stat
import tarfile
from contextlib import closing

import pytest
import sqlalchemy as sa
from sqlmodel import SQLModel

from portal.database import Database
from portal.errors import PortalError
from portal.jobs import JobQueue
from portal.live import LiveUpdates
from portal.operations import Operations
from portal.runtime.backup import create_backup, restore_backup
from portal.runtime.data_folder import locked_data_folder
from portal.runtime.migrations import is_current
from tests.support.factories import Organisation
from tests.support.sample_images import photo

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def ignore(_line):
    """Progress that nobody reads."""


async def back_up(settings, file, *, with_keys=False):
    return await asyncio.to_thread(
        create_backup, settings, file, with_keys=with_keys, progress=ignore
    )


async def restore(settings, file, *, replace=False):
    return await asyncio.to_thread(restore_backup, settings, file, replace=replace, progress=ignore)


async def rows(url):
    """All rows of all tables."""
    database = Database(url)
    try:
        async with database.connection() as connection:
            return {
                table.name: sorted(map(str, await connection.execute(sa.select(table))))
                for table in SQLModel.metadata.sorted_tables
            }
    finally:
        await database.close()


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def elsewhere(request, settings, tmp_path):
    """Settings of another data folder, with a database without tables."""
    data_dir = tmp_path / "elsewhere"
    moved = {"data_dir": data_dir, "files_dir": data_dir / "files"}
    if settings.is_single_machine:
        url = f"sqlite+aiosqlite:///{data_dir / 'kept.db'}"
        yield settings.model_copy(update={**moved, "database_url": url})
        return
    server = request.getfixturevalue("postgres")
    server.create("elsewhere")
    yield settings.model_copy(update={**moved, "database_url": server.url("elsewhere")})
    server.drop("elsewhere")


@pytest.fixture
async def file(settings, client, card_request, tmp_path):
    """A backup of one request, whose customer has sent a photo."""
    await client.post(
        f"/r/{card_request.links[0].token}/messages",
        data={"body": "Here it is."},
        files=[("file", ("card.jpeg", photo(), "image/jpeg"))],
    )
    await back_up(settings, tmp_path / "kept.tar")
    return tmp_path / "kept.tar"


def rewrite(file, change):
    """The archive with its members, by name, as ``change`` leaves them; the manifest's digest fits."""
    with tarfile.open(file) as tar:
        members = {info.name: tar.extractfile(info).read() for info in tar}
    change(members)
    members["manifest.sha256"] = hashlib.sha256(members["manifest.json"]).hexdigest().encode()
    with tarfile.open(file, "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def set_in_manifest(**values):
    def change(members):
        manifest = json.loads(members["manifest.json"]) | values
        members["manifest.json"] = json.dumps(manifest).encode()

    return change


async def test_restored_database_and_files_equal_the_originals(
    settings, elsewhere, organisation, card_request, file
):
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.glob("*kept.tar*")] == ["kept.tar"]
    done = await restore(elsewhere, file)
    assert done.aside == ""
    assert done.manifest.files > 0
    assert await rows(elsewhere.database_url) == await rows(settings.database_url)
    assert digests(elsewhere.files_dir) == digests(settings.files_dir)
    database = Database(elsewhere.database_url)
    try:
        assert await is_current(database)
        operations = Operations(elsewhere, database, JobQueue(None), LiveUpdates(None))
        copied = Organisation(operations, database, organisation.people)
        opened = await copied.open(by=organisation.people.tess.actor)
        assert opened.id == card_request.id + 1, "keys count on"
    finally:
        await database.close()


async def test_target_with_rows_is_refused_and_replaced_on_demand(settings, elsewhere, file):
    await restore(elsewhere, file)
    with pytest.raises(PortalError, match="The database is not empty"):
        await restore(elsewhere, file)
    done = await restore(elsewhere, file, replace=True)
    assert "before" in done.aside
    assert await rows(elsewhere.database_url) == await rows(settings.database_url)


async def test_database_in_use_is_not_replaced(settings, card_request, file):
    """The application of this test still has it open."""
    before = await rows(settings.database_url)
    with pytest.raises(PortalError, match="stop every `kept web`"):
        await restore(settings, file, replace=True)
    assert await rows(settings.database_url) == before


@on_sqlite
async def test_data_folder_in_use_is_refused(elsewhere, file):
    with (
        locked_data_folder(elsewhere.data_dir),
        pytest.raises(PortalError, match="Another Kept is running on"),
    ):
        await restore(elsewhere, file)
    assert not (elsewhere.data_dir / "kept.db").exists()


@on_sqlite
@pytest.mark.parametrize("part", [0.05, 0.5, 0.9, 1.0])
async def test_truncated_archive_is_refused(elsewhere, file, part):
    """Of the end of a tar, which is zeros, anything may be missing; not of what is before it."""
    data = file.read_bytes().rstrip(b"\0")[:-1]
    file.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(PortalError, match="damaged or incomplete"):
        await restore(elsewhere, file)
    assert not elsewhere.data_dir.exists()


@on_sqlite
@pytest.mark.parametrize("part", [0.0, 0.001, 0.3, 0.6, 0.95])
async def test_archive_with_a_changed_byte_is_refused(elsewhere, file, part):
    data = bytearray(file.read_bytes())
    end = data.rindex(b"manifest.sha256")  # zeros follow the last member
    data[int(end * part)] ^= 0x20
    file.write_bytes(data)
    with pytest.raises(PortalError, match=r"damaged or incomplete"):
        await restore(elsewhere, file)
    assert not elsewhere.data_dir.exists()


@on_sqlite
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (set_in_manifest(revision="9999"), "restore it with the newer version"),
        (set_in_manifest(format=2), "restore it with the newer version"),
        (set_in_manifest(engine="postgresql"), "of a PostgreSQL database"),
        (lambda members: members.update({"../kept.db": b"x"}), "damaged or incomplete"),
        (lambda members: members.pop("database/kept.db"), "damaged or incomplete"),
        (lambda members: members.update({"database/kept.db": b"x"}), "damaged or incomplete"),
    ],
)
async def test_archive_that_does_not_fit_is_refused(elsewhere, file, change, sentence):
    rewrite(file, change)
    with pytest.raises(PortalError, match=sentence):
        await restore(elsewhere, file)
    assert not elsewhere.data_dir.exists()


@on_sqlite
@pytest.mark.parametrize("name", ["../stolen", "/tmp/stolen", "files/../../stolen"])
async def test_member_with_a_path_of_its_own_is_refused(elsewhere, file, name):
    """The manifest names it too, with the right digest."""

    def smuggle(members):
        members[name] = b"x"
        manifest = json.loads(members["manifest.json"])
        manifest["members"][name] = {"size": 1, "sha256": hashlib.sha256(b"x").hexdigest()}
        members["manifest.json"] = json.dumps(manifest).encode()

    rewrite(file, smuggle)
    with pytest.raises(PortalError, match="it has a member"):
        await restore(elsewhere, file)
    assert not elsewhere.data_dir.exists()


@on_sqlite
async def test_secret_key_is_added_only_on_demand(elsewhere, organisation, settings, tmp_path):
    settings = settings.model_copy(update={"configured_secret_keys": ()})
    settings.data_dir.mkdir(exist_ok=True)
    (settings.data_dir / "secret_key").write_text("the key")
    assert not (await back_up(settings, tmp_path / "plain.tar")).has_key
    assert b"the key" not in (tmp_path / "plain.tar").read_bytes()
    assert (await back_up(settings, tmp_path / "whole.tar", with_keys=True)).has_key
    elsewhere.data_dir.mkdir()
    (elsewhere.data_dir / "secret_key").write_text("another")
    assert (await restore(elsewhere, tmp_path / "whole.tar")).has_key
    assert (elsewhere.data_dir / "secret_key").read_text() == "the key"
    [old] = elsewhere.data_dir.glob("before-restore-*/secret_key")
    assert old.read_text() == "another"


@on_sqlite
async def test_damaged_database_makes_no_backup(settings, organisation, database, tmp_path):
    await database.close()
    path = tmp_path / "kept.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'staff_member'"
        ).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)
    with pytest.raises(PortalError, match="damaged"):
        await back_up(settings, tmp_path / "kept.tar")
    assert not list(tmp_path.glob("*.tar*"))


@on_sqlite
async def test_existing_file_is_not_overwritten(settings, organisation, tmp_path):
    (tmp_path / "kept.tar").write_text("mine")
    with pytest.raises(PortalError, match="already a file"):
        await back_up(settings, tmp_path / "kept.tar")
    assert (tmp_path / "kept.tar").read_text() == "mine"


@on_sqlite
async def test_missing_attachment_is_counted(settings, file, tmp_path):
    for path in settings.files_dir.rglob("*"):
        if path.is_file():
            path.unlink()
    made = await back_up(settings, tmp_path / "second.tar")
    assert made.missing == 1


@on_sqlite
async def test_file_that_is_erased_meanwhile_is_left_out(settings, file, tmp_path):
    """The photo and its small picture are stored; the second goes after the first is read."""
    stored = [path for path in settings.files_dir.rglob("*") if path.is_file()]
    assert len(stored) == 2

    def erase(line):
        if line.startswith("attachments: 1"):
            max(stored).unlink()

    made = await asyncio.to_thread(
        create_backup, settings, tmp_path / "second.tar", with_keys=False, progress=erase
    )
    assert made.manifest.files == 1
    with tarfile.open(tmp_path / "second.tar") as tar:
        names = [name for name in tar.getnames() if name.startswith("files/")]
    assert len(names) == 1
