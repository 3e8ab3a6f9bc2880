"""Work of people who are absent or disabled, which somebody else can take."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.models import Department, DroppedBall, Promise, RunState, ServiceRequest, StageRun
from portal.models.columns import saved_id
from portal.rules.roster import Roster


@dataclass(frozen=True)
class Reassignable:
    """People who are absent, and the departments in which somebody can take their work.

    A deputy takes it in any department; else it depends on who is in the department.
    """

    with_deputy: frozenset[int]
    groups: Sequence[tuple[frozenset[int], frozenset[int] | None]]

    @classmethod
    def of(cls, roster: Roster, people: Collection[int] | None = None) -> "Reassignable":
        """Of these people, or of everybody."""
        gone, away, with_deputy = set[int](), set[int](), set[int]()
        for staff_id, person in roster.staff.items():
            if roster.is_available(staff_id) or (people is not None and staff_id not in people):
                continue
            if roster.find_deputy(staff_id) is not None:
                with_deputy.add(staff_id)
            else:
                (gone if person.disabled_at else away).add(staff_id)
        takers = {saved_id(one): _taker(roster, one) for one in roster.departments.values()}
        someone = {place for place, taker in takers.items() if taker is not None}
        here = {place for place in someone if roster.is_available(takers[place] or 0)}
        return cls(
            frozenset(with_deputy),
            [
                # A disabled person keeps nothing, so even somebody absent takes it.
                (frozenset(gone), None if len(someone) == len(takers) else frozenset(someone)),
                (frozenset(away), None if len(here) == len(takers) else frozenset(here)),
            ],
        )

    @property
    def people(self) -> frozenset[int]:
        """All their ids; usually none."""
        return self.with_deputy.union(
            *(people for people, places in self.groups if places != frozenset())
        )

    def matches(self, person: Any, place: Any) -> Any:
        """The condition on a row with these columns: first one that an index serves."""
        anybody = col(person).in_(self.people)
        if all(places is None for people, places in self.groups if people):
            return anybody
        somewhere = [
            col(person).in_(people) if places is None else _both(person, people, place, places)
            for people, places in self.groups
        ]
        return sa.and_(anybody, sa.or_(col(person).in_(self.with_deputy), *somewhere))


async def find_requests_to_reassign(
    session: AsyncSession, reassignable: Reassignable, *, limit: int
) -> list[int]:
    """Requests, by id, with work to reassign; closed ones too.

    A few reads along indexes of open work. They are sorted here: asked to sort, SQLite would read
    all requests in that order.
    """
    if not reassignable.people:
        return []
    found: set[int] = set()
    for request_id, *conditions in _lying_with(reassignable):
        query = select(request_id).where(*conditions).limit(limit)
        found.update(one for one in (await session.exec(query)).all() if one is not None)
    return sorted(found)[:limit]


async def list_unattended_balls(session: AsyncSession, roster: Roster) -> Sequence[DroppedBall]:
    """Dropped balls about no request whose owner is absent."""
    gone = [staff_id for staff_id in roster.staff if not roster.is_available(staff_id)]
    query = select(DroppedBall).where(
        col(DroppedBall.resolved_at).is_(None),
        col(DroppedBall.request_id).is_(None),
        col(DroppedBall.owner_id).in_(gone),
    )
    return (await session.exec(query)).all()


async def departments_with_open_work(session: AsyncSession, staff_id: int) -> set[int]:
    """The departments in which this person has something open."""
    found: set[int] = set()
    for query in (
        select(StageRun.department_id).where(
            col(StageRun.state) == RunState.OPEN, col(StageRun.assignee_id) == staff_id
        ),
        select(ServiceRequest.department_id).where(
            col(ServiceRequest.closed_at).is_(None), col(ServiceRequest.owner_id) == staff_id
        ),
        select(Promise.department_id).where(
            col(Promise.closed_at).is_(None), col(Promise.owner_id) == staff_id
        ),
    ):
        found.update((await session.exec(query.distinct())).all())
    return found


def _taker(roster: Roster, department: Department) -> int | None:
    return roster.find_assignee(department)


def _both(person: Any, people: Any, place: Any, places: Any) -> Any:
    return sa.and_(col(person).in_(people), col(place).in_(places))


def _lying_with(reassignable: Reassignable) -> list[tuple[Any, ...]]:
    """Columns of request ids, each with its conditions."""
    ball = DroppedBall
    return [
        (
            col(ServiceRequest.id),
            col(ServiceRequest.closed_at).is_(None),
            reassignable.matches(ServiceRequest.owner_id, ServiceRequest.department_id),
        ),
        (
            col(StageRun.request_id),
            col(StageRun.state) == RunState.OPEN,
            reassignable.matches(StageRun.assignee_id, StageRun.department_id),
        ),
        (
            col(Promise.request_id),
            col(Promise.closed_at).is_(None),
            reassignable.matches(Promise.owner_id, Promise.department_id),
        ),
        (
            col(ball.request_id),
            col(ball.resolved_at).is_(None),
            sa.or_(
                reassignable.matches(ball.owner_id, ball.department_id),
                reassignable.matches(ball.escalated_to_id, ball.department_id),
            ),
        ),
    ]
