"""Migrations by Alembic."""

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from portal.database import Database
from portal.paths import MIGRATIONS

MIGRATION_LOCK = 0x4B455054
"""The key of PostgreSQL's advisory lock; any number, the same in every process: "KEPT"."""


def configuration(url: str) -> Config:
    """Alembic's configuration for the database at ``url``."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = url
    return config


def migrate(url: str, revision: str = "head") -> None:
    """Run every outstanding migration up to this revision. Blocking: call it from a thread.

    Several processes may call it at once: one migrates, the others wait.
    """
    command.upgrade(configuration(url), revision)


async def is_current(database: Database) -> bool:
    """Whether the database is at the newest revision."""
    newest = ScriptDirectory.from_config(configuration(database.url)).get_current_head()
    return await read_revision(database) == newest


async def read_revision(database: Database) -> str | None:
    """The revision of the database; None if it has no schema."""

    def revision(connection: sa.Connection) -> str | None:
        return MigrationContext.configure(connection).get_current_revision()

    async with database.connection() as connection:
        return await connection.run_sync(revision)
