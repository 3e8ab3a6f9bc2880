"""A discrete-event loop: simulated time jumps from one event to the next.

Events are what people and systems do (the agenda) and what the workers find due in the database.
The earlier of the two comes next.
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
from tests.simulation.fake_carrier import DeliveryUpdate, SimulatedCarrier, message_id_of
from tests.simulation.faults import Fault, SeededRandom, WorkerKilled
from tests.simulation.next_event import NextWork, Round, find_next_work
from tests.simulation.worker_pool import WorkerPool
from tests.support.fake_gateways import FakeMailer

Action = Callable[[], Awaitable[None]]

FULL_ROUND_EVERY = timedelta(hours=23)
"""How often every round runs, due or not: at another hour each day."""
CHECK_AFTER_DUE = timedelta(seconds=62)
"""How long after a drop by its own row the oracle checks whether it was raised."""
MAX_EVENTS = 2_000_000
"""The simulation stops with an error after so many events: it would never end."""


@dataclass
class Simulation:
    """The agenda, the database, the operations, the workers and the carrier."""

    settings: Settings
    database: Database
    dice: SeededRandom
    now: datetime
    sends_updates: bool = True
    """Whether Kept sends updates and questions; without them customers have to ask."""
    detects_drops: bool = True
    """Whether dropped balls are detected; only a test of the simulation goes without."""
    on_change: list[Callable[[ServiceRequest, list[Event]], None]] = field(default_factory=list)
    on_check: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    on_delivery: list[Callable[[list[int]], Awaitable[None]]] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    outages: list[tuple[datetime, datetime]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    events: int = 0
    ownerless: int = 0
    _agenda: list[tuple[datetime, int, Action, bool]] = field(default_factory=list)
    _number: int = 0
    _updates: list[DeliveryUpdate] = field(default_factory=list)
    _arrived: list[int] = field(default_factory=list)
    _newest_ball: int = 0
    _drops_planned: set[datetime] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Start the workers and connect the carrier and the mail server."""
        self.carrier = SimulatedCarrier(self.dice, self._schedule_update)
        self.mailer = FakeMailer(self._mail_arrived)
        self.operations = ObservedOperations(self)
        self.receipts = ReceiptWriter(self.operations)
        self.workers = WorkerPool(self)

    def at(self, moment: datetime, action: Action, *, needs_system: bool = True) -> None:
        """Put an action on the agenda; one that needs the system waits for the end of an outage."""
        self._number += 1
        entry = (max(moment, self.now), self._number, action, needs_system)
        heapq.heappush(self._agenda, entry)

    def count(self, what: str) -> None:
        """Count something that the simulation did to the product."""
        self.done[what] += 1

    def outage_end(self, moment: datetime) -> datetime | None:
        """The end of the outage at this moment, if there is one."""
        return next((end for begin, end in self.outages if begin <= moment < end), None)

    def plan_outage(self, begin: datetime, end: datetime) -> None:
        """Stop the whole product between these moments."""
        self.outages.append((begin, end))
        self.at(begin - timedelta(seconds=1), self.workers.run_all)
        self.at(end, self.workers.restart)
        self.count("outages of the product")

    async def run(self, is_over: Callable[[], bool], until: datetime) -> None:
        """Process events until ``is_over`` or the last moment."""
        self.at(self.now + FULL_ROUND_EVERY, self._run_full_round, needs_system=False)
        while not is_over() and self.now < until:
            self.events += 1
            if self.events > MAX_EVENTS:
                raise RuntimeError(f"the simulation does not end, at {self.now}")
            again = timedelta(seconds=self.settings.reconcile_seconds)
            found = await find_next_work(self.database, self.now, again)
            await self._note_findings(found)
            if not self.detects_drops:
                found.due.pop(Round.WATCH, None)
            rounds_at = self.workers.next_run_at(found.due)
            agenda_at = self._agenda[0][0]
            if rounds_at is not None and rounds_at <= agenda_at:
                self.now = max(self.now, rounds_at)
                await self.workers.do(found.due)
            else:
                await self._run_next_action()
            if self._arrived:
                arrived, self._arrived = self._arrived, []
                for listener in self.on_delivery:
                    await listener(arrived)

    async def _note_findings(self, found: NextWork) -> None:
        self.ownerless += found.ownerless
        if found.newest_ball > self._newest_ball:
            self._newest_ball = found.newest_ball
            await self.run_checks()

        if found.next_drop is not None and found.next_drop not in self._drops_planned:
            self._drops_planned.add(found.next_drop)
            self.at(found.next_drop + CHECK_AFTER_DUE, self.run_checks, needs_system=False)

    async def run_checks(self) -> None:
        """Compare what has been dropped with what was raised."""
        for listener in self.on_check:
            await listener()

    async def _run_next_action(self) -> None:
        moment, number, action, needs_system = heapq.heappop(self._agenda)
        self.now = max(self.now, moment)
        end = self.outage_end(self.now) if needs_system else None
        if end is not None:
            # People enter after an outage what they did meanwhile, within some minutes.
            later = end + timedelta(seconds=self.dice.of("later", number).randint(5, 600))
            self.at(later, action)
            return
        try:
            await action()
        except PortalError as refusal:
            self.count(f"came too late: {type(refusal).__name__}")
            if len(self.errors) < 20:
                self.errors.append(f"{self.now:%d %b %H:%M} {refusal}")

    async def _run_full_round(self) -> None:
        """Run every round, as production does every few seconds."""
        if self.outage_end(self.now) is None:
            await self.workers.run_all()
        await self.run_checks()
        self.at(self.now + FULL_ROUND_EVERY, self._run_full_round, needs_system=False)

    def _schedule_update(self, update: DeliveryUpdate) -> None:
        heapq.heappush(self._updates, update)
        self.at(update.at, self._apply_updates, needs_system=False)

    async def _apply_updates(self) -> None:
        """Apply the delivery updates of the next two seconds; their receipts come together."""
        soon, reported = self.now + timedelta(seconds=2), []
        while self._updates and self._updates[0].at <= soon:
            update = heapq.heappop(self._updates)
            text, step = update.text, update.step
            if step.happens:
                if step.status == "delivered":
                    self._arrived.append(message_id_of(text))
                text.move(step.status, step.error_code, update.at)
            if step.is_reported:
                reported.append(update)
        end = self.outage_end(self.now)
        if end is None:
            await self.record_receipts(reported)
        elif reported:
            self.at(end + timedelta(seconds=20), lambda: self.record_receipts(reported))

    async def record_receipts(self, updates: list[DeliveryUpdate]) -> None:
        """Record the receipts that the carrier posts at one moment."""
        await asyncio.gather(*(self.receipts.record(update.receipt) for update in updates))

    def _mail_arrived(self, message_id: str) -> None:
        self._arrived.append(int(message_id.split(".")[1]))

    async def record_heartbeat(self) -> None:
        """Write the heartbeat that the skipped rounds would have written."""
        before = self.now - timedelta(seconds=self.settings.sweep_seconds)
        row: Any = sa.update(Heartbeat).where(
            col(Heartbeat.name) == DETECTION, col(Heartbeat.beat_at) < before
        )
        async with self.database.transaction() as session:
            await session.exec(row.values(beat_at=before))


