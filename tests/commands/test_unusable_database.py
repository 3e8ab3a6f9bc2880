"""A database that is newer, not migrated, damaged or in use: one true sentence and exit code 1."""

import shutil
import sqlite3
from contextlib import closing

import pytest

from portal.runtime.data_folder import locked_data_folder

STARTS = [["serve", "--port", "0"], ["web", "--port", "0"], ["worker"]]
NEWER = "The database is newer than this version of Kept (revision 9999): install the newer version"


@pytest.fixture
def data(tmp_path, migrated_file):
    """A data folder with a database without rows."""
    (tmp_path / "data").mkdir()
    shutil.copyfile(migrated_file, tmp_path / "data" / "kept.db")
    return tmp_path / "data"


def refused(done):
    """The one line on stderr of a command that failed."""
    assert done.returncode == 1, done
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("kept: ")
    return done.stderr


@pytest.mark.parametrize("command", [*STARTS, ["staff", "list"], ["migrate"]])
def test_newer_sqlite_database_ends_every_command(kept, data, command):
    with closing(sqlite3.connect(data / "kept.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    assert NEWER in refused(kept(*command))


def test_doctor_names_the_remedy_of_a_newer_database(kept, data):
    with closing(sqlite3.connect(data / "kept.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    done = kept("doctor")
    assert done.returncode == 1
    assert NEWER in done.stdout
    assert "kept migrate" not in done.stdout


def test_damaged_sqlite_database_is_found(kept, data):
    (data / "kept.db").write_bytes(b"no database at all" * 1_000)
    assert "cannot be read (file is not a database)" in refused(kept("serve", "--port", "0"))
    assert "it is damaged (file is not a database)" in kept("doctor").stdout


def test_worker_that_cannot_start_is_given_up(kept, tmp_path):
    """A database that no migration fits: each start says so, and the third is the last."""
    (tmp_path / "data").mkdir()
    with closing(sqlite3.connect(tmp_path / "data" / "kept.db")) as connection:
        connection.execute("CREATE TABLE customer (id integer)")
    done = kept("worker")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "The database refuses: table customer already exists." in done.stderr
    assert done.stderr.count("does not start: it ended with code 1, 3 times in a row") == 1


def test_second_serve_on_a_folder_is_refused_with_a_redis_of_its_own(kept, data):
    with locked_data_folder(data):
        done = kept("serve", "--port", "0", REDIS_URL="redis://127.0.0.1:1")
    assert f"Another Kept is running on {data}" in refused(done)


def test_backup_and_restore_commands(kept, data, tmp_path):
    done = kept("backup", "kept.tar")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("kept.tar: 0 requests and 0 files of attachments, ")
    assert "already a file" in refused(kept("backup", "kept.tar"))
    with locked_data_folder(data):
        done = kept("restore", "kept.tar")
    assert done.returncode == 1
    assert f"Another Kept is running on {data}" in done.stderr
    done = kept("restore", "kept.tar", "--data-dir", "elsewhere")
    assert done.returncode == 0, done.stderr
    assert "secret key is not in the backup" in done.stdout
    assert "queued may be sent again" in done.stdout
    assert (tmp_path / "elsewhere" / "kept.db").exists()


@pytest.mark.postgres
def test_postgres_that_is_not_migrated_or_newer_ends_web_and_worker(kept, postgres):
    postgres.create("fresh")
    told = {"DATABASE_URL": postgres.url("fresh"), "KEPT_SECRET_KEY": "x" * 32}
    try:
        for command in (["web", "--port", "0"], ["worker"], ["migrate", "--check"]):
            assert "run `kept migrate`" in refused(kept(*command, **told))
        postgres.execute(
            "CREATE TABLE alembic_version (version_num text); "
            "INSERT INTO alembic_version VALUES ('9999')",
            "fresh",
        )
        for command in (*STARTS, ["staff", "list"], ["migrate"]):
            assert NEWER in refused(kept(*command, **told))
    finally:
        postgres.drop("fresh")
    for command in (["web", "--port", "0"], ["worker"]):
        assert 'database "fresh" does not exist' in refused(kept(*command, **told))
