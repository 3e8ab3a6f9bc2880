"""Staff: added, absent, disabled; the open work of absent and disabled people is reassigned."""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from portal.errors import BadInput, Conflict, NotFound
from portal.messaging.one_line import one_line
from portal.models import (
    AccountEventKind,
    Department,
    Membership,
    Role,
    SignInEnd,
    StaffMember,
)
from portal.models.columns import saved_id
from portal.models.people.contact_address import parse_email_address
from portal.operations.accounts import end_all_sign_ins, record_account_event
from portal.operations.accounts.photos import delete_photo
from portal.operations.authorization import authorize_absence
from portal.operations.reassignment import reassign_from
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.reassignment import departments_with_open_work
from portal.queries.roster import load_full_roster

MAX_NAME_LENGTH = 120
VALID_YEARS = 2000, 2199
"""Whoever names another year has mistyped it."""


async def add_staff(
    uow: UnitOfWork,
    *,
    email: str,
    name: str,
    role: Role | None = None,
    departments: Sequence[str] = (),
    lead: bool = False,
) -> tuple[StaffMember, str]:
    """Add a person, who may own work from now on; returns them and the secret of their invitation.

    For a known address the name is updated, departments are added, the role changes
    only where one is given (a new person is an agent), and a new invitation is made: it takes their
    password away and ends their sign-ins. Raises BadInput for an unknown department or a wrong
    address.
    """
    try:
        email = parse_email_address(email)
    except ValueError as error:
        raise BadInput(str(error)) from None
    name = one_line(name)
    if not 0 < len(name) <= MAX_NAME_LENGTH:
        raise BadInput(f"Please give the person's name, in at most {MAX_NAME_LENGTH} letters.")
    department_ids = await _departments(uow, departments)
    query = select(StaffMember).where(col(StaffMember.email) == email)
    person = (await uow.session.exec(query)).one_or_none()
    person = person or StaffMember(email=email, name="")
    if person.disabled_at is not None:
        person.end_absence()  # Their absence was set before they left.
    person.name, person.role, person.disabled_at = name, role or person.role, None
    secret = person.invite(uow.now)
    uow.session.add(person)
    await uow.session.flush()
    await record_account_event(uow, person, AccountEventKind.INVITED)
    await end_all_sign_ins(uow, person, SignInEnd.INVITED)
    for key in departments:
        await uow.session.merge(
            Membership(
                staff_member_id=saved_id(person), department_id=department_ids[key], is_lead=lead
            )
        )
    await uow.session.flush()
    return person, secret


async def mark_absent(
    uow: UnitOfWork,
    email: str,
    *,
    from_: datetime | None = None,
    until: datetime | None = None,
    deputy: str | None = None,
) -> StaffMember:
    """Mark a person absent from a time (now) until another (None: until they are marked returned).

    Their work is reassigned to their deputy, else to their department's lead, at once or when the
    absence begins; they are assigned nothing while it lasts. A person has one absence at a time; a
    new one replaces it. ``deputy`` is an e-mail address; None keeps the one they had, empty names
    nobody. Raises NotFound, BadInput and Conflict.
    """
    person = await _lock_person(uow, email)
    await authorize_absence(uow, person)
    if person.disabled_at is not None:
        raise Conflict(f"{person.name} is disabled, so their work has gone to others already.")
    from_ = from_ or uow.now
    if from_ > uow.now and person.is_away(uow.now):
        raise Conflict(
            f"{person.name} is away now. Say that they are back first, then note the later absence."
        )
    if until is not None and until <= max(from_, uow.now):
        raise BadInput(
            "They would be back before they are away. Please give a later day.",
            fields={"until": "a time to come"},
        )
    deputy_id = person.deputy_id
    if deputy is not None:
        deputy_id = await _deputy_id(uow, person, deputy, max(from_, uow.now))
    person.set_absence(from_, until, deputy_id)
    await _publish_change(uow, person)
    if person.is_away(uow.now):
        await reassign_from(uow, person)
    return person


