"""The handover summary of a request, for its next owner."""

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
from portal.queries.conversations import UNSENT_STATUSES, says_something

HANDOVER_NOTE_KEYS = {EventKind.STAGE_COMPLETED: "handover", EventKind.ASSIGNED: "note"}
"""The event data that holds a handover note, by kind of event."""
MAX_HANDOVER_NOTES = 3
"""The most notes shown; older ones are in the timeline."""
MAX_EVENTS_READ = 30
"""The newest events that are searched for notes."""


@dataclass(frozen=True, slots=True)
class HandoverNote:
    """A note from the person who handed the request over."""

    words: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ReturnedHandoff:
    """One return of the request by a department, with the reason."""

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
        texts = (self.customer_note, self.promises, self.last_customer_message, self.last_reply)
        return not any((*texts, self.contacts, self.returns, self.handovers))


async def load_handover_summary(session: AsyncSession, request: ServiceRequest) -> HandoverSummary:
    """The summary of this request, in three queries."""
    request_id = saved_id(request)
    last_messages = {
        message.direction: message for message in await _last_messages(session, request_id)
    }
    return HandoverSummary(
        customer_note=request.customer_note,
        promises=[promise for promise in request.promises if promise.closed_at is None],
        last_customer_message=last_messages.get(Direction.IN),
        last_reply=last_messages.get(Direction.OUT),
        contacts=await _contacts(session, request_id),
        returns=list(_returns(request)),
        handovers=await _handovers(session, request_id),
    )


async def _last_messages(session: AsyncSession, request_id: int) -> Sequence[Message]:
    """The customer's last message, and our last one that a person wrote or that answered them."""
    of_request = col(Message.request_id) == request_id
    inbound = select(sa.func.max(col(Message.id))).where(
        of_request,
        col(Message.direction) == Direction.IN,
        col(Message.kind) != MessageKind.AUTOMATIC,
        says_something(),
        col(Message.body) != "",
    )
    outbound = select(sa.func.max(col(Message.id))).where(
        of_request,
        col(Message.direction) == Direction.OUT,
        col(Message.kind).in_([MessageKind.STAFF, MessageKind.ANSWER]),
        col(Message.status).not_in(UNSENT_STATUSES),
    )
    last_ids = (inbound.scalar_subquery(), outbound.scalar_subquery())
    return (await session.exec(select(Message).where(col(Message.id).in_(last_ids)))).all()


async def _contacts(session: AsyncSession, request_id: int) -> list[tuple[ContactReason, int]]:
    number = sa.func.count()
    query = (
        select(Contact.reason, number)
        .where(col(Contact.request_id) == request_id)
        .group_by(col(Contact.reason))
        .order_by(number.desc(), col(Contact.reason))
    )
    return [(ContactReason(reason), count) for reason, count in (await session.exec(query)).all()]


async def _handovers(session: AsyncSession, request_id: int) -> list[HandoverNote]:
    query = (
        select(Event)
        .where(col(Event.request_id) == request_id, col(Event.kind).in_(HANDOVER_NOTE_KEYS))
        .order_by(col(Event.id).desc())
        .limit(MAX_EVENTS_READ)
    )
    events = (await session.exec(query)).all()
    notes = ((event.data.get(HANDOVER_NOTE_KEYS[event.kind]), event) for event in events)
    return [HandoverNote(note, event.actor_name, event.at) for note, event in notes if note][
        :MAX_HANDOVER_NOTES
    ]


def _returns(request: ServiceRequest) -> Iterator[ReturnedHandoff]:
    for run in request.runs:
        if run.returned_by_id is None:
            continue
        refusal_reasons = (
            handoff.refused_reason
            for handoff in request.handoffs
            if handoff.refused_at == run.opened_at
        )
        # A return stores its reason on the run that it opened, a refusal on the handoff.
        yield ReturnedHandoff(
            run.returned_by_id, run.opened_at, run.note or next(refusal_reasons, "")
        )
