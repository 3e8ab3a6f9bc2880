"""The people of the sample organisation; each department of the shipped workflows has a lead."""

from dataclasses import dataclass

from sqlmodel import select

from portal.models import Role, StaffMember
from portal.operations import Turn, add_staff


@dataclass(frozen=True)
class Colleague:
    """Somebody at the desk, the departments they lead, and those that they help in."""

    name: str
    leads: tuple[str, ...] = ()
    helps: tuple[str, ...] = ()
    role: Role = Role.AGENT

    @property
    def email(self) -> str:
        """``tess.moreno@acme.example``: .example is nobody's (RFC 2606)."""
        return f"{self.name.lower().replace(' ', '.')}@acme.example"


PEOPLE = (
    Colleague("Tess Moreno", leads=("telesales",)),
    Colleague("Owen Blake", helps=("telesales", "underwriting")),
    Colleague("Uma Krishnan", leads=("underwriting",)),
    Colleague("Pia Lindqvist", leads=("processing",)),
    Colleague("Ravi Nair", helps=("processing", "courier")),
    Colleague("Carl Jensen", leads=("courier",)),
    Colleague("Dora Whitfield", leads=("counter",)),
    Colleague("Mei Tanaka", leads=("workshop", "test-bench")),
    Colleague("Ibrahim Khan", helps=("workshop", "test-bench")),
    Colleague("Rosa Delgado", leads=("permit-counter",)),
    Colleague("Frank Osei", leads=("fire",)),
    Colleague("Lena Hoffmann", leads=("plans", "development")),
    Colleague("Grace Okafor", leads=("orders", "network")),
    Colleague("Tom Ashworth", leads=("survey", "consents")),
    Colleague("Gareth Price", leads=("civil-works", "field")),
    Colleague("Helen Marsh", role=Role.MANAGER),
    Colleague("Sam Adler", role=Role.ADMIN),
)


async def add_people(turn: Turn, password_hash: str | None) -> None:
    """Add those who are not there yet; with a password's hash they can sign in at once."""
    known = set((await turn.session.exec(select(StaffMember.email))).all())
    for colleague in PEOPLE:
        if colleague.email in known:
            continue
        person, _ = await add_staff(
            turn, email=colleague.email, name=colleague.name, role=colleague.role,
            departments=colleague.leads, lead=True,
        )  # fmt: skip
        if colleague.helps:
            await add_staff(
                turn, email=colleague.email, name=colleague.name, role=colleague.role,
                departments=colleague.helps,
            )  # fmt: skip
        if password_hash is not None:
            person.set_password(password_hash)
    await turn.session.flush()