def parse_day(text: str, timezone: str) -> datetime | None:
    """A day (its beginning) or a time as a person writes it, in that zone.

    "2025-06-03", "2025-06-03 13:00"; one with an offset is taken as it is. None for no text.
    Raises BadInput.
    """
    if not text.strip():
        return None
    try:
        time = datetime.fromisoformat(text.strip())
        if time.tzinfo is None:
            time = time.replace(tzinfo=ZoneInfo(timezone))
        time = time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInput(
            f"{text.strip()[:40]!r} is no day. Please write it like 2025-06-03."
        ) from None
    if not VALID_YEARS[0] <= time.year <= VALID_YEARS[1]:
        raise BadInput(f"Please give a day between {VALID_YEARS[0]} and {VALID_YEARS[1]}.")
    return time


async def mark_returned(uow: UnitOfWork, email: str) -> StaffMember:
    """End an absence, or cancel a future one. Reassigned work stays where it is.

    Raises NotFound, or Conflict where no absence is noted.
    """
    person = await _lock_person(uow, email)
    await authorize_absence(uow, person)
    if not person.will_be_away(uow.now):
        raise Conflict(f"{person.name} is not marked as away.")
    person.end_absence()
    await _publish_change(uow, person)
    return person


async def set_department_lead(uow: UnitOfWork, email: str, department: str) -> StaffMember:
    """Make a person the lead of a department, in place of its lead; they work there from now on.

    Raises NotFound, BadInput for an unknown department, Conflict for somebody disabled.
    """
    person = await _lock_person(uow, email)
    if person.disabled_at is not None:
        raise Conflict(f"{person.name} is disabled and cannot lead a department.")
    department_id = (await _departments(uow, [department]))[department]
    query = select(Membership).where(col(Membership.department_id) == department_id)
    for membership in (await uow.session.exec(query)).all():
        membership.is_lead = False
    await uow.session.merge(
        Membership(staff_member_id=saved_id(person), department_id=department_id, is_lead=True)
    )
    await _publish_change(uow, person)
    return person


async def disable_staff(uow: UnitOfWork, email: str) -> StaffMember:
    """Disable a person: they cannot sign in, and all their work is reassigned; their photo is erased.

    Raises Conflict where nobody is left to take it.
    """
    person = await _lock_person(uow, email)
    if person.disabled_at is not None:
        raise Conflict(f"{person.name} is disabled already.")
    person.disabled_at = uow.now
    await _publish_change(uow, person)
    await delete_photo(uow, person)
    await record_account_event(uow, person, AccountEventKind.DISABLED)
    await end_all_sign_ins(uow, person, SignInEnd.DISABLED)
    roster = await load_full_roster(uow.session, uow.now)
    for department_id in sorted(await departments_with_open_work(uow.session, saved_id(person))):
        roster.assignee(roster.department_by_id(department_id), person)
    await reassign_from(uow, person)
    return person


async def _lock_person(uow: UnitOfWork, email: str) -> StaffMember:
    query = select(StaffMember).where(col(StaffMember.email) == one_line(email).lower())
    person = (await uow.session.exec(query.with_for_update())).one_or_none()
    if person is None:
        raise NotFound(f"Nobody at the desk has the address {email[:100]!r}.")
    return person


async def _deputy_id(uow: UnitOfWork, person: StaffMember, email: str, at: datetime) -> int | None:
    """The id of the deputy; None for none."""
    if not email.strip():
        return None
    query = select(StaffMember).where(col(StaffMember.email) == one_line(email).lower())
    deputy = (await uow.session.exec(query)).one_or_none()
    refusal = None
    if deputy is None or deputy.disabled_at is not None:
        refusal = f"Nobody at the desk has the address {email.strip()[:100]!r}."
    elif deputy.id == person.id:
        refusal = f"{person.name} cannot stand in for themselves. Please name a colleague."
    elif deputy.is_away(at):
        refusal = f"{deputy.name} is away then too. Please name somebody who is here."
    if refusal is not None:
        raise BadInput(refusal, fields={"deputy": "the e-mail address of a colleague"})
    return deputy.id if deputy else None


async def _departments(uow: UnitOfWork, keys: Sequence[str]) -> dict[str, int]:
    """The departments' ids by key. Raises BadInput for an unknown one."""
    department_ids = {
        department.key: saved_id(department)
        for department in (await uow.session.exec(select(Department))).all()
    }
    for key in keys:
        if key not in department_ids:
            known = ", ".join(sorted(department_ids)) or "none yet: load a workflow first"
            raise BadInput(f"There is no department {key!r}. There is {known}.")
    return department_ids


async def _publish_change(uow: UnitOfWork, person: StaffMember) -> None:
    uow.session.add(person)
    await uow.session.flush()
