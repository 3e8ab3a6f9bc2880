"""Reading who could take what."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal import business_time
from portal.business_time import zone_or_utc
from portal.models import (
    Department,
    Membership,
    RunState,
    ServiceRequest,
    StaffMember,
    Stage,
    StageDuration,
    StageDurations,
    Workflow,
)
from portal.models.requests.stage_run import StageRun
from portal.rules.facts import WorkflowFacts
from portal.rules.roster import Roster
from portal.workflows import WorkflowDefinition


async def load_roster(
    session: AsyncSession,
    definition: WorkflowDefinition,
    now: datetime | None = None,
    *,
    counted: bool = False,
) -> Roster:
    """The departments of this workflow, their people, and everybody who oversees all of them.

    Their open stages are counted where a rule compares them, with ``counted`` of all of them.
    """
    return await _workflow_roster(session, definition, now or business_time.now(), counted=counted)


async def load_visit_zones(
    session: AsyncSession, requests: Iterable[ServiceRequest]
) -> dict[int, str]:
    """The time zones of the departments whose visits these requests ask for or have, by id."""
    questions = [request.open_question or request.booked_visit for request in requests]
    ids = {asked.run.department_id for asked in questions if asked is not None and asked.is_visit}
    if not ids:
        return {}
    query = select(Department.id, Department.timezone).where(col(Department.id).in_(ids))
    rows = (await session.exec(query)).all()
    return {id_: zone_or_utc(zone) for id_, zone in rows if id_ is not None}


async def load_workflow_facts(
    session: AsyncSession, workflow: Workflow, now: datetime
) -> WorkflowFacts:
    """The roster, the stages' ids and the measured durations of a workflow version."""
    roster = await _workflow_roster(session, workflow.definition, now)
    stages = select(Stage.key, Stage.id).where(col(Stage.workflow_id) == workflow.id)
    measured = select(StageDuration).where(col(StageDuration.workflow_key) == workflow.key)
    return WorkflowFacts(
        roster,
        {key: stage_id or 0 for key, stage_id in (await session.exec(stages)).all()},
        StageDurations(
            {duration.stage_key: duration for duration in (await session.exec(measured)).all()}
        ),
    )


async def load_full_roster(session: AsyncSession, now: datetime | None = None) -> Roster:
    """All departments and everybody; nobody's open stages are counted."""
    departments = {
        department.key: department for department in (await session.exec(select(Department))).all()
    }
    return await _roster(session, departments, now or business_time.now())


async def _workflow_roster(
    session: AsyncSession, definition: WorkflowDefinition, now: datetime, *, counted: bool = False
) -> Roster:
    keys = {stage.department for stage in definition.stages}
    query = select(Department).where(col(Department.key).in_(keys))
    departments = {department.key: department for department in (await session.exec(query)).all()}
    roster = await _roster(session, departments, now)
    everybody = {person for members in roster.members.values() for person in members}
    people = everybody if counted else _compared(roster)
    if people:
        open_runs = (
            select(StageRun.assignee_id, sa.func.count())
            .where(col(StageRun.state) == RunState.OPEN, col(StageRun.assignee_id).in_(people))
            .group_by(col(StageRun.assignee_id))
        )
        roster.open_runs = dict((await session.exec(open_runs)).all())
    return roster


async def _roster(
    session: AsyncSession, departments: dict[str, Department], now: datetime
) -> Roster:
    ids = [department.id for department in departments.values()]
    memberships = (
        await session.exec(
            select(Membership)
            .where(col(Membership.department_id).in_(ids))
            .order_by(col(Membership.staff_member_id))
        )
    ).all()
    people = (await session.exec(select(StaffMember).order_by(col(StaffMember.id)))).all()
    members: dict[int, list[int]] = {}
    for membership in memberships:
        members.setdefault(membership.department_id, []).append(membership.staff_member_id)
    roster = Roster(
        departments=departments,
        staff={person.id: person for person in people if person.id},
        members=members,
        now=now,
    )
    # One lead for each department: the last one who is available, else the last one.
    leads = sorted(
        (
            membership
            for membership in memberships
            if membership.is_lead and roster.staff[membership.staff_member_id].disabled_at is None
        ),
        key=lambda membership: roster.is_available(membership.staff_member_id),
    )
    roster.leads = {lead.department_id: lead.staff_member_id for lead in leads}
    return roster


def _compared(roster: Roster) -> set[int]:
    """Those of whom the one with the least work is asked: nobody's, where a lead takes it."""
    return {
        person
        for department_id, members in roster.members.items()
        for lead in [roster.leads.get(department_id, 0)]
        if not (roster.is_available(lead) or roster.find_deputy(lead))
        for person in members
    }
