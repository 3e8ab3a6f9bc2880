"""SQLite without a thread of its own for each connection: nobody here waits for anybody.

In production a statement is handed to a thread, so that others go on meanwhile. Here that is most
of what a statement costs. What it does is the same.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Generator
from typing import Any

import aiosqlite
from sqlalchemy import event

from portal.database import Database

Call = tuple[asyncio.Future[Any] | None, Callable[[], Any]]


class InlineQueue:
    """Stands where the queue to the thread stood: what is put in is done at once."""

    def put_nowait(self, call: Call) -> None:
        """Do it, and let whoever waits know."""
        future, function = call
        try:
            result = function()
        except Exception as error:
            if future is None:
                raise
            future.set_exception(error)
        else:
            if future is not None:
                future.set_result(result)


class InlineConnection(aiosqlite.Connection):
    """Runs each statement where it is asked for."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, iter_chunk_size=64)
        here: Any = InlineQueue()
        self._tx = here

    def __await__(self) -> Generator[Any, None, aiosqlite.Connection]:
        """Connect; no thread is started."""
        return self._connect().__await__()


def make_fast(database: Database) -> None:
    """Let this database be as quick as it can; nothing of it outlives the simulation."""
    engine = database.engine.sync_engine

    @event.listens_for(engine, "do_connect")
    def _connect(dialect: Any, _record: Any, args: Any, kwargs: Any) -> Any:
        def directly(*where: Any, **how: Any) -> InlineConnection:
            return InlineConnection(lambda: sqlite3.connect(*where, **how))

        return dialect.connect(*args, **kwargs, async_creator_fn=directly)

    @event.listens_for(engine, "connect")
    def _no_power_cut(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA synchronous=OFF")
        cursor.close()
