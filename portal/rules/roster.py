"""Who can be given what, read once in a transaction so that the rules stay pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from portal import business_time
from portal.errors import BadInput, Conflict
from portal.models.columns import saved_id
from portal.models.people.department import Department
from portal.models.people.staff_member import Role, StaffMember
from portal.rules.colleague import Colleague

MAX_DEPUTY_DEPTH = 2
"""How many deputies in a row are tried: a deputy who is absent has a deputy too."""


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
        """The member of staff of that id, disabled or not."""
        return self.staff[staff_id]

    def by_email(self, email: str) -> StaffMember:
        """The person with this address, to be given work.

        Raises BadInput when no active person has it, Conflict while they are absent.
        """
        address = email.strip().lower()
        for person in self.staff.values():
            if person.email == address and not person.disabled_at:
                self._check_present(person)
                return person
        raise BadInput(
            f"Nobody at the desk has the address {email.strip()[:100]!r}.",
            fields={"owner": "the e-mail address of a member of staff"},
        )

    def assignee(self, department: Department, named: StaffMember | None = None) -> int:
        """Who takes a stage in this department, as a staff id.

        The person ``named``, else its lead, else its agent with the fewest open stages, else any
        manager, else any admin. A deputy replaces whoever is absent or has left; an absent person
        is given it only where nobody else can be. Raises Conflict when there is nobody at all.
        """
        staff_id = self.find_assignee(department, named)
        if staff_id is None:
            raise Conflict(
                f"Nobody works in {department.name} yet, so nobody could own this request. "
                "Add a person with `kept staff add` first."
            )
        return staff_id

    def find_assignee(self, department: Department, named: StaffMember | None = None) -> int | None:
        """The same; None when there is nobody at all."""
        for candidates in self._candidate_groups(department, named):
            available = [staff_id for staff_id in candidates if self.is_available(staff_id)] or [
                deputy
                for staff_id in candidates
                if (deputy := self.find_deputy(staff_id)) is not None
            ]
            if available:
                return self._least_loaded(available)
        for candidates in self._candidate_groups(department, named):
            active = [staff_id for staff_id in candidates if self._is_active(staff_id)]
            if active:
                return self._least_loaded(active)
        return None

    def substitute_or_self(self, staff_id: int, department_id: int) -> int:
        """The person themselves while they are present, else the department's assignee.

        They keep what nobody else can be given.
        """
        if self.is_available(staff_id):
            return staff_id
        department = self.department_by_id(department_id)
        return self.find_assignee(department, self.staff.get(staff_id)) or staff_id

    def find_deputy(self, staff_id: int) -> int | None:
        """The person's deputy, or that deputy's, whoever is present; None where neither is."""
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
        """Their deputy, else the lead of their department, if one of them is present."""
        deputy = self.find_deputy(staff_id)
        if deputy is not None:
            return deputy
        department_ids = [
            department_id for department_id, members in self.members.items() if staff_id in members
        ]
        leads = [
            self.leads[department_id]
            for department_id in department_ids
            if department_id in self.leads
        ]
        return next((lead for lead in leads if lead != staff_id and self.is_available(lead)), None)

    def default_manager(self) -> int | None:
        """The manager with the lowest id, else such an admin; None where there is none.

        Absent people are passed over while there is anybody else.
        """
        managers = [*self._with_role(Role.MANAGER)], [*self._with_role(Role.ADMIN)]
        for is_fit in (self.is_available, self._is_active):
            for candidates in managers:
                fit = [person for person in candidates if is_fit(person)]
                if fit:
                    return min(fit)
        return None

    def lead_of(self, department: Department) -> int | None:
        """The department's lead; while they are absent their deputy, if there is one."""
        lead = self.leads.get(saved_id(department))
        if lead is None or self.is_available(lead):
            return lead
        return self.find_deputy(lead)

    def manager_of(self, department: Department) -> int | None:
        """A manager who works in the department, else the default manager."""
        members = self.members.get(saved_id(department), [])
        managers = [
            staff_id
            for staff_id in members
            if self.is_available(staff_id) and self.staff[staff_id].manages_all
        ]
        return min(managers, default=None) or self.default_manager()

    def is_away(self, staff_id: int) -> bool:
        """True while the person is absent."""
        person = self.staff.get(staff_id)
        return person is not None and person.is_away(self.now)

    def is_available(self, staff_id: int) -> bool:
        """True for a person who can be given work now: neither disabled nor absent."""
        return self._is_active(staff_id) and not self.is_away(staff_id)

    def timezone_of(self, staff_id: int) -> str:
        """The time zone of the person's first department, else of any."""
        department_ids = {
            department_id for department_id, members in self.members.items() if staff_id in members
        }
        zones = [
            department.timezone
            for department in self.departments.values()
            if department.id in department_ids
        ]
        return next(
            iter(zones or [department.timezone for department in self.departments.values()]), "UTC"
        )

    def reassignment_reason(self, staff_id: int) -> str:
        """Why their work is reassigned: "Ana Reyes is away until Tue 3 Jun", "... has left"."""
        person = self.person(staff_id)
        if person.disabled_at:
            return f"{person.name} has left"
        return f"{person.name} is {person.describe_absence(self.now, self.timezone_of(staff_id))}"

    def colleague(self, person: StaffMember) -> Colleague:
        """The person with their places in these departments, as authorization sees them."""
        department_ids = [
            department_id for department_id, members in self.members.items() if person.id in members
        ]
        return Colleague(
            staff_id=saved_id(person),
            name=person.name,
            manages_all=person.manages_all,
            departments=frozenset(department_ids),
            leads=frozenset(
                department_id for department_id, lead in self.leads.items() if lead == person.id
            ),
            department_names={
                saved_id(department): department.name for department in self.departments.values()
            },
        )

    def works_in(self, person: StaffMember, department: Department) -> bool:
        """True for a member of the department."""
        return person.id in self.members.get(saved_id(department), [])

    def _check_present(self, person: StaffMember) -> None:
        if not self.is_away(saved_id(person)):
            return
        cover_id = self.find_cover(saved_id(person))
        cover = f" {self.person(cover_id).name} stands in." if cover_id else ""
        raise Conflict(f"{self.reassignment_reason(saved_id(person))}.{cover}")

    def _candidate_groups(
        self, department: Department, named: StaffMember | None
    ) -> Iterator[list[int]]:
        """Groups of candidates, the first choice first."""
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
