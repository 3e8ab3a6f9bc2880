"""One request as it lives: its customer, what is planned about it, and how it was last seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from portal.models import Actor, Event, ServiceRequest, StageRun
from portal.operations import CustomerDetails, UnitOfWork
from portal.queries.requests import lock_by_id
from portal.workflows import WorkflowDefinition
from tests.simulation.event_loop import EventLoop

StaffOperation = Callable[[UnitOfWork, ServiceRequest], Awaitable[None]]


@dataclass
class SimulatedRequest:
    """Number, kind, customer; ``request`` is as somebody last left it."""

    world: EventLoop
    number: int
    kind: WorkflowDefinition
    customer: CustomerDetails
    shares_phone: bool = False
    request: ServiceRequest | None = None
    planned: set[str] = field(default_factory=set)
    returns: dict[frozenset[int], int] = field(default_factory=dict)
    bounced_at: dict[frozenset[int], datetime] = field(default_factory=dict)
    returns_resolved: bool = False
    is_delivered: bool = True
    heard_at: datetime | None = None
    expected_at: datetime | None = None
    impatient_at: datetime | None = None
    asked: int = 0
    is_over: bool = False
    _times: Counter[str] = field(default_factory=Counter)

    @property
    def it(self) -> ServiceRequest:
        """The request, once it is open."""
        if self.request is None:
            raise RuntimeError("this life has not begun")
        return self.request

    @property
    def id(self) -> int:
        """The request's id."""
        return self.it.id or 0

    def open_run(self, stage: str, passage: int | None = None) -> StageRun | None:
        """The open passage through a stage, if it is (still) that one."""
        for run in self.it.open_runs:
            if run.stage_key == stage and passage in (None, run.passage):
                return run
        return None

    def count_return(self, one: int, other: int) -> None:
        """A department gave it back to another: so often is what bouncing is judged by."""
        pair = frozenset({one, other})
        self.returns[pair] = self.returns.get(pair, 0) + 1
        if self.returns[pair] == 2:
            self.bounced_at[pair] = self.world.now

    def see(self, request: ServiceRequest, news: list[Event]) -> None:
        """Somebody has changed it."""
        del news
        self.request = request

    def times(self, what: str) -> int:
        """The how-manieth time this is."""
        self._times[what] += 1
        return self._times[what]

    def plan(self, key: str, at: datetime, deed: Callable[[], Awaitable[None]]) -> None:
        """Put this on the agenda, once in this life."""
        if key not in self.planned:
            self.planned.add(key)
            self.world.at(at, deed)

    async def do(self, actor: Actor, work: StaffOperation) -> None:
        """One turn about this request by this hand."""
        async with self.world.operations.begin(actor) as uow:
            await work(uow, await lock_by_id(uow.session, self.id))
