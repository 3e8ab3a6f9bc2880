"""Where data, files and the queue are.

docs/settings.md repeats every description; a test compares them.
"""

from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic_settings import BaseSettings

from portal.settings.types import (
    DatabaseUrl,
    Folder,
    RedisUrl,
)

MAX_UPLOAD_BYTES_LIMIT = 25_000_000
"""Bytes; an upload is checked in memory."""


def _default_database(data: dict[str, Any]) -> str:
    return f"sqlite+aiosqlite:///{data['data_dir'] / 'kept.db'}"


def _default_files_dir(data: dict[str, Any]) -> Path:
    folder: Path = data["data_dir"]
    return folder / "files"


class StorageSettings(BaseSettings):
    """Database, Redis and files."""

    data_dir: Folder = Field(
        Path("data"),
        validation_alias="KEPT_DATA_DIR",
        description="The data folder of one machine: the SQLite database, the secret key and the "
        "socket of the embedded Redis.",
    )
    database_url: DatabaseUrl = Field(
        default_factory=_default_database,
        validation_alias="DATABASE_URL",
        repr=False,
        description="The database: PostgreSQL, or a SQLite file (for one machine).",
    )
    database_pool_size: int = Field(
        20,
        ge=5,
        le=200,
        validation_alias="KEPT_DATABASE_POOL_SIZE",
        description="The most connections that one process opens to the database, 5 to 200; half "
        "of them stay open.",
    )
    files_dir: Folder = Field(
        default_factory=_default_files_dir,
        validation_alias="KEPT_FILES_DIR",
        description="The folder for attachments; with many machines, one that all of them share.",
    )
    redis_url: RedisUrl | None = Field(
        None,
        validation_alias="REDIS_URL",
        repr=False,
        description="The Redis or Valkey that wakes workers and live pages; it stores nothing "
        "that matters.",
    )
    max_upload_bytes: int = Field(
        10_000_000,
        gt=0,
        le=MAX_UPLOAD_BYTES_LIMIT,
        validation_alias="KEPT_MAX_UPLOAD_BYTES",
        description="The largest attachment that a customer may send, in bytes; at most 25000000.",
    )
