"""Visits: the free windows of a request, and booking, moving, cancelling and announcing one."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from portal import operations
from portal.api.endpoint import ReadContext
from portal.api.requests import on_request
from portal.api.schemas.base import ResponseModel
from portal.api.schemas.inputs import VersionedInput
from portal.api.schemas.queries import NoQuery
from portal.models import SYSTEM_ACTOR
from portal.operations.transitions import MAX_NOTE_LENGTH
from portal.queries.requests import get_service_request
from portal.queries.roster import load_workflow_facts
from portal.rules.facts import Facts
from portal.web.times import Moment


class VisitInput(VersionedInput):
    """A moment of the free window in which the visit is to be."""

    at: Moment


class CancelVisitInput(VersionedInput):
    """Why the visit is cancelled, for staff."""

    reason: Annotated[str, Field(max_length=MAX_NOTE_LENGTH)] | None = None


class VisitWindow(ResponseModel):
    """A free window."""

    starts_at: datetime
    ends_at: datetime


class VisitWindows(ResponseModel):
    """The free windows, soonest first; none where no visit can be booked or moved."""

    items: list[VisitWindow]


async def show_windows(context: ReadContext, _: NoQuery, reference: str) -> VisitWindows:
    """The windows in which the visit of a request can be booked now."""
    request = await get_service_request(context.session, reference)
    question = operations.visit_question(request, context.now)
    if question is None:
        return VisitWindows(items=[])
    workflow = await load_workflow_facts(context.session, request.workflow, context.now)
    facts = Facts(request, workflow, SYSTEM_ACTOR, context.now)
    free = await operations.free_windows(context.session, facts, question)
    return VisitWindows(
        items=[VisitWindow(starts_at=window.start, ends_at=window.end) for window in free or ()]
    )


book = on_request(
    "book_visit",
    operations.book_visit,
    "Book the visit that a request asks about, or move the booked one, into a free window.",
)
cancel = on_request(
    "cancel_visit",
    operations.cancel_visit,
    "Cancel the visit that is ahead; the customer is asked for another time.",
)
announce = on_request(
    "announce_visit",
    operations.announce_on_the_way,
    "Tell the customer that somebody is on the way, on the day of the visit, once.",
)
