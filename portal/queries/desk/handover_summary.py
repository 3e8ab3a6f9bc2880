"""The story of a request so far, for whoever takes it over."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.models import (
    Contact,
    ContactReason,
    Direction,
    Event,
    EventKind,
    Message,
    MessageKind,
    Promise,
    ServiceRequest,
)
from portal.models.columns import saved_id
from portal.queries.conversations import UNSENT_STATUSES

HANDOVER_NOTE_KEYS = {EventKind.STAGE_COMPLETED: "handover", EventKind.ASSIGNED: "note"}
"""The event data that holds a handover note, by kind of event."""
MAX_HANDOVER_NOTES = 3
"""The most notes shown; older ones are in the timeline."""
MAX_EVENTS_READ = 30
"""The newest events that are searched for notes."""


@dataclass(frozen=True, slots=True)
class HandoverNote:
    """A note from whoever handed the request over."""

    words: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ReturnedHandoff:
    """One time that a department gave it back, and why."""

    department_id: int
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class HandoverSummary:
    """Promises, last messages, contacts and returns, for the next person.

    ``contacts`` counts by reason, the most frequent first; ``returns`` are oldest first,
    ``handovers`` newest first.
    """

    customer_note: str
    promises: Sequence[Promise]
    last_customer_message: Message | None
    last_reply: Message | None
    contacts: Sequence[tuple[ContactReason, int]]
    returns: Sequence[ReturnedHandoff]
    handovers: Sequence[HandoverNote]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show yet."""
        told = (self.customer_note, self.promises, self.last_customer_message, self.last_reply)
        return not any((*told, self.contacts, self.returns, self.handovers))


async def load_handover_summary(session: AsyncSession, request: ServiceRequest) -> HandoverSummary:
    """The story of this request, in three queries however long it is."""
    request_id = saved_id(request)
    said = {one.direction: one for one in await _said_last(session, request_id)}
    return HandoverSummary(
        customer_note=request.customer_note,
        promises=[one for one in request.promises if one.closed_at is None],
        last_customer_message=said.get(Direction.IN),
        last_reply=said.get(Direction.OUT),
        contacts=await _contacts(session, request_id),
        returns=list(_returns(request)),
        handovers=await _handovers(session, request_id),
    )


async def _said_last(session: AsyncSession, request_id: int) -> Sequence[Message]:
    """The customer's last message, and our last one that a person wrote or that answered them."""
    of_request = col(Message.request_id) == request_id
    theirs = select(sa.func.max(col(Message.id))).where(
        of_request,
        col(Message.direction) == Direction.IN,
        col(Message.kind) != MessageKind.AUTOMATIC,
        col(Message.body) != "",
    )
    ours = select(sa.func.max(col(Message.id))).where(
        of_request,
        col(Message.direction) == Direction.OUT,
        col(Message.kind).in_([MessageKind.STAFF, MessageKind.ANSWER]),
        col(Message.status).not_in(UNSENT_STATUSES),
    )
    last = (theirs.scalar_subquery(), ours.scalar_subquery())
    return (await session.exec(select(Message).where(col(Message.id).in_(last)))).all()


async def _contacts(session: AsyncSession, request_id: int) -> list[tuple[ContactReason, int]]:
    times = sa.func.count()
    query = (
        select(Contact.reason, times)
        .where(col(Contact.request_id) == request_id)
        .group_by(col(Contact.reason))
        .order_by(times.desc(), col(Contact.reason))
    )
    return [(ContactReason(reason), many) for reason, many in (await session.exec(query)).all()]


async def _handovers(session: AsyncSession, request_id: int) -> list[HandoverNote]:
    query = (
        select(Event)
        .where(col(Event.request_id) == request_id, col(Event.kind).in_(HANDOVER_NOTE_KEYS))
        .order_by(col(Event.id).desc())
        .limit(MAX_EVENTS_READ)
    )
    passed = (await session.exec(query)).all()
    said = ((one.data.get(HANDOVER_NOTE_KEYS[one.kind]), one) for one in passed)
    return [HandoverNote(words, one.actor_name, one.at) for words, one in said if words][
        :MAX_HANDOVER_NOTES
    ]


def _returns(request: ServiceRequest) -> Iterator[ReturnedHandoff]:
    for run in request.runs:
        if run.returned_by_id is None:
            continue
        refused = (
            handoff.refused_reason
            for handoff in request.handoffs
            if handoff.refused_at == run.opened_at
        )
        # A sending back leaves its reason on the passage that it opened, a refusal on the handoff.
        yield ReturnedHandoff(run.returned_by_id, run.opened_at, run.note or next(refused, ""))
