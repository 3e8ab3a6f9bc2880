"""Taking a checked workflow into use."""

from sqlmodel import col, select

from portal.models import Department, Stage, Workflow
from portal.models.columns import saved_id
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.workflows import find_newest_workflow
from portal.workflows import WorkflowDefinition


async def load_workflow(uow: UnitOfWork, definition: WorkflowDefinition) -> Workflow:
    """Store it as the newest version; the same file again stores nothing.

    A missing department is created; an existing one is not changed, because workflows share it.
    Requests under way keep the version that they began with.
    """
    departments = await _departments(uow, definition)
    document = definition.to_json()
    newest = await find_newest_workflow(uow.session, definition.key)
    if newest is not None and newest.document == document:
        return newest
    workflow = Workflow(
        key=definition.key,
        version=newest.version + 1 if newest else 1,
        name=definition.name,
        document=document,
        loaded_at=uow.now,
    )
    uow.session.add(workflow)
    await uow.session.flush()
    for position, stage in enumerate(definition.stages):
        uow.session.add(
            Stage(
                workflow_id=saved_id(workflow),
                key=stage.key,
                position=position,
                department_id=saved_id(departments[stage.department]),
                name=stage.name,
            )
        )
    await uow.session.flush()
    return workflow


async def _departments(uow: UnitOfWork, definition: WorkflowDefinition) -> dict[str, Department]:
    keys = [*definition.departments, *(stage.department for stage in definition.stages)]
    query = select(Department).where(col(Department.key).in_(keys))
    departments = {
        department.key: department for department in (await uow.session.exec(query)).all()
    }
    for key, department_definition in definition.departments.items():
        if key not in departments:
            departments[key] = Department(
                key=key,
                name=department_definition.name,
                timezone=department_definition.timezone,
                hours=department_definition.hours or "",
                holidays=department_definition.holidays or "",
                accept_within=str(department_definition.accept_within)
                if department_definition.accept_within
                else None,
                reply_within=str(department_definition.reply_within),
                lead_after=str(department_definition.lead_after),
                manager_after=str(department_definition.manager_after),
            )
            uow.session.add(departments[key])
    await uow.session.flush()
    return departments
