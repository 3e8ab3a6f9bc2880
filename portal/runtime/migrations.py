"""Migrations by Alembic."""

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from portal.database import Database
from portal.paths import MIGRATIONS


def configuration(url: str) -> Config:
    """Alembic's configuration for the database at ``url``."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = url
    return config


def migrate(url: str) -> None:
    """Run every outstanding migration of this database. Blocking: call it from a thread.

    Several processes may call it at once: one migrates, the others wait.
    """
    command.upgrade(configuration(url), "head")


async def is_current(database: Database) -> bool:
    """Whether the database is at the newest revision."""
    newest = ScriptDirectory.from_config(configuration(database.url)).get_current_head()

    def revision(connection: sa.Connection) -> str | None:
        return MigrationContext.configure(connection).get_current_revision()

    async with database.connection() as connection:
        return await connection.run_sync(revision) == newest
