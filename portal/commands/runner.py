"""The ground that a command stands on: a database that is ready, and a relay to act with."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

import uvloop
from sqlalchemy.exc import SQLAlchemyError

from portal.database import Database
from portal.errors import PortalError
from portal.jobs import Jobs
from portal.live import Live
from portal.models import Actor, ActorKind
from portal.operations import Relay
from portal.runtime.migrations import is_current, migrate
from portal.settings import Settings

THE_TERMINAL = Actor(ActorKind.SYSTEM, "Command line")
"""Whoever may run commands on the machine."""

T = TypeVar("T")


def act(settings: Settings, work: Callable[[Relay], Awaitable[T]]) -> T:
    """Do this on the database of these settings, made ready first where it is a file here.

    Raises PortalError where it cannot be reached, or is another machine's and not migrated: that
    is for whoever looks after it to choose the moment for.
    """
    if settings.is_single_machine:
        bring_up_to_date(settings)
    with _plain_words():
        return uvloop.run(_act(settings, work))


def bring_up_to_date(settings: Settings) -> list[str]:
    """Migrate the database; the sentence that says so. Raises PortalError."""
    with _plain_words():
        migrate(settings.database_url)
    return ["The database is at the newest revision."]


@contextmanager
def _plain_words() -> Iterator[None]:
    """What a database or the way to it refuses is one sentence, without the statement."""
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


async def _act(settings: Settings, work: Callable[[Relay], Awaitable[T]]) -> T:
    async with _relay(settings) as relay:
        if not settings.is_single_machine and not await is_current(relay.database):
            raise PortalError("The database is not at the newest revision: run `kept migrate`.")
        return await work(relay)


@asynccontextmanager
async def _relay(settings: Settings) -> AsyncIterator[Relay]:
    database = Database(settings.database_url)
    jobs, live = Jobs(settings.redis_url), Live(settings.redis_url)
    try:
        yield Relay(settings, database, jobs, live)
    finally:
        await live.stop()
        await jobs.close()
        await database.close()
