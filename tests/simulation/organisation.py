"""The organisation: who works where, who is absent, who has left."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlmodel import col, select

from portal import operations
from portal.business_time import BusinessCalendar
from portal.demo.sample_data.staff import add_sample_staff
from portal.models import Actor, ActorKind, Department, Membership, Role, StaffMember
from portal.operations import add_staff, disable_staff, load_workflow
from portal.workflows import WorkflowDefinition, read_workflow_file, shipped_workflow_files
from tests.simulation.event_loop import Simulation
from tests.simulation.faults import Fault

ADMINISTRATION = Actor(ActorKind.SYSTEM, "Administration")
AGENTS = ("Noah Lind", "Ada Marsh", "Ivo Brandt", "Mia Sorel", "Ken Oduya", "Eva Holt")


@dataclass
class SimulatedStaff:
    """A colleague at the desk, as the simulation knows them."""

    id: int
    name: str
    email: str
    role: Role
    departments: frozenset[int]
    left_at: datetime | None = None
    away: list[tuple[datetime, datetime]] = field(default_factory=list)

    @property
    def actor(self) -> Actor:
        """The actor of their actions."""
        return Actor(ActorKind.STAFF, self.name, self.id)

    def is_present(self, at: datetime) -> bool:
        """Whether they have not left and are not absent."""
        if self.left_at is not None and at >= self.left_at:
            return False
        return not any(begin <= at < end for begin, end in self.away)


class Organisation:
    """Departments, their hours and their staff."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.people: dict[int, SimulatedStaff] = {}
        self.departments: dict[int, Department] = {}
        self.workflows: dict[str, WorkflowDefinition] = {}

    async def open(self) -> None:
        """Load the shipped workflows and add the staff."""
        async with self.simulation.operations.begin(ADMINISTRATION) as uow:
            for path in shipped_workflow_files():
                definition = read_workflow_file(path)
                await load_workflow(uow, definition)
                self.workflows[definition.key] = definition
            await add_sample_staff(uow, None)
            keys = sorted({k for workflow in self.workflows.values() for k in workflow.departments})
            for number, key in enumerate(keys):
                name = AGENTS[number % len(AGENTS)]
                await add_staff(
                    uow, email=f"{name.split()[0].lower()}.{number // 6}@acme.example",
                    name=f"{name} {'I' * (number // 6 + 1)}", departments=[key],
                )  # fmt: skip
        async with self.simulation.database.reading() as session:
            departments = (await session.exec(select(Department))).all()
            self.departments = {department.id or 0: department for department in departments}
            seats = (await session.exec(select(Membership))).all()
            everybody = select(StaffMember).order_by(col(StaffMember.id))
            for member in (await session.exec(everybody)).all():
                theirs = {seat.department_id for seat in seats if seat.staff_member_id == member.id}
                self.people[member.id or 0] = SimulatedStaff(
                    member.id or 0, member.name, member.email, member.role, frozenset(theirs)
                )

    def calendar(self, department_id: int) -> BusinessCalendar:
        """The hours of a department."""
        return self.departments[department_id].calendar

    def person(self, staff_id: int) -> SimulatedStaff:
        """The colleague with that id."""
        return self.people[staff_id]

    def choose_available(self, department_id: int, *names: object) -> SimulatedStaff | None:
        """A colleague of the department who is present; otherwise a manager who is."""
        here = [person for person in self.people.values() if person.is_present(self.simulation.now)]
        theirs = [person for person in here if department_id in person.departments]
        managers = [person for person in here if person.role in (Role.MANAGER, Role.ADMIN)]
        found = theirs or managers
        return self.simulation.dice.of("somebody", *names).choice(found) if found else None

    def responsible(
        self, staff_id: int, department_id: int, *names: object
    ) -> SimulatedStaff | None:
        """That colleague if present; otherwise, by chance, another one of the department."""
        person = self.person(staff_id)
        if person.is_present(self.simulation.now):
            return person
        if self.simulation.dice.of("for a colleague", *names).random() < 0.3:
            return self.choose_available(department_id, *names)
        return None

    def schedule_absences(self, until: datetime) -> None:
        """Plan absences, with and without notice and deputy, and who leaves."""
        simulation = self.simulation
        days = (until - simulation.now).days
        for person in list(self.people.values()):
            if person.role != Role.AGENT:
                continue
            chance = simulation.dice.of("absence", person.email)
            if simulation.dice.hit(Fault.LEAVING, 0.12, person.email):
                self._plan_leaving(
                    person, simulation.now + timedelta(days=chance.uniform(2, 0.8 * days))
                )
            for number in range(2):
                if simulation.dice.hit(Fault.ABSENT, 0.35, person.email, number):
                    begin = simulation.now + timedelta(
                        days=chance.randint(1, max(days - 1, 2)), hours=chance.choice((0, 2, 5))
                    )
                    self._plan_absence(person, begin, begin + timedelta(days=chance.randint(1, 6)))

    def _plan_leaving(self, person: SimulatedStaff, at: datetime) -> None:
        async def leave() -> None:
            async with self.simulation.operations.begin(ADMINISTRATION) as uow:
                await disable_staff(uow, person.email)
            person.left_at = self.simulation.now
            self.simulation.count("people who left")

        self.simulation.at(at, leave)

    def _plan_absence(self, person: SimulatedStaff, begin: datetime, end: datetime) -> None:
        """Plan one absence: recorded before, at its start, hours later or never."""
        simulation = self.simulation
        chance = simulation.dice.of("notice", person.email, begin)
        recorded = chance.choice(("before", "before", "then", "late", "never"))
        deputies = [
            other.email
            for other in self.people.values()
            if other is not person and other.departments & person.departments
        ]
        deputy = chance.choice(deputies) if deputies and chance.random() < 0.6 else None

        async def go() -> None:
            if person.left_at is None:
                person.away.append((begin, end))
                simulation.count(
                    "people away" if recorded != "never" else "people away, not recorded"
                )

        async def record() -> None:
            if person.left_at is None:
                async with simulation.operations.begin(ADMINISTRATION) as uow:
                    await operations.mark_absent(
                        uow,
                        person.email,
                        from_=max(begin, simulation.now),
                        until=end,
                        deputy=deputy,
                    )

        simulation.at(begin, go, needs_system=False)
        simulation.at(begin + timedelta(seconds=2), simulation.workers.run_all)
        when = {
            "before": begin - timedelta(hours=20), "then": begin,
            "late": begin + timedelta(hours=3),
        }  # fmt: skip
        if recorded in when:
            simulation.at(when[recorded], record)


def earliest_open(calendars: Iterable[BusinessCalendar], at: datetime) -> datetime:
    """The first moment from then on at which one of the departments is open."""
    return min(calendar.next_open(at) for calendar in calendars)


def part_of_open_time(
    calendar: BusinessCalendar, begin: datetime, whole: datetime, share: float
) -> datetime:
    """The moment after this share of the open time between two moments."""
    length = calendar.elapsed(begin, whole) or (whole - begin)
    return calendar.next_open(calendar.add_open_time(begin, length * share))
