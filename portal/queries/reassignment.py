"""Work of people who are absent or disabled, which somebody else can take."""

from collections.abc import Callable, Collection, Sequence
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
        disabled, absent, with_deputy = set[int](), set[int](), set[int]()
        for staff_id, person in roster.staff.items():
            if roster.is_available(staff_id) or (people is not None and staff_id not in people):
                continue
            if roster.find_deputy(staff_id) is not None:
                with_deputy.add(staff_id)
            else:
                (disabled if person.disabled_at else absent).add(staff_id)
        assignees = {
            saved_id(department): _find_assignee(roster, department)
            for department in roster.departments.values()
        }
        with_assignee = {
            department_id for department_id, assignee in assignees.items() if assignee is not None
        }
        with_available = {
            department_id
            for department_id in with_assignee
            if roster.is_available(assignees[department_id] or 0)
        }
        return cls(
            frozenset(with_deputy),
            [
                # A disabled person keeps nothing, so even somebody absent takes it.
                (
                    frozenset(disabled),
                    None if len(with_assignee) == len(assignees) else frozenset(with_assignee),
                ),
                (
                    frozenset(absent),
                    None if len(with_available) == len(assignees) else frozenset(with_available),
                ),
            ],
        )

    @property
    def people(self) -> frozenset[int]:
        """All their ids; usually none."""
        return self.with_deputy.union(
            *(people for people, department_ids in self.groups if department_ids != frozenset())
        )

    def matches(self, person: Any, department: Any) -> Any:
        """The condition on a row with these columns: first one that an index serves."""
        is_absent_person = col(person).in_(self.people)
        if all(department_ids is None for people, department_ids in self.groups if people):
            return is_absent_person
        conditions = [
            col(person).in_(people)
            if department_ids is None
            else _is_in_group(person, people, department, department_ids)
            for people, department_ids in self.groups
        ]
        return sa.and_(is_absent_person, sa.or_(col(person).in_(self.with_deputy), *conditions))


async def find_requests_to_reassign(
    session: AsyncSession,
    reassignable: Reassignable,
    *,
    limit: int,
    among: Callable[[Any], Any] = lambda _request_id: sa.true(),
) -> list[int]:
    """Requests, by id, with work to reassign; closed ones too.

    ``among`` gives one more condition, on the column with the id of the request.
    A few reads along indexes of open work. They are sorted here: asked to sort, SQLite would read
    all requests in that order.
    """
    if not reassignable.people:
        return []
    request_ids: set[int] = set()
    for request_id, *conditions in _work_conditions(reassignable):
        query = select(request_id).where(*conditions, among(request_id)).limit(limit)
        request_ids.update(id_ for id_ in (await session.exec(query)).all() if id_ is not None)
    return sorted(request_ids)[:limit]


async def list_unattended_balls(session: AsyncSession, roster: Roster) -> Sequence[DroppedBall]:
    """Dropped balls about no request whose owner is absent."""
    unavailable = [staff_id for staff_id in roster.staff if not roster.is_available(staff_id)]
    query = select(DroppedBall).where(
        col(DroppedBall.resolved_at).is_(None),
        col(DroppedBall.request_id).is_(None),
        col(DroppedBall.owner_id).in_(unavailable),
    )
    return (await session.exec(query)).all()


async def departments_with_open_work(session: AsyncSession, staff_id: int) -> set[int]:
    """The departments in which this person has something open."""
    department_ids: set[int] = set()
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
        department_ids.update((await session.exec(query.distinct())).all())
    return department_ids


def _find_assignee(roster: Roster, department: Department) -> int | None:
    return roster.find_assignee(department)


def _is_in_group(person: Any, people: Any, department: Any, department_ids: Any) -> Any:
    return sa.and_(col(person).in_(people), col(department).in_(department_ids))


def _work_conditions(reassignable: Reassignable) -> list[tuple[Any, ...]]:
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
