"""The data folder: private to its user whatever the umask, and used by one Kept at a time."""

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing

import pytest
from alembic.script import ScriptDirectory

from portal.attachments.file_store import FileStore
from portal.errors import Conflict
from portal.runtime.data_folder import locked_data_folder, make_data_private
from portal.runtime.database_start import prepare_database
from portal.runtime.migrations import configuration
from portal.runtime.revisions import known_revisions
from portal.settings import Settings
from tests.support.sample_images import photo

HOLDER = """
import sys
from pathlib import Path
from portal.runtime.data_folder import locked_data_folder
with locked_data_folder(Path(sys.argv[1])):
    print("held", flush=True)
    input()
"""


@pytest.fixture
def usual_umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Those of one machine; the data folder is not there yet."""
    for name in Settings.model_fields:
        monkeypatch.delenv(Settings.environment_name(name), raising=False)
    return Settings(_env_file=None, KEPT_DATA_DIR=tmp_path / "data")


def open_to_others(folder):
    return [
        str(path)
        for path in (folder, *folder.rglob("*"))
        if stat.S_IMODE(path.stat().st_mode) & 0o077
    ]


async def fill(settings):
    """A database with an open WAL, a key and an attachment, as a running Kept has."""
    _ = settings.secret_keys
    await FileStore(settings.files_dir, 10**6).take(photo(), "photo.jpeg")


async def test_new_data_is_private_with_umask_022(usual_umask, settings):
    await asyncio.to_thread(prepare_database, settings)
    await fill(settings)
    with closing(sqlite3.connect(settings.data_dir / "kept.db")) as connection:
        connection.execute("CREATE TABLE words (word TEXT)")
        connection.commit()
        names = {path.name for path in settings.data_dir.iterdir()}
        assert {"kept.db", "kept.db-wal", "kept.db-shm", "secret_key", "files"} <= names
        assert open_to_others(settings.data_dir) == []


async def test_looser_data_is_tightened_at_start(usual_umask, settings):
    await asyncio.to_thread(prepare_database, settings)
    await fill(settings)
    for path in (settings.data_dir, *settings.data_dir.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    make_data_private(settings)
    assert open_to_others(settings.data_dir) == []


def test_shared_folder_of_attachments_keeps_its_mode(settings, tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o750)
    shared.chmod(0o750)
    make_data_private(settings.model_copy(update={"files_dir": shared}))
    assert stat.S_IMODE(shared.stat().st_mode) == 0o750


def test_locked_folder_is_refused_until_its_holder_ends(tmp_path):
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            HOLDER,
            str(tmp_path / "data"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(Conflict, match="Another Kept is running on"),
            locked_data_folder(tmp_path / "data"),
        ):
            pass
        holder.kill()
        holder.wait()
        with locked_data_folder(tmp_path / "data"):
            pass
    finally:
        holder.kill()
        holder.communicate()


def test_revisions_are_those_of_alembic():
    script = ScriptDirectory.from_config(configuration("sqlite://"))
    assert known_revisions() == {revision.revision for revision in script.walk_revisions()}
