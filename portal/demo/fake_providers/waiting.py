"""Waiting for changes until a condition holds."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class ChangeSignal:
    """Wakes those who wait when something has changed. One event loop only."""

    def __init__(self) -> None:
        self._waiters: dict[asyncio.Future[Any], Callable[[], Any]] = {}

    async def wait_for(self, predicate: Callable[[], T], timeout: float = 5.0) -> T:  # noqa: ASYNC109
        """What `predicate` returns as soon as that is true. Raises TimeoutError after `timeout` s.

        The predicate is asked now and after each change, so no state is missed, however short.
        """
        if now := predicate():
            return now
        waiter: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiters[waiter] = predicate
        try:
            async with asyncio.timeout(timeout):
                return await waiter
        finally:
            self._waiters.pop(waiter, None)

    def changed(self) -> None:
        """Ask every waiting predicate again."""
        for waiter, predicate in tuple(self._waiters.items()):
            if waiter.done():
                continue
            try:
                if value := predicate():
                    waiter.set_result(value)
            except Exception as mistake:  # noqa: BLE001 - it belongs to whoever wrote the predicate
                waiter.set_exception(mistake)

    def close(self) -> None:
        """End every wait with a TimeoutError."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(TimeoutError("The simulator has stopped."))
