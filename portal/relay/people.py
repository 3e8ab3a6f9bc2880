"""People at the desk: joining and leaving; nobody leaves with work in hand."""

from collections.abc import Sequence

from sqlmodel import col, select

from portal.errors import BadInput, Conflict, NotFound
from portal.messaging.addresses import read_email
from portal.models import (
    ENDED,
    Department,
    EventKind,
    Membership,
    Promise,
    Role,
    RunState,
    ServiceRequest,
    StaffMember,
    StageRun,
)
from portal.queries.requests import lock_by_id
from portal.relay.opening import one_line
from portal.relay.turn import Turn

LONGEST_NAME = 120


async def add_staff(
    turn: Turn,
    *,
    email: str,
    name: str,
    role: Role | None = None,
    departments: Sequence[str] = (),
    lead: bool = False,
) -> tuple[StaffMember, str]:
    """Add a person, who owns work from now on; gives them and their invitation's secret, once.

    For a known address the name is brought up to date, departments are added, the role changes
    only where one is given (a new person is an agent), and a new invitation is made. Raises BadInput for an unknown department or a wrong address.
    """
    try:
        email = read_email(email)
    except ValueError as mistake:
        raise BadInput(str(mistake)) from None
    name = one_line(name)
    if not 0 < len(name) <= LONGEST_NAME:
        raise BadInput(f"Please give the person's name, in at most {LONGEST_NAME} letters.")
    found = {one.key: one for one in (await turn.session.exec(select(Department))).all()}
    for key in departments:
        if key not in found:
            known = ", ".join(sorted(found)) or "none yet: load a workflow first"
            raise BadInput(f"There is no department {key!r}. There is {known}.")
    query = select(StaffMember).where(col(StaffMember.email) == email)
    person = (await turn.session.exec(query)).one_or_none()
    person = person or StaffMember(email=email, name="")
    person.name, person.role, person.disabled_at = name, role or person.role, None
    secret = person.invite(turn.now)
    turn.session.add(person)
    await turn.session.flush()
    for key in departments:
        await turn.session.merge(
            Membership(
                staff_member_id=person.id or 0, department_id=found[key].id or 0, is_lead=lead
            )
        )
    await turn.session.flush()
    return person, secret


async def disable_staff(turn: Turn, email: str) -> StaffMember:
    """A person leaves: they sign in no more, and all their work goes to somebody named.

    Raises Conflict where nobody is left to take it.
    """
    query = select(StaffMember).where(col(StaffMember.email) == one_line(email).lower())
    person = (await turn.session.exec(query)).one_or_none()
    if person is None:
        raise NotFound(f"Nobody at the desk has the address {email!r}.")
    if person.disabled_at is not None:
        raise Conflict(f"{person.name} is disabled already.")
    person.disabled_at = turn.now
    person.sign_in_version += 1
    turn.session.add(person)
    await turn.session.flush()
    for request_id in await _requests_in_hand(turn, person.id or 0):
        await _pass_on(turn, await lock_by_id(turn.session, request_id), person)
    return person


async def _requests_in_hand(turn: Turn, person_id: int) -> list[int]:
    owned = select(ServiceRequest.id).where(
        col(ServiceRequest.owner_id) == person_id, col(ServiceRequest.status).not_in(ENDED)
    )
    working = select(StageRun.request_id).where(
        col(StageRun.assignee_id) == person_id, col(StageRun.state) == RunState.OPEN
    )
    promised = select(Promise.request_id).where(
        col(Promise.owner_id) == person_id, col(Promise.closed_at).is_(None)
    )
    found: set[int] = set()
    for ids in (owned, working, promised):
        found.update(one for one in (await turn.session.exec(ids)).all() if one is not None)
    return sorted(found)


async def _pass_on(turn: Turn, request: ServiceRequest, person: StaffMember) -> None:
    roster = await turn.roster(request)
    for run in request.open_runs:
        if run.assignee_id == person.id:
            handoff = request.waiting_handoff(run)
            department_id = handoff.from_department_id if handoff else run.department_id
            run.assignee_id = roster.assignee(roster.department_by_id(department_id))
    heir = roster.assignee(roster.department_by_id(request.department_id))
    if request.owner_id == person.id:
        request.owner_id = heir
    if request.coordinator_id == person.id:
        request.coordinator_id = heir
    for promise in request.promises:
        if promise.owner_id == person.id and promise.closed_at is None:
            promise.owner_id = heir
    request.settle()
    request.record(
        EventKind.ASSIGNED, turn.actor, turn.now, visible=False,
        to=roster.person(request.owner_id).name, to_id=request.owner_id,
        reason=f"{person.name} has left",
    )  # fmt: skip
    await turn.settle(request)
