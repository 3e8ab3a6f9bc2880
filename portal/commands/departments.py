"""`kept department`: the business hours of departments, and how soon they act."""

from sqlmodel import col, select

from portal.commands.runner import COMMAND_LINE_ACTOR, command
from portal.errors import BadInput
from portal.models import Department
from portal.operations import Operations
from portal.operations.departments import DepartmentChange, change_department


@command
async def list_departments(operations: Operations) -> list[str]:
    """Some lines for each department, by key."""
    async with operations.database.reading() as session:
        query = select(Department).order_by(col(Department.key))
        departments = (await session.exec(query)).all()
    if not departments:
        return ["None yet: `kept workflow load` makes those that a workflow names."]
    return [line for department in departments for line in _lines(department)]


@command
async def change(operations: Operations, key: str, wanted: DepartmentChange) -> list[str]:
    """Apply the given changes; returns the lines of the changed department."""
    if wanted.is_empty:
        raise BadInput("Say what to change, such as --hours. `kept department list` shows what is.")
    async with operations.begin(COMMAND_LINE_ACTOR) as uow:
        return _lines(await change_department(uow, key, wanted))


def _lines(department: Department) -> list[str]:
    taken_up = f"within {department.accept_within}" if department.accept_within else "at once"
    closed = f", closed on holidays of {department.holidays}" if department.holidays else ""
    return [
        f"{department.key}: {department.name}",
        f"    open {department.hours or 'always'} ({department.timezone}){closed}",
        f"    takes up {taken_up}, replies within {department.reply_within}",
        f"    tells its lead after {department.lead_after}, a manager after {department.manager_after}",
    ]
