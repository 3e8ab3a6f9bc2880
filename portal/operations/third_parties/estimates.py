"""The date that a third party gives: the stage's expected time follows it."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from portal.models import Event, EventKind, ServiceRequest, StageRun
from portal.operations.proactive_updates import announce_delay
from portal.operations.unit_of_work import UnitOfWork
from portal.rules.proactive_updates import fulfil_date_promises

DATE_EVENTS = (EventKind.DUE_DATE_CHANGED, EventKind.DELAYED)


async def follow_estimate(
    uow: UnitOfWork, request: ServiceRequest, run: StageRun, estimated_at: datetime | None
) -> None:
    """Set the stage's date by theirs, and finish the operation.

    A delay is announced, with who says so, where the day is later than each that the customer
    knows of: a carrier that changes its mind daily sends no text a day. An earlier day is shown
    on the page, and one that the customer knows already changes nothing.
    """
    zone = ZoneInfo(request.customer.readable_timezone)
    if estimated_at is None or _day(estimated_at, zone) == _day(run.due_at, zone):
        await uow.finish(request)
    elif _day(estimated_at, zone) > await _last_known_day(uow, run, zone):
        renderer = await uow.renderer(request)
        reason = renderer.say("reason_third_party", run, third_party=run.third_party)
        await announce_delay(
            uow, request, expected_by=estimated_at, reason=reason, stage=run.stage_key
        )
    else:
        await _move_quietly(uow, request, run, estimated_at)


async def _move_quietly(
    uow: UnitOfWork, request: ServiceRequest, run: StageRun, due_at: datetime
) -> None:
    was, stage = run.due_at, request.definition.stage(run.stage_key)
    department = (await uow.roster(request)).department_by_id(run.department_id)
    run.set_due_at(due_at, stage.grace, department, uow.now)
    run.delays_announced, run.delay_reason = 0, ""
    request.record(
        EventKind.DUE_DATE_CHANGED, uow.actor, uow.now, run=run, stage=run.stage_key,
        due_at=due_at.isoformat(), was=was.isoformat(), reason=f"{run.third_party} expects it then.",
    )  # fmt: skip
    fulfil_date_promises(request, uow.actor, uow.now)
    await uow.finish(request)


async def _last_known_day(uow: UnitOfWork, run: StageRun, zone: ZoneInfo) -> date:
    """The latest day that the customer was given for this run."""
    query = select(Event.data).where(
        col(Event.request_id) == run.request_id,
        col(Event.run_id) == run.id,
        col(Event.kind).in_(DATE_EVENTS),
    )
    days = [_day(run.due_at, zone)]
    for data in (await uow.session.exec(query)).all():
        days += [
            _day(datetime.fromisoformat(data[name]), zone)
            for name in ("due_at", "was")
            if data.get(name)
        ]
    return max(days)


def _day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()
