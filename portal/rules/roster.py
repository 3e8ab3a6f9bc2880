"""Who could take what, read once at the start of a turn so that the rules stay pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from portal import business_time
from portal.errors import BadInput, Conflict
from portal.models.columns import saved_id
from portal.models.people.department import Department
from portal.models.people.staff_member import Role, StaffMember

MAX_DEPUTY_DEPTH = 2
"""A deputy who is away has a deputy too; further it does not go."""


@dataclass
class Roster:
    """The departments of a workflow and everybody who can be given work in them, as of ``now``."""

    departments: dict[str, Department]
    staff: dict[int, StaffMember]
    members: dict[int, list[int]] = field(default_factory=dict)
    leads: dict[int, int] = field(default_factory=dict)
    open_runs: dict[int, int] = field(default_factory=dict)
    now: datetime = field(default_factory=business_time.now)

    def department(self, key: str) -> Department:
        """The department by its key; it exists, since the workflow was checked when loaded."""
        return self.departments[key]

    def department_by_id(self, department_id: int) -> Department:
        """The department by its id."""
        return next(d for d in self.departments.values() if d.id == department_id)

    def person(self, staff_id: int) -> StaffMember:
        """Somebody at the desk, disabled or not."""
        return self.staff[staff_id]

    def by_email(self, email: str) -> StaffMember:
        """The person with this address, to be given something.

        Raises BadInput when nobody active has it, Conflict while they are away.
        """
        wanted = email.strip().lower()
        for person in self.staff.values():
            if person.email == wanted and not person.disabled_at:
                self._must_be_here(person)
                return person
        raise BadInput(f"Nobody at the desk has the address {email.strip()[:100]!r}.")

    def assignee(self, department: Department, named: StaffMember | None = None) -> int:
        """Who takes a stage in this department, as a staff id.

        The one named, else its lead, else its agent with the fewest open stages, else any
        manager, else any admin. Who is away or has left is replaced by their deputy, and has it
        only where nobody else could. Raises Conflict when there is nobody at all.
        """
        found = self.find_assignee(department, named)
        if found is None:
            raise Conflict(
                f"Nobody works in {department.name} yet, so nobody could own this request. "
                "Add a person with `kept staff add` first."
            )
        return found

    def find_assignee(self, department: Department, named: StaffMember | None = None) -> int | None:
        """The same; None when there is nobody at all."""
        for candidates in self._in_turn(department, named):
            here = [one for one in candidates if self.is_available(one)] or [
                deputy for one in candidates if (deputy := self.find_deputy(one)) is not None
            ]
            if here:
                return self._least_loaded(here)
        for candidates in self._in_turn(department, named):
            active = [one for one in candidates if self._is_active(one)]
            if active:
                return self._least_loaded(active)
        return None

    def substitute_or_self(self, staff_id: int, department_id: int) -> int:
        """Who has what this person had in the department: they themselves while they are here.

        They keep what nobody else could have.
        """
        if self.is_available(staff_id):
            return staff_id
        department = self.department_by_id(department_id)
        return self.find_assignee(department, self.staff.get(staff_id)) or staff_id

    def find_deputy(self, staff_id: int) -> int | None:
        """The person's deputy, or their deputy's, whoever is here; None where neither is."""
        deputy = self.staff.get(staff_id)
        for _ in range(MAX_DEPUTY_DEPTH):
            deputy = self.staff.get(deputy.deputy_id) if deputy and deputy.deputy_id else None
            if (
                deputy is not None
                and deputy.id
                and deputy.id != staff_id
                and self.is_available(deputy.id)
            ):
                return deputy.id
        return None

    def find_cover(self, staff_id: int) -> int | None:
        """By name: their deputy, else the lead of their department, if one of them is here."""
        deputy = self.find_deputy(staff_id)
        if deputy is not None:
            return deputy
        theirs = [key for key, members in self.members.items() if staff_id in members]
        leads = [self.leads[key] for key in theirs if key in self.leads]
        return next((one for one in leads if one != staff_id and self.is_available(one)), None)

    def default_manager(self) -> int | None:
        """The manager who has been here longest, else such an admin; None where there is none.

        Who is away is passed over while anybody else could be it.
        """
        managers = [*self._with_role(Role.MANAGER)], [*self._with_role(Role.ADMIN)]
        for is_fit in (self.is_available, self._is_active):
            for candidates in managers:
                fit = [person for person in candidates if is_fit(person)]
                if fit:
                    return min(fit)
        return None

    def lead_of(self, department: Department) -> int | None:
        """The department's lead; where they are away whoever stands in, if anybody does."""
        lead = self.leads.get(saved_id(department))
        if lead is None or self.is_available(lead):
            return lead
        return self.find_deputy(lead)

    def manager_of(self, department: Department) -> int | None:
        """A manager who works in the department, else whoever oversees all."""
        members = self.members.get(saved_id(department), [])
        theirs = [one for one in members if self.is_available(one) and self.staff[one].manages_all]
        return min(theirs, default=None) or self.default_manager()

    def is_away(self, staff_id: int) -> bool:
        """True while the person is absent."""
        person = self.staff.get(staff_id)
        return person is not None and person.is_away(self.now)

    def is_available(self, staff_id: int) -> bool:
        """True for whoever can be given work now: neither disabled nor away."""
        return self._is_active(staff_id) and not self.is_away(staff_id)

    def timezone_of(self, staff_id: int) -> str:
        """The time zone of the person's first department, else of any."""
        theirs = {key for key, members in self.members.items() if staff_id in members}
        zones = [one.timezone for one in self.departments.values() if one.id in theirs]
        return next(iter(zones or [one.timezone for one in self.departments.values()]), "UTC")

    def reassignment_reason(self, staff_id: int) -> str:
        """Why somebody else has their work: "Ana Reyes is away until Tue 3 Jun", "... has left"."""
        person = self.person(staff_id)
        if person.disabled_at:
            return f"{person.name} has left"
        return f"{person.name} is {person.describe_absence(self.now, self.timezone_of(staff_id))}"

    def works_in(self, person: StaffMember, department: Department) -> bool:
        """True for a member of the department."""
        return person.id in self.members.get(saved_id(department), [])

    def _must_be_here(self, person: StaffMember) -> None:
        if not self.is_away(saved_id(person)):
            return
        taker = self.find_cover(saved_id(person))
        who = f" {self.person(taker).name} stands in." if taker else ""
        raise Conflict(f"{self.reassignment_reason(saved_id(person))}.{who}")

    def _in_turn(self, department: Department, named: StaffMember | None) -> Iterator[list[int]]:
        """Those who could take it: the first group in which anybody can is asked."""
        lead = self.leads.get(saved_id(department))
        yield [named.id] if named and named.id else []
        yield [lead] if lead else []
        yield self.members.get(saved_id(department), [])
        yield list(self._with_role(Role.MANAGER))
        yield list(self._with_role(Role.ADMIN))

    def _least_loaded(self, people: Iterable[int]) -> int:
        return min(people, key=lambda person: (self.open_runs.get(person, 0), person))

    def _with_role(self, role: Role) -> Iterable[int]:
        return [key for key, person in self.staff.items() if person.role == role]

    def _is_active(self, staff_id: int) -> bool:
        person = self.staff.get(staff_id)
        return person is not None and person.disabled_at is None
