"""Loads departments and people by their ids, for a response that names them."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.models import Department, ServiceRequest, StaffMember
from portal.queries.staff import staff_by_id


@dataclass(frozen=True)
class Names:
    """Departments by id, and the people who were asked for by id."""

    departments: dict[int, Department]
    people: dict[int, StaffMember]

    def department_key(self, department_id: int | None) -> str | None:
        """The key of the department; None where none is meant."""
        return self.departments[department_id].key if department_id is not None else None

    def department_of(self, key: str) -> Department:
        """The department by its key; it exists, since a loaded workflow names it."""
        return next(department for department in self.departments.values() if department.key == key)

    def person(self, staff_id: int | None) -> StaffMember | None:
        """The person; None where none is meant."""
        return self.people.get(staff_id or 0)


async def load_names(session: AsyncSession, people: Iterable[int | None] = ()) -> Names:
    """Every department and these people, in two queries."""
    departments = (await session.exec(select(Department))).all()
    return Names(
        departments={department.id: department for department in departments if department.id},
        people=await staff_by_id(
            session, {person_id for person_id in people if person_id is not None}
        ),
    )


def staff_ids_of(request: ServiceRequest) -> set[int | None]:
    """The staff ids of a request: its owner, its coordinator and the assignees of its stages."""
    return {request.owner_id, request.coordinator_id, *(run.assignee_id for run in request.runs)}
