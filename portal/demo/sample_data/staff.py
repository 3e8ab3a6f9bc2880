"""The staff of the sample organisation; each department of the shipped workflows has a lead."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlmodel import select

from portal.models import Role, StaffMember
from portal.operations import UnitOfWork, add_staff


@dataclass(frozen=True)
class SampleStaff:
    """A colleague, the departments that they lead, and those that they help in."""

    name: str
    leads: tuple[str, ...] = ()
    helps: tuple[str, ...] = ()
    role: Role = Role.AGENT
    mailbox: str = ""

    @property
    def email(self) -> str:
        """``tess.moreno@acme.example``, or the mailbox there: .example is reserved (RFC 2606)."""
        return f"{self.mailbox or self.name.lower().replace(' ', '.')}@acme.example"


SAMPLE_STAFF = (
    SampleStaff("Tess Moreno", leads=("telesales",)),
    SampleStaff("Owen Blake", helps=("telesales", "underwriting")),
    SampleStaff("Uma Krishnan", leads=("underwriting",)),
    SampleStaff("Pia Lindqvist", leads=("processing",)),
    SampleStaff("Ravi Nair", helps=("processing", "courier")),
    SampleStaff("Carl Jensen", leads=("courier",)),
    SampleStaff("Dora Whitfield", leads=("counter",)),
    SampleStaff("Mei Tanaka", leads=("workshop", "test-bench")),
    SampleStaff("Ibrahim Khan", helps=("workshop", "test-bench")),
    SampleStaff("Rosa Delgado", leads=("permit-counter",)),
    SampleStaff("Frank Osei", leads=("fire",)),
    SampleStaff("Lena Hoffmann", leads=("plans", "development")),
    SampleStaff("Grace Okafor", leads=("orders", "network")),
    SampleStaff("Tom Ashworth", leads=("survey", "consents")),
    SampleStaff("Gareth Price", leads=("civil-works", "field")),
    SampleStaff("Helen Marsh", role=Role.MANAGER),
    SampleStaff("Sam Adler", role=Role.ADMIN),
)


async def add_sample_staff(
    uow: UnitOfWork, password_hash: str | None = None, people: Iterable[SampleStaff] = SAMPLE_STAFF
) -> None:
    """Add those who are not there yet; with a password's hash they can sign in at once."""
    known = set((await uow.session.exec(select(StaffMember.email))).all())
    for colleague in people:
        if colleague.email in known:
            continue
        person, _ = await add_staff(
            uow, email=colleague.email, name=colleague.name, role=colleague.role,
            departments=colleague.leads, lead=True,
        )  # fmt: skip
        if colleague.helps:
            await add_staff(
                uow, email=colleague.email, name=colleague.name, role=colleague.role,
                departments=colleague.helps,
            )  # fmt: skip
        if password_hash is not None:
            person.set_password(password_hash)
    await uow.session.flush()
