"""The shape of a step that follows each operation."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.messaging.wording.renderer import MessageRenderer
from portal.models import Event, EventKind, ServiceRequest
from portal.operations.outbox import Outbox
from portal.rules.facts import Facts
from portal.settings import Settings


class Work(Protocol):
    """What a step may use of the unit of work."""

    session: AsyncSession
    settings: Settings
    outbox: Outbox
    changed_departments: set[int]

    async def renderer(self, request: ServiceRequest) -> MessageRenderer:
        """What renders messages about this request."""


@dataclass(frozen=True, slots=True)
class StepContext:
    """What a step works on: one request's facts, and what the operation recorded of it."""

    work: Work
    facts: Facts
    events: Sequence[Event] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that follows an operation; with ``on`` only after events of those kinds."""

    run: Callable[[StepContext], Awaitable[None]]
    on: frozenset[EventKind] | None = None
