"""Runs an operation for a command, on a migrated database."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

import uvloop

from portal.database import Database
from portal.database_errors import NOT_MIGRATED
from portal.errors import PortalError
from portal.jobs import JobQueue
from portal.live import LiveUpdates
from portal.models import Actor, ActorKind
from portal.operations import Operations
from portal.runtime import database_start
from portal.runtime.log_config import configure_logging
from portal.settings import Settings

COMMAND_LINE_ACTOR = Actor(ActorKind.SYSTEM, "Command line")
"""The actor of every command."""

P = ParamSpec("P")
T = TypeVar("T")


def run_operation(settings: Settings, work: Callable[[Operations], Awaitable[T]]) -> T:
    """Run this on the database of these settings; a local SQLite file is migrated first.

    Raises PortalError if the database is unreachable, or is a server that is not migrated: the
    operator chooses when to migrate that.
    """
    configure_logging(lowest_level="WARNING")  # A command prints its result itself.
    if settings.is_single_machine:
        migrate_database(settings)
    with database_start.plain_database_errors():
        return uvloop.run(_act(settings, work))


def command(
    work: Callable[Concatenate[Operations, P], Awaitable[T]],
) -> Callable[Concatenate[Settings, P], T]:
    """``work`` as a plain function of the settings, run as ``run_operation`` runs it."""

    @wraps(work)
    def run(settings: Settings, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return run_operation(settings, lambda operations: work(operations, *args, **kwargs))

    return run


def migrate_database(settings: Settings) -> list[str]:
    """Migrate the database and return a sentence that says so. Raises PortalError."""
    database_start.migrate_database(settings)
    return ["The database is at the newest revision."]


def check_database(settings: Settings) -> list[str]:
    """Change nothing and say that the database is at the newest revision. Raises PortalError."""
    if not settings.has_database:
        raise PortalError(NOT_MIGRATED)
    with database_start.plain_database_errors():
        uvloop.run(database_start.check_database_at(settings.database_url))
    return ["The database is at the newest revision."]


async def _act(settings: Settings, work: Callable[[Operations], Awaitable[T]]) -> T:
    async with _operations(settings) as operations:
        if not settings.is_single_machine:
            await database_start.check_database(operations.database)
        return await work(operations)


@asynccontextmanager
async def _operations(settings: Settings) -> AsyncIterator[Operations]:
    database = Database(settings.database_url, settings.database_pool_size)
    jobs, live = JobQueue(settings.redis_url), LiveUpdates(settings.redis_url)
    try:
        yield Operations(settings, database, jobs, live)
    finally:
        await live.stop()
        await jobs.close()
        await database.close()
