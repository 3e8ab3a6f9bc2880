"""SQLite without a thread for each connection: statements run inline.

In production a statement runs in a thread, so that the event loop goes on. In the simulation that
is most of a statement's cost. The result is the same.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import aiosqlite
from sqlalchemy import event

from portal.database import Database

Call = tuple[asyncio.Future[Any] | None, Callable[[], Any]]


class InlineQueue:
    """Stands in for the queue to the thread: what is put in runs at once."""

    def put_nowait(self, call: Call) -> None:
        """Run the call and set its future."""
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
    """A connection that runs each statement inline."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, iter_chunk_size=64)
        assert hasattr(self, "_tx"), (
            "aiosqlite hands statements to its thread in another way than by Connection._tx: "
            "the simulation needs the version of requirements.lock."
        )
        assert hasattr(self, "_connect"), "aiosqlite.Connection connects by another method."
        queue: Any = InlineQueue()
        self._tx = queue

    def __await__(self) -> Generator[Any, None, aiosqlite.Connection]:
        """Connect without a thread."""
        return self._connect().__await__()


@contextmanager
def made_fast(database: Database) -> Iterator[None]:
    """Let this database be fast and unsafe meanwhile: it is gone after the simulation.

    The tests' engines share one dialect, so what listens here would be heard by all of them.
    """
    engine = database.engine.sync_engine
    event.listen(engine, "do_connect", _connect)
    event.listen(engine, "connect", _skip_syncs)
    try:
        yield
    finally:
        event.remove(engine, "do_connect", _connect)
        event.remove(engine, "connect", _skip_syncs)


def _connect(dialect: Any, _record: Any, args: Any, kwargs: Any) -> Any:
    def directly(*where: Any, **how: Any) -> InlineConnection:
        return InlineConnection(lambda: sqlite3.connect(*where, **how))

    return dialect.connect(*args, **kwargs, async_creator_fn=directly)


def _skip_syncs(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=OFF")
    cursor.close()
