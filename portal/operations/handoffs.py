"""What becomes of a handoff that waits, and whose it is to decide."""

from portal.models import ServiceRequest
from portal.operations.transitions import acting_staff, check_text
from portal.operations.unit_of_work import UnitOfWork
from portal.rules.handoffs import HandoffFlow


async def accept(uow: UnitOfWork, request: ServiceRequest, *, stage: str | None = None) -> None:
    """Take up a handoff: the milestone is told now, and not before."""
    handing = HandoffFlow(await uow.stage_flow(request))
    handing.accept(stage, await acting_staff(uow, request))
    await uow.finish(request)


async def refuse(
    uow: UnitOfWork, request: ServiceRequest, *, reason: str, stage: str | None = None
) -> None:
    """Give a handoff back to its sender, with the reason."""
    reason = check_text("reason", reason)
    handing = HandoffFlow(await uow.stage_flow(request))
    handing.refuse(stage, reason, await acting_staff(uow, request))
    await uow.finish(request)


async def recall(uow: UnitOfWork, request: ServiceRequest, *, stage: str | None = None) -> None:
    """Take back what was passed on and nobody has taken up; the customer is told nothing."""
    handing = HandoffFlow(await uow.stage_flow(request))
    handing.recall(stage, await acting_staff(uow, request))
    await uow.finish(request)
    # Their page shows no event of it, and yet who has the request is another again.
    uow.mark_page_changed(request)


async def authorize(uow: UnitOfWork, request: ServiceRequest, stage: str | None = None) -> None:
    """Raises NotAllowed for a person who has nothing to do with that stage, or with any of it.

    Whoever was given it by name may move it, and those who work where it lies or waits.
    """
    person = await acting_staff(uow, request)
    if person is None:
        return
    roster = await uow.roster(request)
    runs = [run for run in request.open_runs if stage in (None, run.stage_key)]
    hands = {request.owner_id, *(run.assignee_id for run in runs)}
    places = [run.department_id for run in runs] or [request.department_id]
    sent = (request.pending_handoff(run) for run in runs)
    places += [handoff.from_department_id for handoff in sent if handoff]
    here = [roster.department_by_id(place) for place in places]
    if person.id not in hands and not any(roster.works_in(person, one) for one in here):
        roster.require_member(person, here[0])
