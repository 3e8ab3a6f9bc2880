"""Events of a third party: recorded once, followed by the stage, shown to the customer."""

from datetime import timedelta
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.business_time import Duration
from portal.errors import BadInput, Conflict
from portal.messaging.wording.third_parties import render_news
from portal.models import (
    Event,
    EventKind,
    MessageKind,
    ServiceRequest,
    StageRun,
    ThirdPartyCode,
)
from portal.operations.authorization import authorize
from portal.operations.outbox import Draft
from portal.operations.third_parties.estimates import follow_estimate
from portal.operations.third_parties.reports import ThirdPartyReport, read_report
from portal.operations.unit_of_work import UnitOfWork
from portal.rules.authorization import Act
from portal.rules.question_planning import missing_fields
from portal.rules.stages.stage_flow import StageFlow
from portal.rules.third_parties import (
    ThirdPartyEvent,
    apply_third_party_event,
    completes,
    find_third_party_run,
    is_delivered,
)

SILENT_AFTER = Duration(2, "d")
"""How long a third party with a tracking number may be silent, where the stage does not say."""
NEWS_FOR = timedelta(hours=12)
"""How long after it happened the customer gets a text about a report; later the page says it."""
MAX_EVENTS = 500
"""The most events of third parties that one request records."""


async def record_third_party_event(
    uow: UnitOfWork, request: ServiceRequest, report: ThirdPartyReport, *, stage: str | None = None
) -> bool:
    """Record what a third party reports; false where it is recorded already, and nothing changes.

    The stage follows: its last report, its expected date, and its end where it is delivered. An
    event of a stage that has ended is kept for staff and changes nothing. Without ``stage`` the
    number says which stage is meant, else the only one of a third party. Raises BadInput for a
    report that cannot be used, and where no stage or no name of the third party is known.
    """
    event = read_report(uow, request, report)
    run = find_third_party_run(request, stage, event.number, event.at)
    await authorize(uow, request, Act.RECORD_THIRD_PARTY, run.stage_key if run else stage)
    if stage is not None:
        request.check_stage(stage)
    if run is None:
        run = request.get_open_run(stage)
    if await _is_recorded(uow.session, request, event.key):
        return False
    if not run.is_open:
        _record(uow, request, run, event, visible=False)
        await uow.finish(request)
        return True
    if not (event.carrier or run.third_party):
        raise BadInput("Please say who it is, such as DHL.", fields={"carrier": "a name"})
    await follow_event(uow, request, run, event)
    return True


async def follow_event(
    uow: UnitOfWork, request: ServiceRequest, run: StageRun, event: ThirdPartyEvent
) -> None:
    """Apply the event to its open stage, record it, and finish the operation."""
    code_before = run.third_party_code
    is_newest = apply_third_party_event(run, event)
    await _restart_silence(uow, request, run)
    recorded = _record(uow, request, run, event, visible=True)
    if is_delivered(run, event):
        await _complete(uow, request, run)
        await uow.finish(request)
    else:
        await follow_estimate(uow, request, run, event.estimated_at if is_newest else None)
        if run.third_party_code != code_before and event.at > uow.now - NEWS_FOR:
            await _tell(uow, request, run, recorded)


async def _tell(uow: UnitOfWork, request: ServiceRequest, run: StageRun, recorded: Event) -> None:
    """Send the customer the news that they act on, unless a message about it is written already."""
    body = render_news(await uow.renderer(request), run)
    if body is None or any(message.request_id == request.id for message in uow.outbox.written):
        return
    await uow.session.flush()
    cause = f"event:{recorded.id}"
    await uow.outbox.queue(request, Draft(MessageKind.UPDATE, cause, body, event_id=recorded.id))


async def _restart_silence(uow: UnitOfWork, request: ServiceRequest, run: StageRun) -> None:
    """They may be silent for so long from now on, and for ever once they have delivered.

    Silence does not count while nobody waits for them: on a hold, or while the customer is to act.
    """
    if run.third_party_code == ThirdPartyCode.DELIVERED:
        run.silence_overdue_at = None
        return
    silent_after = request.definition.stage(run.stage_key).silent_after
    if silent_after is None and run.tracking_number:
        silent_after = SILENT_AFTER
    if silent_after is not None and run.third_party_updated_at is not None:
        department = (await uow.roster(request)).department_by_id(run.department_id)
        stopped_at = run.held_at if run.waits_on_third_party else run.paused_at
        run.silence_overdue_at = department.calendar.add(
            stopped_at or run.third_party_updated_at, silent_after
        )


def _record(
    uow: UnitOfWork,
    request: ServiceRequest,
    run: StageRun,
    event: ThirdPartyEvent,
    *,
    visible: bool,
) -> Event:
    data: dict[str, Any] = {
        "from": event.carrier or run.third_party,
        "words": event.description,
        "at": event.at.isoformat(),
        "tracking_number": event.number or run.tracking_number,
    }
    if event.code is not None:
        data["code"] = event.code.value
    if event.place:
        data["place"] = event.place
    if event.key:
        data["event_key"] = event.key
    return request.record(
        EventKind.THIRD_PARTY_UPDATED, uow.actor, uow.now, run=run, visible=visible,
        bumps_version=False, **data,
    )  # fmt: skip


async def _complete(uow: UnitOfWork, request: ServiceRequest, run: StageRun) -> None:
    """Complete the stage, and the next ones that "delivered" completes too.

    A stage that no department has accepted yet, or that staff complete, stays open; so does one
    after which the customer is asked about a field that only a person can give. That is a dropped
    ball of its owner.
    """
    flow = StageFlow(await uow.facts(request))
    runs = [run]
    while runs:
        run = runs.pop()
        delivered = request.definition.stage(run.stage_key).delivered
        is_ready = run.reached_at and not request.pending_handoff(run)
        if is_ready and completes(run, delivered) and not missing_fields(request, run):
            runs += [
                opened
                for opened in flow.complete(run, note="")
                if request.definition.stage(opened.stage_key).delivered == "complete"
            ]


async def _is_recorded(session: AsyncSession, request: ServiceRequest, key: str) -> bool:
    """Whether an event with this key is. Raises Conflict where no further one is recorded."""
    query = select(Event.data).where(
        col(Event.request_id) == request.id, col(Event.kind) == EventKind.THIRD_PARTY_UPDATED
    )
    recorded = (await session.exec(query)).all()
    if any(data.get("event_key") == key for data in recorded):
        return True
    if len(recorded) >= MAX_EVENTS:
        raise Conflict(f"{request.reference} has {MAX_EVENTS} updates of third parties already.")
    return False
