"""Bringing the database to the newest revision, by Alembic."""

from alembic import command
from alembic.config import Config

from portal.places import MIGRATIONS


def configuration(url: str) -> Config:
    """Alembic's settings for the database at ``url``."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = url
    return config


def migrate(url: str) -> None:
    """Run every migration that this database has not had yet. Blocking: call it from a thread."""
    command.upgrade(configuration(url), "head")
