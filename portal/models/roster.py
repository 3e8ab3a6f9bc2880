"""Who could take what, read once at the start of a turn so that the rules stay pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from portal.errors import BadInput, Conflict, NotAllowed
from portal.models.department import Department
from portal.models.staff_member import Role, StaffMember


@dataclass
class Roster:
    """The departments of a workflow and everybody who can be given work in them."""

    departments: dict[str, Department]
    staff: dict[int, StaffMember]
    members: dict[int, list[int]] = field(default_factory=dict)
    leads: dict[int, int] = field(default_factory=dict)
    open_runs: dict[int, int] = field(default_factory=dict)

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
        """The person with this address. Raises BadInput when nobody active has it."""
        wanted = email.strip().lower()
        for person in self.staff.values():
            if person.email == wanted and not person.disabled_at:
                return person
        raise BadInput(f"Nobody at the desk has the address {email.strip()[:100]!r}.")

    def assignee(self, department: Department, named: StaffMember | None = None) -> int:
        """Who takes a stage in this department, as a staff id.

        The one named, else its lead, else its agent with the fewest open stages, else any
        manager, else any admin. Raises Conflict when there is nobody at all.
        """
        if named and named.id:
            return named.id
        department_id = department.id or 0
        lead = self.leads.get(department_id)
        if lead and self._is_active(lead):
            return lead
        for candidates in (
            self.members.get(department_id, []),
            self._with_role(Role.MANAGER),
            self._with_role(Role.ADMIN),
        ):
            active = [person for person in candidates if self._is_active(person)]
            if active:
                return min(active, key=lambda person: (self.open_runs.get(person, 0), person))
        raise Conflict(
            f"Nobody works in {department.name} yet, so nobody could own this request. "
            "Add a person with `kept staff add` first."
        )

    def works_in(self, person: StaffMember, department: Department) -> bool:
        """True for a member of the department."""
        return person.id in self.members.get(department.id or 0, [])

    def must_belong(self, person: StaffMember, department: Department) -> None:
        """Raises NotAllowed unless the person works there or oversees every department."""
        if person.oversees or self.works_in(person, department):
            return
        raise NotAllowed(f"{person.name} does not work in {department.name}.")

    def _with_role(self, role: Role) -> Iterable[int]:
        return [key for key, person in self.staff.items() if person.role == role]

    def _is_active(self, staff_id: int) -> bool:
        person = self.staff.get(staff_id)
        return person is not None and person.disabled_at is None
