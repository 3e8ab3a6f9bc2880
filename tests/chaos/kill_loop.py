"""The faults of a chaos run, from one seed."""

import asyncio
import signal
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import closing
from random import Random

import sqlalchemy as sa
from redis import Redis

from portal.settings import Settings
from tests.support.processes import Process
from tests.support.running_stack import RunningStack

CARRIER_FAULTS = (
    # What the carrier answers to a text that is handed over.
    {"do": "status_429", "chance": 0.06},
    {"do": "status_500", "chance": 0.02},
    {"do": "status_500", "chance": 0.02, "accepted": True},
    {"do": "status_502_html", "chance": 0.02, "accepted": True},
    {"do": "truncate_201", "chance": 0.02},
    {"do": "refuse_after_accept", "chance": 0.02},
    {"do": "drop_connection_before", "chance": 0.02},
    {"do": "accept_late", "seconds": 2, "chance": 0.01},
    {"do": "error", "code": 30001, "chance": 0.01},
    {"do": "hang", "seconds": 0.5, "chance": 0.04},
    {"do": "callback_before_answer", "chance": 0.03},
    # What it answers when it is asked.
    {"do": "status_500", "on": "list", "chance": 0.1},
    {"do": "status_429", "on": "list", "chance": 0.1},
    {"do": "status_500", "on": "fetch", "chance": 0.1},
    # What becomes of a text, and of the word about it.
    {"do": "no_callback", "chance": 0.05},
    {"do": "callback_twice", "chance": 0.1},
    {"do": "callback_reversed", "chance": 0.1},
    {"do": "callback_delay", "seconds": 1.5, "chance": 0.1},
    {"do": "undelivered", "code": 30006, "chance": 0.02},
    {"do": "failed", "code": 30007, "chance": 0.01},
)


class KillLoop:
    """Disturbs the carrier's answers, and causes a fault after each so many actions."""

    def __init__(
        self,
        place: RunningStack,
        start_worker: Callable[[Settings], Process],
        dice: Random,
        *,
        actions: int,
        faults: int,
        too_long: float,
    ) -> None:
        """``start_worker`` starts a worker; ``too_long`` is more seconds than it waits for an answer."""
        self.done: Counter[str] = Counter()
        self._place = place
        self._start_worker = start_worker
        self._dice = dice
        self._every = max(actions // (faults + 1), 1)
        self._action_count = 0
        kinds = [
            self._kill_worker, self._kill_worker, self._stop_worker, self._freeze_worker,
            self._kill_web, self._flush_queue, self._kill_queue,
        ]  # fmt: skip
        plan = [kinds[number % len(kinds)] for number in range(faults)]
        dice.shuffle(plan)
        self._plan = plan
        self._under_way: set[asyncio.Task[None]] = set()
        self._lock: asyncio.Lock = asyncio.Lock()
        self.workers = [start_worker(place.settings).start() for _ in range(2)]
        place.carrier.faults.dice = Random(dice.random())
        for rule in (*CARRIER_FAULTS, {"do": "hang", "seconds": too_long, "chance": 0.01}):
            place.carrier.fault(**rule)

    def count_action(self) -> None:
        """Count an action; the next fault may be due."""
        self._action_count += 1
        if self._plan and self._action_count % self._every == 0:
            task = asyncio.create_task(self._strike(self._plan.pop()))
            self._under_way.add(task)

    async def finish(self) -> None:
        """End the faults: what is under way ends, and both workers are killed and replaced."""
        await asyncio.gather(*self._under_way)
        self.done.update(str(do) for do in self._place.carrier.faults.acted.elements())
        self._place.carrier.faults.clear()
        for number in range(len(self.workers)):
            await self._replace(number, signal.SIGKILL)

    def close(self) -> None:
        """End the workers."""
        for process in self.workers:
            process.stop()

    async def _strike(self, fault: Callable[[], Awaitable[None]]) -> None:
        async with self._lock:  # One thing at a time, so that each does what it says.
            await fault()
        self.done[fault.__name__.strip("_")] += 1

    async def _kill_worker(self) -> None:
        await self._replace(self._dice.randrange(2), signal.SIGKILL)

    async def _stop_worker(self) -> None:
        await self._replace(self._dice.randrange(2), signal.SIGTERM)

    async def _freeze_worker(self) -> None:
        first, second = self._dice.sample(self.workers, 2)
        await self._suspend_outside_a_write(first)
        await asyncio.to_thread(second.stop)
        replacement = self._start_worker(self._place.settings).start()
        self.workers[self.workers.index(second)] = replacement
        # It finds what the two have left; then the first resumes.
        await replacement.said("at work")
        first.resume()

    async def _suspend_outside_a_write(self, worker: Process) -> None:
        """Suspend it where it holds no lock: SQLite has one for all, and would stop everybody."""
        worker.suspend()
        while not await asyncio.to_thread(self._can_write):
            worker.resume()
            await asyncio.sleep(0)
            worker.suspend()

    def _can_write(self) -> bool:
        path = sa.make_url(self._place.settings.database_url).database
        if not self._place.settings.database_url.startswith("sqlite"):
            return True
        with closing(sqlite3.connect(path or "", timeout=2, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
            connection.execute("ROLLBACK")
            return True

    async def _kill_web(self) -> None:
        await asyncio.to_thread(self._place.restart_web)

    async def _flush_queue(self) -> None:
        with Redis.from_url(self._place.settings.redis_url or "") as client:
            await asyncio.to_thread(client.flushall)

    async def _kill_queue(self) -> None:
        await asyncio.to_thread(self._place.queue.stop)
        self._place.queue.start()

    async def _replace(self, number: int, how: int) -> None:
        await self.workers[number].told(how)
        await asyncio.to_thread(self.workers[number].stop)
        self.workers[number] = self._start_worker(self._place.settings).start()
