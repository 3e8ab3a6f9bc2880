"""What becomes of a handoff that waits, and whose it is to decide."""

from portal.models import ServiceRequest
from portal.operations.authorization import authorize
from portal.operations.transitions import acting_staff, check_text
from portal.operations.unit_of_work import UnitOfWork
from portal.rules.authorization import Act
from portal.rules.handoffs import HandoffFlow


async def accept(uow: UnitOfWork, request: ServiceRequest, *, stage: str | None = None) -> None:
    """Accept a handoff: the customer is notified of the stage now, and not before."""
    await authorize(uow, request, Act.ACCEPT, stage)
    handing = HandoffFlow(await uow.stage_flow(request))
    handing.accept(stage, await acting_staff(uow, request))
    await uow.finish(request)


async def refuse(
    uow: UnitOfWork, request: ServiceRequest, *, reason: str, stage: str | None = None
) -> None:
    """Give a handoff back to its sender, with the reason."""
    await authorize(uow, request, Act.REFUSE, stage)
    reason = check_text("reason", reason)
    handing = HandoffFlow(await uow.stage_flow(request))
    handing.refuse(stage, reason)
    await uow.finish(request)


async def recall(uow: UnitOfWork, request: ServiceRequest, *, stage: str | None = None) -> None:
    """Recall a handoff that nobody has accepted; the customer is not notified."""
    await authorize(uow, request, Act.RECALL, stage)
    handing = HandoffFlow(await uow.stage_flow(request))
    handing.recall(stage)
    await uow.finish(request)
    # Their page shows no event of it, and yet who has the request is another again.
    uow.mark_page_changed(request)
