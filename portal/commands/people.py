"""`kept staff`: who sits at the desk."""

from collections.abc import Sequence

from sqlmodel import col, select

from portal.commands.ground import THE_TERMINAL, act
from portal.errors import BadInput
from portal.models import Department, Membership, Role, StaffMember
from portal.relay import Relay, add_staff, disable_staff
from portal.settings import Settings


def add(
    settings: Settings,
    email: str,
    name: str,
    role: str | None,
    departments: Sequence[str],
    *,
    lead: bool,
) -> list[str]:
    """Add a person; the last line is the link with which they set a password, shown this once."""
    if role is not None and role not in list(Role):
        raise BadInput(f"There is no role {role!r}. It is agent, manager or admin.")

    async def join(relay: Relay) -> list[str]:
        async with relay.turn(THE_TERMINAL) as turn:
            person, secret = await add_staff(
                turn,
                email=email,
                name=name,
                role=Role(role) if role else None,
                departments=departments,
                lead=lead,
            )
        return [
            f"{person.name} ({person.email}) may set a password here, once, within a week:",
            f"{settings.public_url}/desk/invitations/{secret}",
        ]

    return act(settings, join)


def list_people(settings: Settings) -> list[str]:
    """A line for each person: address, name, role, departments."""

    async def read(relay: Relay) -> list[str]:
        async with relay.database.reading() as session:
            people = (
                await session.exec(select(StaffMember).order_by(col(StaffMember.email)))
            ).all()
            seats = (
                await session.exec(
                    select(Membership.staff_member_id, Department.key, Membership.is_lead)
                    .join(Department, col(Department.id) == col(Membership.department_id))
                    .order_by(col(Department.key))
                )
            ).all()
        return [_line(person, seats) for person in people] or ["Nobody yet: `kept staff add`."]

    return act(settings, read)


def disable(settings: Settings, email: str) -> list[str]:
    """A person leaves; what they own passes to their departments."""

    async def leave(relay: Relay) -> list[str]:
        async with relay.turn(THE_TERMINAL) as turn:
            person = await disable_staff(turn, email)
        return [f"{person.name} is signed out for good; their work has been passed on."]

    return act(settings, leave)


def _line(person: StaffMember, seats: Sequence[tuple[int, str, bool]]) -> str:
    departments = [
        f"{key} (lead)" if is_lead else key for who, key, is_lead in seats if who == person.id
    ]
    states = [person.role.value, *departments]
    if person.disabled_at:
        states.append("disabled")
    elif person.password_hash is None:
        states.append("has not set a password yet")
    return f"{person.email}: {person.name}, {', '.join(states)}"
