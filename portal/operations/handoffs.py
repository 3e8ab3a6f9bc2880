"""What becomes of a handoff that waits, and whose it is to decide."""

from portal.models import ServiceRequest
from portal.operations.transitions import acting, check_words
from portal.operations.unit_of_work import Turn
from portal.rules.handoffs import HandingOver


async def accept(turn: Turn, request: ServiceRequest, *, stage: str | None = None) -> None:
    """Take up a handoff: the milestone is told now, and not before."""
    handing = HandingOver(await turn.progress(request))
    handing.accept(stage, await acting(turn, request))
    await turn.settle(request)


async def refuse(
    turn: Turn, request: ServiceRequest, *, reason: str, stage: str | None = None
) -> None:
    """Give a handoff back to its sender, with the reason."""
    reason = check_words("reason", reason)
    handing = HandingOver(await turn.progress(request))
    handing.refuse(stage, reason, await acting(turn, request))
    await turn.settle(request)


async def recall(turn: Turn, request: ServiceRequest, *, stage: str | None = None) -> None:
    """Take back what was passed on and nobody has taken up; the customer is told nothing."""
    handing = HandingOver(await turn.progress(request))
    handing.recall(stage, await acting(turn, request))
    await turn.settle(request)
    # Their page shows no event of it, and yet who has the request is another again.
    turn.touch(request)


async def must_be_theirs(turn: Turn, request: ServiceRequest, stage: str | None = None) -> None:
    """Raises NotAllowed for a person who has nothing to do with that stage, or with any of it.

    Whoever was given it by name may move it, and those who work where it lies or waits.
    """
    person = await acting(turn, request)
    if person is None:
        return
    roster = await turn.roster(request)
    runs = [run for run in request.open_runs if stage in (None, run.stage_key)]
    hands = {request.owner_id, *(run.assignee_id for run in runs)}
    places = [run.department_id for run in runs] or [request.department_id]
    sent = (request.waiting_handoff(run) for run in runs)
    places += [handoff.from_department_id for handoff in sent if handoff]
    here = [roster.department_by_id(place) for place in places]
    if person.id not in hands and not any(roster.works_in(person, one) for one in here):
        roster.must_belong(person, here[0])
