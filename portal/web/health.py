"""For operations: liveness, readiness and metrics."""

import asyncio
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
import structlog
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from portal import business_time
from portal.database import Database
from portal.database_errors import DatabaseReason, describe, find_reason
from portal.live import LiveUpdates
from portal.models import Heartbeat, Message
from portal.settings import Settings

log = structlog.get_logger()

HEARTBEAT_TIMEOUT = timedelta(seconds=30)
WRITE_FAILURE_SECONDS = 30.0
"""Seconds for which a failed write keeps this process from being ready."""
MIN_FREE_BYTES = 1_000_000
"""Bytes; a disk with less counts as full: SQLite needs room for a transaction."""
MAX_WAIT = timedelta(minutes=5)
"""A due message that waits longer is reported; a worker sends within seconds."""
OK = "ok"

STATES = {
    DatabaseReason.UNREACHABLE: "cannot be reached",
    DatabaseReason.NO_FREE_CONNECTION: "has no free connection",
    DatabaseReason.REFUSED: "refuses the connection",
    DatabaseReason.NOT_MIGRATED: "is not migrated: run `kept migrate`",
    DatabaseReason.CANNOT_WRITE: "cannot write",
    DatabaseReason.OTHER: "refuses",
}


@dataclass(frozen=True)
class StoredState:
    """What the database says: whether it takes writes, and what the workers have left in it."""

    is_read_only: bool
    last_beat: datetime | None
    oldest_due: datetime | None


async def alive(request: Request) -> Response:
    """`GET` for liveness: the process runs."""
    del request
    return JSONResponse({"status": OK})


async def ready(request: Request) -> Response:
    """`GET` for readiness: 200 where this web process can serve, else 503.

    It can serve with a database that it can read and write. Queue, worker, waiting messages and
    the folder for files are information: without them pages and API still work, and ``status``
    says "degraded".
    """
    settings: Settings = request.app.state.settings
    database: Database = request.app.state.database
    parts: dict[str, str] = {"worker": "unknown", "texts": "unknown"}
    oldest_due_seconds: int | None = None
    try:
        stored = await _read_stored_state(database)
    except (SQLAlchemyError, OSError) as error:
        parts["database"], reason = STATES[find_reason(error)], describe(error)
    else:
        now = business_time.now()
        parts["database"] = await asyncio.to_thread(_writing_state, settings, database, stored)
        reason = database.recent_write_failure(WRITE_FAILURE_SECONDS)
        parts["worker"] = _worker_state(stored.last_beat, now)
        if stored.oldest_due is not None:
            oldest_due_seconds = int((now - stored.oldest_due).total_seconds())
        parts["texts"] = _texts_state(oldest_due_seconds)
    parts["files"] = await asyncio.to_thread(
        _files_state, settings.files_dir, settings.max_message_bytes
    )
    parts["queue"] = await _queue(settings, request.app.state.live)
    _log_change(request, parts["database"], reason)
    is_ready = parts["database"] == OK
    status = "failing" if not is_ready else OK if set(parts.values()) == {OK} else "degraded"
    return JSONResponse(
        {"status": status, **parts, "oldest_due_seconds": oldest_due_seconds},
        200 if is_ready else 503,
        {"Cache-Control": "no-store"},
    )


async def metrics(request: Request) -> Response:
    """The metrics for Prometheus; served only where a setting allows it."""
    if not request.app.state.settings.metrics:
        raise HTTPException(404)
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)


async def _read_stored_state(database: Database) -> StoredState:
    # Written as in the partial index, so that the database uses it.
    is_due = sa.text("message.status = 'queued'")
    oldest = sa.select(sa.func.min(col(Message.due_at))).where(
        is_due, col(Message.due_at) <= business_time.now()
    )
    beat = sa.select(sa.func.max(col(Heartbeat.beat_at)))
    async with database.connection() as connection:
        is_read_only = False
        if not database.is_sqlite:
            # A standby, a database or a role may be set so; each answers "on".
            is_read_only = (await connection.scalar(sa.text("SHOW transaction_read_only"))) == "on"
        return StoredState(
            is_read_only, await connection.scalar(beat), await connection.scalar(oldest)
        )


def _writing_state(settings: Settings, database: Database, stored: StoredState) -> str:
    """Whether the database takes writes. Blocking: it asks the file system."""
    if stored.is_read_only:
        return "is read-only"
    path = settings.database_path
    if path is not None:
        try:
            disk = os.statvfs(path.parent)
        except OSError:
            return "the data folder is gone"
        if disk.f_flag & os.ST_RDONLY or not os.access(path, os.W_OK):
            return "is read-only"
        if disk.f_bavail * disk.f_frsize < MIN_FREE_BYTES:
            return "the disk is full"
    return STATES[DatabaseReason.CANNOT_WRITE] if _failed_lately(database) else OK


def _files_state(folder: Path, min_free_bytes: int) -> str:
    """Whether the folder for files takes the files of one more message. Blocking.

    The folder is made with the first file; until then the nearest folder above it counts.
    """
    try:
        place = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        disk = os.statvfs(place)
    except OSError:
        return "the folder is gone"
    if disk.f_flag & os.ST_RDONLY or not os.access(place, os.W_OK | os.X_OK):
        return "is read-only"
    if disk.f_bavail * disk.f_frsize < min_free_bytes:
        return "the disk is full"
    return OK


def _failed_lately(database: Database) -> bool:
    return bool(database.recent_write_failure(WRITE_FAILURE_SECONDS))


def _worker_state(last_beat: datetime | None, now: datetime) -> str:
    if last_beat is None:
        return "no sign of life yet"
    if now - last_beat < HEARTBEAT_TIMEOUT:
        return OK
    return f"no sign of life since {last_beat:%Y-%m-%dT%H:%M:%SZ}"


def _texts_state(oldest_due_seconds: int | None) -> str:
    if oldest_due_seconds is None or oldest_due_seconds < MAX_WAIT.total_seconds():
        return OK
    return f"the oldest due message has waited {oldest_due_seconds // 60} minutes"


def _log_change(request: Request, state: str, reason: str) -> None:
    """Log when readiness begins or ends: probes come every few seconds."""
    before = getattr(request.app.state, "readiness", OK)
    request.app.state.readiness = state
    if state == before:
        return
    if state == OK:
        log.info("ready again")
    else:
        log.error("not ready", database=state, reason=reason)


async def _queue(settings: Settings, live: LiveUpdates) -> str:
    if settings.redis_url is None:
        return "no REDIS_URL is set"
    return OK if await live.is_reachable() else "cannot be reached"
