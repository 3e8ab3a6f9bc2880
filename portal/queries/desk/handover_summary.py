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
from portal.queries.conversations import NEVER_SAID

PASSING_ON = {EventKind.STAGE_COMPLETED: "handover", EventKind.ASSIGNED: "note"}
"""Where the words for whoever comes next stand, by what was done with them."""
LATEST = 3
"""So many of these words are enough to know; older ones stand in the timeline."""
LOOKED_AT = 30
"""Of so many steps the newest such words are looked for."""


@dataclass(frozen=True, slots=True)
class Handover:
    """Words for whoever comes next, from the one who passed it on."""

    words: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Return:
    """One time that a department gave it back, and why."""

    department_id: int
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Story:
    """What was promised, what was said last, why they came, and how often it was given back.

    ``contacts`` counts by reason, the most frequent first; ``returns`` stand oldest first,
    ``handovers`` newest first.
    """

    minds_about: str
    promises: Sequence[Promise]
    they_said: Message | None
    we_said: Message | None
    contacts: Sequence[tuple[ContactReason, int]]
    returns: Sequence[Return]
    handovers: Sequence[Handover]

    @property
    def is_blank(self) -> bool:
        """True where there is nothing to tell yet."""
        told = (self.minds_about, self.promises, self.they_said, self.we_said)
        return not any((*told, self.contacts, self.returns, self.handovers))


async def read_story(session: AsyncSession, request: ServiceRequest) -> Story:
    """The story of this request, in three queries however long it is."""
    request_id = request.id or 0
    said = {one.direction: one for one in await _said_last(session, request_id)}
    return Story(
        minds_about=request.minds_about,
        promises=[one for one in request.promises if one.closed_at is None],
        they_said=said.get(Direction.IN),
        we_said=said.get(Direction.OUT),
        contacts=await _contacts(session, request_id),
        returns=list(_returns(request)),
        handovers=await _handovers(session, request_id),
    )


async def _said_last(session: AsyncSession, request_id: int) -> Sequence[Message]:
    """Their last words, and ours to them that a person wrote or that answered them."""
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
        col(Message.status).not_in(NEVER_SAID),
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


async def _handovers(session: AsyncSession, request_id: int) -> list[Handover]:
    query = (
        select(Event)
        .where(col(Event.request_id) == request_id, col(Event.kind).in_(PASSING_ON))
        .order_by(col(Event.id).desc())
        .limit(LOOKED_AT)
    )
    passed = (await session.exec(query)).all()
    said = ((one.data.get(PASSING_ON[one.kind]), one) for one in passed)
    return [Handover(words, one.actor_name, one.at) for words, one in said if words][:LATEST]


def _returns(request: ServiceRequest) -> Iterator[Return]:
    for run in request.runs:
        if run.returned_by_id is None:
            continue
        refused = (
            handoff.refused_reason
            for handoff in request.handoffs
            if handoff.refused_at == run.opened_at
        )
        # A sending back leaves its reason on the passage that it opened, a refusal on the handoff.
        yield Return(run.returned_by_id, run.opened_at, run.note or next(refused, ""))
