"""Time that jumps from one thing to the next, and the workers who live in it.

Whatever anybody does is on the agenda, at its moment; what our own duties would find is asked of
the database. The earlier of the two is what happens next.
"""

import asyncio
import heapq
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from portal.database import Database
from portal.errors import PortalError
from portal.jobs import JobQueue
from portal.live import LiveUpdates
from portal.models import DETECTION, SYSTEM_ACTOR, Actor, Event, Heartbeat, ServiceRequest
from portal.operations import Operations, ReceiptWriter, UnitOfWork
from portal.settings import Settings
from tests.simulation.fake_carrier import FakeCarrier, FakeMailServer, StatusChange
from tests.simulation.faults import Fault, SeededRandom
from tests.simulation.next_event import Duty, NextEvents, look
from tests.simulation.worker_pool import WorkerPool

AgendaItem = Callable[[], Awaitable[None]]

FULL_CHECK_INTERVAL = timedelta(hours=23)
"""So often everything is looked at, due or not, at another hour each day."""
DETECTION_DEADLINE = timedelta(seconds=62)
"""When something has slipped by its own row, it is looked whether it has been raised."""
MAX_EVENTS = 2_000_000
"""Events after which the simulation must be going in circles."""


class WorkerKilled(Exception):
    """A worker was killed: its transaction is rolled back, and nothing after it happens."""


