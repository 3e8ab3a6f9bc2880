"""Reading who could take what."""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.models import Department, Membership, Roster, RunState, StaffMember, Stage
from portal.models.stage_run import StageRun
from portal.workflows import WorkflowDefinition


async def load_roster(session: AsyncSession, definition: WorkflowDefinition) -> Roster:
    """The departments of this workflow, their people, and everybody who oversees all of them."""
    keys = {stage.department for stage in definition.stages}
    query = select(Department).where(col(Department.key).in_(keys))
    departments = {one.key: one for one in (await session.exec(query)).all()}
    return await _roster(session, departments)


async def load_full_roster(session: AsyncSession) -> Roster:
    """All departments and everybody."""
    departments = {one.key: one for one in (await session.exec(select(Department))).all()}
    return await _roster(session, departments)


async def stage_ids(session: AsyncSession, workflow_id: int) -> dict[str, int]:
    """The ids of a workflow version's stages, by key."""
    query = select(Stage.key, Stage.id).where(col(Stage.workflow_id) == workflow_id)
    return {key: stage_id or 0 for key, stage_id in (await session.exec(query)).all()}


async def _roster(session: AsyncSession, departments: dict[str, Department]) -> Roster:
    ids = [one.id for one in departments.values()]
    memberships = (
        await session.exec(
            select(Membership)
            .where(col(Membership.department_id).in_(ids))
            .order_by(col(Membership.staff_member_id))
        )
    ).all()
    people = (await session.exec(select(StaffMember).order_by(col(StaffMember.id)))).all()
    active = {person.id for person in people if person.disabled_at is None}
    members: dict[int, list[int]] = {}
    for membership in memberships:
        members.setdefault(membership.department_id, []).append(membership.staff_member_id)
    return Roster(
        departments=departments,
        staff={person.id: person for person in people if person.id},
        members=members,
        leads={
            one.department_id: one.staff_member_id
            for one in memberships
            if one.is_lead and one.staff_member_id in active
        },
        open_runs=await _open_runs(session, (one.staff_member_id for one in memberships)),
    )


async def _open_runs(session: AsyncSession, people: Iterable[int]) -> dict[int, int]:
    query = (
        select(StageRun.assignee_id, sa.func.count())
        .where(col(StageRun.state) == RunState.OPEN, col(StageRun.assignee_id).in_(set(people)))
        .group_by(col(StageRun.assignee_id))
    )
    return dict((await session.exec(query)).all())
