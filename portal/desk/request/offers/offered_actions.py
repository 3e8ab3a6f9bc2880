"""Which actions the page of a request offers: what is possible now, and the reader may do."""

from collections.abc import Iterator
from datetime import datetime

from portal.desk.auth.current_staff import CurrentStaff
from portal.desk.widgets import Choice
from portal.models import ServiceRequest
from portal.operations import find_current_visit, find_visit, visit_question
from portal.rules.authorization import Act


def offered_actions(request: ServiceRequest, reader: CurrentStaff, now: datetime) -> frozenset[str]:
    """The names of the actions whose forms are on the page."""
    stages = [None, *(run.stage_key for run in request.open_runs)]
    return frozenset(
        action
        for action, act in _possible_actions(request, reader, now)
        if any(reader.may(act, request, stage) for stage in stages)
    )


def own_stages(request: ServiceRequest, reader: CurrentStaff) -> list[Choice]:
    """The stages of which a form must name one, where the reader may not act on all of them."""
    if reader.may(Act.HOLD, request):
        return []
    return [
        Choice(run.stage_key, request.definition.stage(run.stage_key).name)
        for run in request.open_runs
        if reader.may(Act.HOLD, request, run.stage_key)
    ]


def _possible_actions(
    request: ServiceRequest, reader: CurrentStaff, now: datetime
) -> Iterator[tuple[str, Act]]:
    """What the state of the request allows, with the act that the reader must be allowed."""
    yield from (("contacts", Act.LOG_CONTACT), ("minds", Act.SET_NOTE), ("messages", Act.WRITE))
    yield from (("wishes", Act.CONSENT), ("promises/keep", Act.PROMISE), ("link/reissue", Act.LINK))
    if request.live_link:
        yield "link/revoke", Act.LINK
    if request.is_closed:
        yield "reopen", Act.REOPEN
        return
    yield from (("promises", Act.PROMISE), ("assign", Act.ASSIGN))
    if find_visit(request, now) is not None:
        yield "visit/cancel", Act.WRITE
    if find_current_visit(request, now) is not None:
        yield "visit/on-the-way", Act.WRITE
    if visit_question(request, now) is not None:
        yield "visit", Act.WRITE
    yield from (("cancel", Act.CANCEL), ("send-back", Act.SEND_BACK))
    runs = [run for run in request.open_runs if reader.may(Act.HOLD, request, run.stage_key)]
    if any(run.third_party for run in runs):
        yield "third-party", Act.RECORD_THIRD_PARTY
    if any(run.held_at for run in runs):
        yield "resume", Act.RESUME
    if any(run.held_at is None for run in runs):
        yield "hold", Act.HOLD
