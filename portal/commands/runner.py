"""Runs an operation for a command, on a migrated database."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

import uvloop
from sqlalchemy.exc import SQLAlchemyError

from portal.database import Database
from portal.errors import PortalError
from portal.jobs import JobQueue
from portal.live import LiveUpdates
from portal.models import Actor, ActorKind
from portal.operations import Operations
from portal.runtime.migrations import is_current, migrate
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
    if settings.is_single_machine:
        migrate_database(settings)
    with _plain_words():
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
    """Migrate the database and return a sentence with the result. Raises PortalError."""
    with _plain_words():
        migrate(settings.database_url)
    return ["The database is at the newest revision."]


@contextmanager
def _plain_words() -> Iterator[None]:
    """Turn a database error into a PortalError of one sentence, without the SQL."""
    try:
        yield
    except OSError as error:
        raise PortalError(f"The database cannot be reached: {error}.") from error
    except SQLAlchemyError as error:
        driver = getattr(error, "orig", None)
        if isinstance(driver, Exception) and isinstance(driver.__cause__, OSError):
            raise PortalError(f"The database cannot be reached: {driver.__cause__}.") from error
        reason = str(driver or error).partition("\n")[0]
        raise PortalError(f"The database refuses: {reason}.") from error


async def _act(settings: Settings, work: Callable[[Operations], Awaitable[T]]) -> T:
    async with _operations(settings) as operations:
        if not settings.is_single_machine and not await is_current(operations.database):
            raise PortalError("The database is not at the newest revision: run `kept migrate`.")
        return await work(operations)


@asynccontextmanager
async def _operations(settings: Settings) -> AsyncIterator[Operations]:
    database = Database(settings.database_url)
    jobs, live = JobQueue(settings.redis_url), LiveUpdates(settings.redis_url)
    try:
        yield Operations(settings, database, jobs, live)
    finally:
        await live.stop()
        await jobs.close()
        await database.close()
