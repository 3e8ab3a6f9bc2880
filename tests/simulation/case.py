"""A simulated request: its customer, what is planned for it, and its last state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from portal.models import Actor, ServiceRequest, StageRun
from portal.operations import CustomerDetails, UnitOfWork
from portal.queries.requests import lock_by_id
from portal.workflows import WorkflowDefinition
from tests.simulation.event_loop import Simulation

StaffOperation = Callable[[UnitOfWork, ServiceRequest], Awaitable[None]]


@dataclass(frozen=True)
class StatusQuestion:
    """Why a customer asked: what they knew, and where the request was at that moment."""

    at: datetime
    reason: str
    heard_at: datetime
    heard: str
    expected_by: datetime | None
    status: str
    stages: tuple[str, ...]
    reached_by: str

    def __str__(self) -> str:
        expected = f", expected {self.expected_by:%d %b %H:%M}" if self.expected_by else ""
        return (
            f"{self.at:%d %b %H:%M}: {self.reason} (last heard {self.heard_at:%d %b %H:%M} of"
            f" {self.heard}{expected}; {self.status}, {', '.join(self.stages) or 'no open stage'};"
            f" {self.reached_by})"
        )


@dataclass
class Case:
    """A simulated request and its customer; ``request`` is its state after the last change."""

    simulation: Simulation
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
    last_update_at: datetime | None = None
    expected_by: datetime | None = None
    impatient_at: datetime | None = None
    last_heard: str = "nothing"
    status_questions: list[StatusQuestion] = field(default_factory=list)
    is_over: bool = False
    _times: Counter[str] = field(default_factory=Counter)

    @property
    def current(self) -> ServiceRequest:
        """The request in its last state. Raises RuntimeError before it is open."""
        if self.request is None:
            raise RuntimeError("the request is not open yet")
        return self.request

    @property
    def asked(self) -> int:
        """How often the customer has asked."""
        return len(self.status_questions)

    @property
    def id(self) -> int:
        """The request's id."""
        return self.current.id or 0

    def open_run(self, stage: str, passage: int | None = None) -> StageRun | None:
        """The open run of a stage, if it is open in that passage."""
        for run in self.current.open_runs:
            if run.stage_key == stage and passage in (None, run.passage):
                return run
        return None

    def count_return(self, department_id: int, other_id: int) -> None:
        """Count a return between two departments; at the second one the request bounces."""
        pair = frozenset({department_id, other_id})
        self.returns[pair] = self.returns.get(pair, 0) + 1
        if self.returns[pair] == 2:
            self.bounced_at[pair] = self.simulation.now

    def times(self, what: str) -> int:
        """How many times this has happened, this time included."""
        self._times[what] += 1
        return self._times[what]

    def plan(self, key: str, at: datetime, action: Callable[[], Awaitable[None]]) -> None:
        """Put this on the agenda, once for this request."""
        if key not in self.planned:
            self.planned.add(key)
            self.simulation.at(at, action)

    async def do(self, actor: Actor, work: StaffOperation) -> None:
        """Change this request in one transaction of this actor."""
        async with self.simulation.operations.begin(actor) as uow:
            await work(uow, await lock_by_id(uow.session, self.id))
