"""The actions on a visit at the desk: book or move it, cancel it, and say that somebody is on the way."""

from dataclasses import replace

from portal import operations
from portal.desk.request.action_form import Action, ActionForm
from portal.errors import Conflict
from portal.messaging.wording.time_windows import window_text
from portal.models import ServiceRequest
from portal.operations import UnitOfWork

LISTED_WINDOWS = 6
"""Free windows that a refusal lists."""


async def _book(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    at = typed.required_time("at")
    try:
        await operations.book_visit(uow, request, at)
    except Conflict as refusal:
        free = await _free_windows(uow, request, typed["zone"])
        if not free:
            raise
        raise Conflict(f"That time is not free. Free are: {free}.") from refusal


async def _free_windows(uow: UnitOfWork, request: ServiceRequest, zone: str) -> str:
    """The next free windows in the zone of the form; empty where nothing can be booked."""
    question = operations.visit_question(request, uow.now)
    if question is None:
        return ""
    free = await operations.free_windows(uow.session, await uow.facts(request), question)
    times = replace((await uow.renderer(request)).times, timezone=zone)
    return "; ".join(window_text(times, window) for window in (free or [])[:LISTED_WINDOWS])


async def _cancel(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    await operations.cancel_visit(uow, request, reason=typed["reason"])


async def _announce(uow: UnitOfWork, request: ServiceRequest, _: ActionForm) -> None:
    await operations.announce_on_the_way(uow, request)


VISIT_ACTIONS = {
    "visit": Action(_book, "Booked. The customer is notified."),
    "visit/cancel": Action(_cancel, "Cancelled. The customer is asked for another time."),
    "visit/on-the-way": Action(
        _announce, "The customer reads that you are on the way.", versioned=False
    ),
}
