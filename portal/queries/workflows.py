"""Finding workflows."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.errors import BadInput
from portal.models import Workflow


async def find_newest_workflow(session: AsyncSession, key: str) -> Workflow | None:
    """The newest version of a workflow; None when no file of that key was loaded."""
    query = (
        select(Workflow)
        .where(col(Workflow.key) == key[:64])
        .order_by(col(Workflow.version).desc())
        .limit(1)
    )
    return (await session.exec(query)).one_or_none()


async def get_newest_workflow(session: AsyncSession, key: str) -> Workflow:
    """The newest version. Raises BadInput naming the workflows there are."""
    workflow = await find_newest_workflow(session, key)
    if workflow is None:
        keys = ", ".join(workflow.key for workflow in await newest_workflows(session))
        raise BadInput(
            f"There is no workflow {key[:64]!r}. "
            + (f"There is {keys}." if keys else "Load one with `kept workflow load FILE`."),
            fields={"workflow": "the key of a loaded workflow"},
        )
    return workflow


async def newest_workflows(session: AsyncSession) -> list[Workflow]:
    """The newest version of each, by key."""
    query = select(Workflow).order_by(col(Workflow.key), col(Workflow.version))
    return list({workflow.key: workflow for workflow in (await session.exec(query)).all()}.values())
