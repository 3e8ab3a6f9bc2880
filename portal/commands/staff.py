"""`kept staff`: the people at the desk."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from portal import business_time
from portal.attachments.file_store import FileStore
from portal.commands.runner import COMMAND_LINE_ACTOR, command
from portal.errors import BadInput, NotFound
from portal.models import Role, StaffMember
from portal.models.columns import saved_id
from portal.operations import (
    Operations,
    add_staff,
    disable_staff,
    mark_absent,
    mark_returned,
    reassign_all,
    set_department_lead,
)
from portal.operations.accounts import remove_photo, set_photo
from portal.operations.staff import parse_day
from portal.queries.roster import load_full_roster
from portal.queries.staff import all_memberships, find_staff_by_email
from portal.rules.roster import Roster


@command
async def add_person(
    operations: Operations,
    email: str,
    name: str,
    role: str | None,
    departments: Sequence[str],
    *,
    lead: bool,
) -> list[str]:
    """Add a person; the last line is the one-time link with which they set a password."""
    if role is not None and role not in list(Role):
        raise BadInput(f"There is no role {role!r}. It is agent, manager or admin.")
    async with operations.begin(COMMAND_LINE_ACTOR) as uow:
        person, secret = await add_staff(
            uow,
            email=email,
            name=name,
            role=Role(role) if role else None,
            departments=departments,
            lead=lead,
        )
    return [
        f"{person.name} ({person.email}) may set a password here, once, within a week:",
        f"{operations.settings.public_url}/desk/invitations/{secret}",
    ]


@command
async def list_people(operations: Operations) -> list[str]:
    """A line for each person: address, name, role, departments and absence."""
    async with operations.database.reading() as session:
        roster = await load_full_roster(session, business_time.now())
        seats = await all_memberships(session)
    people = sorted(roster.staff.values(), key=lambda person: person.email)
    return [_line(person, seats, roster) for person in people] or ["Nobody yet: `kept staff add`."]


@command
async def set_absent(
    operations: Operations, email: str, from_: str | None, until: str | None, deputy: str | None
) -> list[str]:
    """Mark a person as absent and reassign all of their work before returning."""
    async with operations.database.reading() as session:
        person = await find_staff_by_email(session, email)
        roster = await load_full_roster(session, business_time.now())
    zone = roster.timezone_of(saved_id(person) if person else 0)
    async with operations.begin(COMMAND_LINE_ACTOR) as uow:
        person = await mark_absent(
            uow,
            email,
            from_=parse_day(from_ or "", zone),
            until=parse_day(until or "", zone),
            deputy=deputy,
        )
        roster = await load_full_roster(uow.session, uow.now)
        words = f"{person.name} is {_away(person, roster)}."
    await reassign_all(operations, COMMAND_LINE_ACTOR)
    return [words]


@command
async def set_back(operations: Operations, email: str) -> list[str]:
    """Mark a person as returned; reassigned work stays where it is."""
    async with operations.begin(COMMAND_LINE_ACTOR) as uow:
        person = await mark_returned(uow, email)
    return [f"{person.name} is here again. What others took over stays with them."]


@command
async def lead(operations: Operations, email: str, department: str) -> list[str]:
    """Make a person the lead of a department, in place of the current one."""
    async with operations.begin(COMMAND_LINE_ACTOR) as uow:
        person = await set_department_lead(uow, email, department)
    return [f"{person.name} leads {department}."]


@command
async def disable_person(operations: Operations, email: str) -> list[str]:
    """Disable a person; their work is reassigned."""
    async with operations.begin(COMMAND_LINE_ACTOR) as uow:
        person = await disable_staff(uow, email)
    await reassign_all(operations, COMMAND_LINE_ACTOR)
    return [f"{person.name} is signed out for good; their work has been passed on."]


@command
async def photo(operations: Operations, email: str, path: Path | None) -> list[str]:
    """Give a person the photo in that file; without a file, remove theirs.

    Raises NotFound, BadInput for a file that cannot be read, FileRefused and Conflict.
    """
    settings = operations.settings
    image = None
    if path is not None:
        store = FileStore(settings.files_dir, settings.max_upload_bytes)
        image = await store.make_portrait(await asyncio.to_thread(_read, path))
    async with operations.begin(COMMAND_LINE_ACTOR) as uow:
        person = await find_staff_by_email(uow.session, email)
        if person is None:
            raise NotFound(f"Nobody at the desk has the address {email[:100]!r}.")
        if image is None:
            await remove_photo(uow, person)
            return [f"{person.name} has no photo now."]
        await set_photo(uow, person, image)
    return [f"{person.name} has this photo now, of {len(image)} bytes."]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from None


def _line(person: StaffMember, seats: Sequence[tuple[int, str, bool]], roster: Roster) -> str:
    departments = [
        f"{key} (lead)" if is_lead else key for who, key, is_lead in seats if who == person.id
    ]
    states = [person.role.value, *departments]
    if person.disabled_at:
        states.append("disabled")
    elif person.password_hash is None:
        states.append("has not set a password yet")
    if not person.disabled_at and person.will_be_away(roster.now):
        states.append(_away(person, roster))
    return f"{person.email}: {person.name}, {', '.join(states)}"


def _away(person: StaffMember, roster: Roster) -> str:
    """The absence of a person, with the deputy if one is named."""
    words = person.describe_absence(roster.now, roster.timezone_of(saved_id(person)))
    deputy = roster.staff.get(person.deputy_id or 0)
    return f"{words}; {deputy.name} stands in" if deputy else words