@dataclass
class EventLoop:
    """Everything that is there: the agenda, the database, the relay, the crew and the carrier."""

    settings: Settings
    database: Database
    dice: SeededRandom
    now: datetime
    sends_updates: bool = True
    """Whether Kept tells and asks by itself; without, customers are left to ask."""
    detects_drops: bool = True
    """Whether anybody keeps watch; only a test of this simulation does without."""
    seen: list[Callable[[ServiceRequest, list[Event]], None]] = field(default_factory=list)
    looked: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    delivered: list[Callable[[list[int]], Awaitable[None]]] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    down: list[tuple[datetime, datetime]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    events: int = 0
    ownerless: int = 0
    _agenda: list[tuple[datetime, int, AgendaItem, bool]] = field(default_factory=list)
    _number: int = 0
    _news: list[StatusChange] = field(default_factory=list)
    _arrived: list[int] = field(default_factory=list)
    _balls_seen: int = 0
    _slips_planned: set[datetime] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Hire the crew and connect the carrier."""
        self.carrier = FakeCarrier(self.dice, self._announce)
        self.mail = FakeMailServer(self._mail_arrived)
        self.operations = ObservedOperations(self)
        self.receipts = ReceiptWriter(self.operations)
        self.crew = WorkerPool(self)

    def at(self, moment: datetime, deed: AgendaItem, *, ours: bool = True) -> None:
        """Put something on the agenda; ``ours`` needs our system, and waits while it is down."""
        self._number += 1
        heapq.heappush(self._agenda, (max(moment, self.now), self._number, deed, ours))

    def count(self, what: str) -> None:
        """Note that this was done to it."""
        self.done[what] += 1

    def outage_end(self, moment: datetime) -> datetime | None:
        """The end of the outage in which this moment falls, if it falls in one."""
        return next((end for begin, end in self.down if begin <= moment < end), None)

    def add_outage(self, begin: datetime, end: datetime) -> None:
        """Nothing of ours runs between these moments."""
        self.down.append((begin, end))
        self.at(begin - timedelta(seconds=1), self.crew.run_all)
        self.at(end, self.crew.restart)
        self.count("outages of ours")

    async def run(self, is_over: Callable[[], bool], until: datetime) -> None:
        """Let it all happen, until ``is_over`` or the last moment."""
        self.at(self.now + FULL_CHECK_INTERVAL, self._look_around, ours=False)
        while not is_over() and self.now < until:
            self.events += 1
            if self.events > MAX_EVENTS:
                raise RuntimeError(f"going in circles at {self.now}")
            again = timedelta(seconds=self.settings.reconcile_seconds)
            seen = await look(self.database, self.now, again)
            await self._take_note(seen)
            if not self.detects_drops:
                seen.due.pop(Duty.WATCH, None)
            duties_at = self.crew.next_run_at(seen.due)
            agenda_at = self._agenda[0][0]
            if duties_at is not None and duties_at <= agenda_at:
                self.now = max(self.now, duties_at)
                await self.crew.do(seen.due)
            else:
                await self._next_deed()
            if self._arrived:
                arrived, self._arrived = self._arrived, []
                for listener in self.delivered:
                    await listener(arrived)

    async def _take_note(self, seen: NextEvents) -> None:
        self.ownerless += seen.ownerless
        if seen.newest_ball > self._balls_seen:
            self._balls_seen = seen.newest_ball
            await self.check_oracle()

        if seen.next_drop_at is not None and seen.next_drop_at not in self._slips_planned:
            self._slips_planned.add(seen.next_drop_at)
            self.at(seen.next_drop_at + DETECTION_DEADLINE, self.check_oracle, ours=False)

    async def check_oracle(self) -> None:
        """Compare what is with what was raised."""
        for listener in self.looked:
            await listener()

    async def _next_deed(self) -> None:
        moment, number, deed, ours = heapq.heappop(self._agenda)
        self.now = max(self.now, moment)
        back = self.outage_end(self.now) if ours else None
        if back is not None:
            # Done in the world, and written down when we are back: within the half hour.
            later = back + timedelta(seconds=self.dice.of("later", number).randint(5, 600))
            self.at(later, deed)
            return
        try:
            await deed()
        except PortalError as refusal:
            self.count(f"came too late: {type(refusal).__name__}")
            if len(self.errors) < 20:
                self.errors.append(f"{self.now:%d %b %H:%M} {refusal}")

    async def _look_around(self) -> None:
        """Everything at once, as every few seconds in production."""
        if self.outage_end(self.now) is None:
            await self.crew.run_all()
        await self.check_oracle()
        self.at(self.now + FULL_CHECK_INTERVAL, self._look_around, ours=False)

    def _announce(self, news: StatusChange) -> None:
        """Something will happen to a text: it is heard of together with others of that moment."""
        heapq.heappush(self._news, news)
        self.at(news.at, self._hear_news, ours=False)

    async def _hear_news(self) -> None:
        soon, told = self.now + timedelta(seconds=2), []
        while self._news and self._news[0].at <= soon:
            news = heapq.heappop(self._news)
            if news.text.sid in self.carrier.texts:
                was_there = news.text.status.value == "delivered"
                self.carrier.hear(news)
                if news.status.value == "delivered" and not was_there:
                    self._arrived.append(news.text.message_id)
            if news.is_reported:
                told.append(news)
        back = self.outage_end(self.now)
        if back is None:
            await self.deliver_receipts(told)
        elif told:
            self.at(back + timedelta(seconds=20), lambda: self.deliver_receipts(told))

    async def deliver_receipts(self, told: list[StatusChange]) -> None:
        """The carrier posts its receipts; those of one moment come together."""
        await asyncio.gather(*(self.receipts.record(news.receipt) for news in told))

    def _mail_arrived(self, message_id: str, address: str) -> None:
        del address
        self._arrived.append(int(message_id.split(".")[1]))

    async def write_heartbeat(self) -> None:
        """The rounds that were left out since the last one would have left this."""
        before = self.now - timedelta(seconds=self.settings.sweep_seconds)
        row: Any = sa.update(Heartbeat).where(
            col(Heartbeat.name) == DETECTION, col(Heartbeat.beat_at) < before
        )
        async with self.database.transaction() as session:
            await session.exec(row.values(beat_at=before))


class ObservedOperations(Operations):
    """The relay itself, watched: after each turn it is known what was changed.

    A worker may be killed in any turn of its own, at the worst moment: just before the commit.
    """

    def __init__(self, world: EventLoop) -> None:
        super().__init__(world.settings, world.database, JobQueue(None), LiveUpdates(None))
        self.world = world
        self.can_be_killed = False

    @asynccontextmanager
    async def begin(self, actor: Actor) -> AsyncIterator[UnitOfWork]:
        """See ``Operations.turn``."""
        changed: dict[int, tuple[ServiceRequest, list[Event]]] = {}
        async with super().begin(actor) as uow:
            settle = uow.finish

            async def noted(request: ServiceRequest) -> list[Event]:
                news = await settle(request)
                _make_whole(request)
                known = changed.get(request.id or 0, (request, []))[1]
                changed[request.id or 0] = (request, [*known, *news])
                return news

            uow.finish = noted  # type: ignore[method-assign]
            yield uow
            world = self.world
            if self.can_be_killed and actor == SYSTEM_ACTOR and changed:
                world.crew.turns += 1
                if world.dice.hit(Fault.KILLED, 0.003, "turn", world.crew.turns):
                    world.crew.kill("killed in the middle of a turn")
                    raise WorkerKilled
        for request, news in changed.values():
            for listener in self.world.seen:
                listener(request, news)


def _make_whole(request: ServiceRequest) -> None:
    """What hangs together is found in the session alone; afterwards there is none."""
    for part in (*request.handoffs, *request.follow_ups):
        getattr(part, "run")  # noqa: B009 (looked at, so that it is there)
