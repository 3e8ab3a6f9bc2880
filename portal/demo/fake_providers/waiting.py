"""Waiting for changes: until a condition holds, or for all texts of a number."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from threading import Lock
from typing import Any, Self, TypeVar

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


class Subscription:
    """The texts of one number as they come and change; closed by leaving the `with` block.

    It listens from the moment it is made. Iterate over it in the event loop that made it, which
    need not be the carrier's.
    """

    MAX_BACKLOG = 1_000

    def __init__(self, watchers: "Subscriptions", number: str) -> None:
        self._watchers, self._number = watchers, number
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

    def send(self, change: dict[str, Any] | None) -> None:
        """From any thread; None ends it."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._take, change)

    def _take(self, change: dict[str, Any] | None) -> None:
        if self._queue.qsize() >= self.MAX_BACKLOG:
            self._queue.get_nowait()  # a reader that slow reads the thread again anyway
        self._queue.put_nowait(change)

    async def next(self) -> dict[str, Any] | None:
        """The next text or change; None when the carrier has closed."""
        return await self._queue.get()

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        while (change := await self.next()) is not None:
            yield change

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._watchers.forget(self._number, self)


class Subscriptions:
    """The subscriptions by number."""

    def __init__(self) -> None:
        self._by_number: dict[str, set[Subscription]] = defaultdict(set)
        self._lock = Lock()

    def subscribe(self, number: str) -> Subscription:
        """Listen from now on."""
        subscription = Subscription(self, number)
        with self._lock:
            self._by_number[number].add(subscription)
        return subscription

    def forget(self, number: str, subscription: Subscription) -> None:
        """Remove a subscription."""
        with self._lock:
            self._by_number[number].discard(subscription)
            if not self._by_number[number]:
                del self._by_number[number]

    def has_subscriber(self, number: str) -> bool:
        """Whether the number has a subscription."""
        return number in self._by_number

    def send(self, number: str, change: dict[str, Any]) -> None:
        """Send a change to every subscription of the number."""
        with self._lock:
            for subscription in self._by_number.get(number, ()):
                subscription.send(change)

    def close(self) -> None:
        """End every subscription."""
        with self._lock:
            for subscriptions in self._by_number.values():
                for subscription in subscriptions:
                    subscription.send(None)
