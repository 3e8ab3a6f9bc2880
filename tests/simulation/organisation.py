"""The people of the organisation: who works where, who is away, who has left."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlmodel import col, select

from portal import operations
from portal.business_time import BusinessCalendar
from portal.demo.sample_data.staff import add_sample_staff
from portal.models import (
    Actor,
    ActorKind,
    Department,
    Membership,
    Role,
    StaffMember,
)
from portal.operations import add_staff, disable_staff, load_workflow
from portal.workflows import WorkflowDefinition, read_workflow_file, shipped_workflow_files
from tests.simulation.event_loop import EventLoop
from tests.simulation.faults import Fault

ORGANISATION_ACTOR = Actor(ActorKind.SYSTEM, "The office")
STAFF_NAMES = ("Noah Lind", "Ada Marsh", "Ivo Brandt", "Mia Sorel", "Ken Oduya", "Eva Holt")


@dataclass
class SimulatedStaff:
    """Somebody at the desk, as far as the simulation knows them."""

    id: int
    name: str
    email: str
    role: Role
    departments: frozenset[int]
    left_at: datetime | None = None
    away: list[tuple[datetime, datetime]] = field(default_factory=list)

    @property
    def actor(self) -> Actor:
        """As the hand behind a deed."""
        return Actor(ActorKind.STAFF, self.name, self.id)

    def is_available(self, at: datetime) -> bool:
        """Neither gone nor away."""
        if self.left_at is not None and at >= self.left_at:
            return False
        return not any(begin <= at < end for begin, end in self.away)


class Organisation:
    """Departments, their hours and their people."""

    def __init__(self, world: EventLoop) -> None:
        self.world = world
        self.people: dict[int, SimulatedStaff] = {}
        self.departments: dict[int, Department] = {}
        self.workflows: dict[str, WorkflowDefinition] = {}

    async def open(self) -> None:
        """Load the workflows that come with Kept, and let everybody move in."""
        async with self.world.operations.begin(ORGANISATION_ACTOR) as uow:
            for path in shipped_workflow_files():
                definition = read_workflow_file(path)
                await load_workflow(uow, definition)
                self.workflows[definition.key] = definition
            await add_sample_staff(uow, None)
            keys = sorted({k for one in self.workflows.values() for k in one.departments})
            for number, key in enumerate(keys):
                name = STAFF_NAMES[number % len(STAFF_NAMES)]
                await add_staff(
                    uow, email=f"{name.split()[0].lower()}.{number // 6}@acme.example",
                    name=f"{name} {'I' * (number // 6 + 1)}", departments=[key],
                )  # fmt: skip
        async with self.world.database.reading() as session:
            departments = (await session.exec(select(Department))).all()
            self.departments = {one.id or 0: one for one in departments}
            seats = (await session.exec(select(Membership))).all()
            everybody = select(StaffMember).order_by(col(StaffMember.id))
            for one in (await session.exec(everybody)).all():
                theirs = {seat.department_id for seat in seats if seat.staff_member_id == one.id}
                self.people[one.id or 0] = SimulatedStaff(
                    one.id or 0, one.name, one.email, one.role, frozenset(theirs)
                )

    def calendar(self, department_id: int) -> BusinessCalendar:
        """The hours of a department."""
        return self.departments[department_id].calendar

    def person(self, staff_id: int) -> SimulatedStaff:
        """By the id in the database."""
        return self.people[staff_id]

    def pick_available(self, department_id: int, *names: object) -> SimulatedStaff | None:
        """Who works there and is here now; else whoever oversees and is here."""
        here = [one for one in self.people.values() if one.is_available(self.world.now)]
        theirs = [one for one in here if department_id in one.departments]
        overseers = [one for one in here if one.role in (Role.MANAGER, Role.ADMIN)]
        found = theirs or overseers
        return self.world.dice.of("somebody", *names).choice(found) if found else None

    def hand(self, staff_id: int, department_id: int, *names: object) -> SimulatedStaff | None:
        """That person if they are here; otherwise nobody does it for them but by chance."""
        person = self.person(staff_id)
        if person.is_available(self.world.now):
            return person
        if self.world.dice.of("for a colleague", *names).random() < 0.3:
            return self.pick_available(department_id, *names)
        return None

    def schedule_absences(self, until: datetime) -> None:
        """Who will be away, with notice and a deputy or without; and who leaves."""
        world = self.world
        days = (until - world.now).days
        for person in list(self.people.values()):
            if person.role != Role.AGENT:
                continue
            chance = world.dice.of("absence", person.email)
            if world.dice.hit(Fault.LEAVING, 0.12, person.email):
                self._leave(person, world.now + timedelta(days=chance.uniform(2, 0.8 * days)))
            for number in range(2):
                if world.dice.hit(Fault.ABSENT, 0.35, person.email, number):
                    begin = world.now + timedelta(
                        days=chance.randint(1, max(days - 1, 2)), hours=chance.choice((0, 2, 5))
                    )
                    self._be_away(person, begin, begin + timedelta(days=chance.randint(1, 6)))

    def _leave(self, person: SimulatedStaff, at: datetime) -> None:
        async def leave() -> None:
            async with self.world.operations.begin(ORGANISATION_ACTOR) as uow:
                await disable_staff(uow, person.email)
            person.left_at = self.world.now
            self.world.count("people who left")

        self.world.at(at, leave)

    def _be_away(self, person: SimulatedStaff, begin: datetime, end: datetime) -> None:
        """Told beforehand, on the day itself, hours later, or never; some name a deputy."""
        world = self.world
        chance = world.dice.of("notice", person.email, begin)
        told = chance.choice(("before", "before", "then", "late", "never"))
        deputies = [
            one.email
            for one in self.people.values()
            if one is not person and one.departments & person.departments
        ]
        deputy = chance.choice(deputies) if deputies and chance.random() < 0.6 else None

        async def go() -> None:
            if person.left_at is None:
                person.away.append((begin, end))
                world.count("people away" if told != "never" else "people away, nobody told")

        async def tell() -> None:
            if person.left_at is None:
                async with world.operations.begin(ORGANISATION_ACTOR) as uow:
                    await operations.mark_absent(
                        uow, person.email, from_=max(begin, world.now), until=end, deputy=deputy
                    )

        world.at(begin, go, ours=False)
        world.at(begin + timedelta(seconds=2), world.crew.run_all)
        when = {
            "before": begin - timedelta(hours=20), "then": begin,
            "late": begin + timedelta(hours=3),
        }  # fmt: skip
        if told in when:
            world.at(when[told], tell)


def earliest_open(calendars: Iterable[BusinessCalendar], at: datetime) -> datetime:
    """The first moment from then on at which one of them works."""
    return min(calendar.next_open(at) for calendar in calendars)


def at_share_of_open_time(
    calendar: BusinessCalendar, begin: datetime, whole: datetime, share: float
) -> datetime:
    """Some share of the open time between two moments later, when somebody is at work."""
    length = calendar.elapsed(begin, whole) or (whole - begin)
    return calendar.next_open(calendar.add_open_time(begin, length * share))