class ObservedOperations(Operations):
    """The product's operations; after each transaction the listeners hear what it changed.

    A worker may be killed in a transaction of its own, just before the commit.
    """

    def __init__(self, simulation: Simulation) -> None:
        super().__init__(
            simulation.settings, simulation.database, JobQueue(None), LiveUpdates(None)
        )
        self.simulation = simulation
        self.can_be_killed = False

    @asynccontextmanager
    async def begin(self, actor: Actor) -> AsyncIterator[UnitOfWork]:
        """See ``Operations.turn``."""
        changed: dict[int, tuple[ServiceRequest, list[Event]]] = {}
        async with super().begin(actor) as uow:
            settle = uow.finish

            async def recorded(request: ServiceRequest) -> list[Event]:
                events = await settle(request)
                _load_relations(request)
                known = changed.get(request.id or 0, (request, []))[1]
                changed[request.id or 0] = (request, [*known, *events])
                return events

            uow.finish = recorded  # type: ignore[method-assign]
            yield uow
            simulation = self.simulation
            if self.can_be_killed and actor == SYSTEM_ACTOR and changed:
                simulation.workers.turns += 1
                if simulation.dice.hit(Fault.KILLED, 0.003, "turn", simulation.workers.turns):
                    simulation.workers.kill("killed in the middle of a transaction")
                    raise WorkerKilled
        for request, events in changed.values():
            for listener in self.simulation.on_change:
                listener(request, events)


def _load_relations(request: ServiceRequest) -> None:
    """Load what is loaded lazily: after the transaction there is no session."""
    for part in (*request.handoffs, *request.follow_ups):
        getattr(part, "run")  # noqa: B009 (loads it)
