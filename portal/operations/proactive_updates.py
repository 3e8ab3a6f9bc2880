"""Proactive updates: a delay is announced before the date passes, and progress in between."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.errors import BadInput
from portal.i18n.languages import language_of
from portal.messaging.wording.delays import (
    default_delay_reason,
    render_date_promise,
    render_delay,
    render_new_date,
)
from portal.messaging.wording.holds import hold_fields
from portal.messaging.wording.renderer import MessageRenderer, as_sentence
from portal.messaging.wording.third_parties import awaited_party, render_news, report_text
from portal.models import (
    Event,
    EventKind,
    MessageKind,
    Promise,
    PromiseKind,
    PromiseWording,
    ServiceRequest,
    StageRun,
)
from portal.operations.authorization import authorize
from portal.operations.outbox import Draft
from portal.operations.planning import schedule_update
from portal.operations.promises import open_answer_promise
from portal.operations.step import StepContext
from portal.operations.transitions import check_text
from portal.operations.unit_of_work import UnitOfWork
from portal.rules.authorization import Act
from portal.rules.proactive_updates import (
    MAX_ESTIMATES,
    ContactSchedule,
    UpdateKind,
    estimate_due_at,
    fulfil_date_promises,
    proactive_updates,
)

MAX_DELAY_REASON_LENGTH = 500
MAX_LAST_UPDATE_LENGTH = 60
"""How many letters of the latest note go into a text; the page shows all of it."""


async def send_due_updates(uow: UnitOfWork, request: ServiceRequest) -> None:
    """Send the customer the updates that are due, in one message. Idempotent.

    Several stages that are late at the same time share one message; a delay also counts as a
    progress update.
    """
    updates = proactive_updates(await uow.facts(request), _contact_schedule(uow, request))
    due = [update for update in updates if update.at <= uow.now]
    late = [update.run for update in due if update.kind == UpdateKind.DELAY]
    if late:
        await _announce_delays(uow, request, late)
    elif due:
        await _send_progress_update(uow, request, due[0].run)
    else:
        await uow.finish(request)


async def announce_delay(
    uow: UnitOfWork,
    request: ServiceRequest,
    *,
    expected_by: datetime,
    reason: str,
    stage: str | None = None,
) -> StageRun:
    """Give the open stage a new date, with a reason; the customer is notified of both.

    The stage is late by that date from now on, and a delay may be announced automatically again.
    A new date that was promised because of the delay counts as given. Raises BadInput, Conflict.
    """
    await authorize(uow, request, Act.DELAY, stage)
    request.require_open()
    run = request.get_open_run(stage)
    reason = check_text("reason", reason)
    if len(reason) > MAX_DELAY_REASON_LENGTH:
        raise BadInput(
            f"Please keep the reason under {MAX_DELAY_REASON_LENGTH} letters.",
            fields={"reason": f"at most {MAX_DELAY_REASON_LENGTH} letters"},
        )
    if expected_by <= uow.now:
        raise BadInput("The new date has passed already.", fields={"expected_by": "a time to come"})
    is_earlier, was = expected_by < run.due_at, run.due_at
    grace = request.definition.stage(run.stage_key).grace
    department = (await uow.roster(request)).department_by_id(run.department_id)
    run.set_due_at(expected_by, grace, department, uow.now)
    run.delays_announced, run.delay_reason = 0, "" if is_earlier else as_sentence(reason)
    run.previous_due_at = was
    event = request.record(
        EventKind.DUE_DATE_CHANGED, uow.actor, uow.now, run=run,
        stage=run.stage_key, due_at=expected_by.isoformat(), was=was.isoformat(), reason=reason,
    )  # fmt: skip
    fulfil_date_promises(request, uow.actor, uow.now)
    await uow.finish(request)
    renderer = await _renderer_at_arrival(uow, request)
    body = render_new_date(renderer, run, event)
    await _queue_message(uow, request, MessageKind.DELAY, event, body)
    return run


async def _announce_delays(
    uow: UnitOfWork, request: ServiceRequest, runs: Sequence[StageRun]
) -> None:
    """Announce new dates for these; after MAX_ESTIMATES a person's promise of one instead.

    So for a stage that no department has accepted: nobody is there who could keep a date of ours.
    """
    renderer = await _renderer_at_arrival(uow, request)
    promised = [
        run
        for run in runs
        if run.delays_announced + 1 >= MAX_ESTIMATES or request.pending_handoff(run)
    ]
    previous = {run.stage_key: run.due_at.isoformat() for run in runs}
    for run in runs:
        run.delay_reason = default_delay_reason(renderer, run)
        if run in promised:
            run.delays_announced = MAX_ESTIMATES
        else:
            run.previous_due_at = run.due_at
            run.due_at = await estimate_new_date(uow, request, run)
            run.delays_announced += 1
    events = [
        request.record(
            EventKind.DELAYED, uow.actor, uow.now, run=run, bumps_version=False,
            stage=run.stage_key, reason=run.delay_reason, was=previous[run.stage_key],
            due_at=None if run in promised else run.due_at.isoformat(),
        )
        for run in runs
    ]  # fmt: skip
    # One message for all of them: about the promised date, else about the latest date.
    run = max(promised or runs, key=lambda run: run.due_at)
    promise = await _promise_new_date(uow, request, run) if promised else None
    await uow.finish(request)
    renderer = await _renderer_at_arrival(uow, request)
    event = events[runs.index(run)]
    body = (
        render_date_promise(renderer, run, promise)
        if promise
        else render_delay(renderer, run, event)
    )
    await _queue_message(uow, request, MessageKind.DELAY, event, body)


async def estimate_new_date(uow: UnitOfWork, request: ServiceRequest, run: StageRun) -> datetime:
    """The new date to give to a customer, who is notified outside quiet hours."""
    contact_schedule = _contact_schedule(uow, request)
    facts = await uow.facts(request)
    return estimate_due_at(
        run,
        request.definition.stage(run.stage_key),
        facts.roster.department_by_id(run.department_id),
        stage_duration=facts.workflow.stage_durations.of(run.stage_key),
        now=contact_schedule.after_quiet_hours(uow.now),
        contact_schedule=contact_schedule,
    )


async def _promise_new_date(uow: UnitOfWork, request: ServiceRequest, run: StageRun) -> Promise:
    """The promise of a new date, by the lead of the department that does the stage.

    An open promise of an answer, due in the future, covers it.
    """
    open_promise = open_answer_promise(request)
    if open_promise is not None and open_promise.due_at > uow.now:
        return open_promise
    roster = await uow.roster(request)
    department = roster.department_by_id(run.department_id)
    promise = Promise(
        kind=PromiseKind.ANSWER,
        wording=PromiseWording.NEW_DATE,
        text=f"{department.name} will tell you a new date.",
        owner_id=roster.lead_of(department) or request.owner_id,
        department_id=run.department_id,
        made_at=uow.now,
        due_at=department.reply_due_at(uow.now),
    )
    request.promises.append(promise)
    await uow.session.flush()
    request.record(
        EventKind.PROMISE_MADE, uow.actor, uow.now, bumps_version=False,
        promise_id=promise.id, text=promise.text, due_at=promise.due_at.isoformat(),
    )  # fmt: skip
    return promise


async def _send_progress_update(uow: UnitOfWork, request: ServiceRequest, run: StageRun) -> None:
    """Send a progress update: the department, the last note, and the due date."""
    event = request.record(
        EventKind.PROGRESS_UPDATE, uow.actor, uow.now, run=run, visible=False, bumps_version=False
    )
    await uow.finish(request)
    renderer = await _renderer_at_arrival(uow, request)
    body = _progress_text(renderer, run, await _latest_note(uow.session, request, run))
    await _queue_message(uow, request, MessageKind.UPDATE, event, body)


def _progress_text(renderer: MessageRenderer, run: StageRun, note: str) -> str:
    handoff, fields = renderer.request.pending_handoff(run), dict[str, str]()
    if run.held_at is not None:
        fields = hold_fields(renderer, run)
        template = "update_hold_until" if "due" in fields else "update_hold"
    elif run.waits_on_third_party:
        template, fields["party"] = "update_third_party", awaited_party(renderer, run)
    elif run.waits_on_customer:
        template = "update_waiting"
    elif handoff is not None and handoff.accept_by is not None and handoff.accept_by > renderer.now:
        template, fields["due"] = "status_passed", renderer.times.by(handoff.accept_by)
    elif handoff is not None:
        template = "update_passed"
    elif run.due_at <= renderer.now or run.delays_announced >= MAX_ESTIMATES:
        template = "update_open"
    elif note:
        template, fields["last"] = "update_said", note
    else:
        template = "update"
    return renderer.say(template, run, **fields)


async def _latest_note(session: AsyncSession, request: ServiceRequest, run: StageRun) -> str:
    """The latest note on the stage: a third party's update, else our own."""
    query = (
        select(Event)
        .where(
            col(Event.request_id) == request.id,
            col(Event.run_id) == run.id,
            col(Event.kind) == EventKind.THIRD_PARTY_UPDATED,
        )
        .order_by(col(Event.id).desc())
        .limit(1)
    )
    update = (await session.exec(query)).first()
    language = language_of(request.customer.locale)
    text = f"{update.data['from']}: {report_text(update.data, language)}" if update else run.note
    if len(text) > MAX_LAST_UPDATE_LENGTH:
        text = f"{text[:MAX_LAST_UPDATE_LENGTH].rpartition(' ')[0]}..."
    return as_sentence(text)


async def render_update(
    session: AsyncSession, renderer: MessageRenderer, event: Event, run: StageRun
) -> str | None:
    """The message about a new date, about progress or from a third party as it reads now.

    None where a third party has no such news any more, and where a promised date is given meanwhile.
    """
    if event.kind == EventKind.PROGRESS_UPDATE:
        return _progress_text(renderer, run, await _latest_note(session, renderer.request, run))
    if event.kind == EventKind.THIRD_PARTY_UPDATED:
        return render_news(renderer, run)
    if event.kind == EventKind.DUE_DATE_CHANGED:
        return render_new_date(renderer, run, event)
    if event.data.get("due_at") is not None:
        return render_delay(renderer, run, event)
    promise = open_answer_promise(renderer.request)
    return render_date_promise(renderer, run, promise) if promise else None


async def _renderer_at_arrival(uow: UnitOfWork, request: ServiceRequest) -> MessageRenderer:
    """A renderer for when the message arrives, which may be the next morning."""
    renderer = await uow.renderer(request)
    return replace(renderer, now=_contact_schedule(uow, request).after_quiet_hours(uow.now))


async def _queue_message(
    uow: UnitOfWork, request: ServiceRequest, kind: MessageKind, event: Event, body: str
) -> None:
    urgent = request.definition.stage(event.stage_key or "").urgent
    await uow.outbox.queue(
        request, Draft(kind, f"event:{event.id}", body, event_id=event.id, urgent=urgent)
    )
    # Queued or suppressed (the customer opted out): either way it is not due any more.
    request.last_told_at = uow.now
    await schedule_update(StepContext(uow, await uow.facts(request)))
    await uow.session.flush()


def _contact_schedule(uow: UnitOfWork, request: ServiceRequest) -> ContactSchedule:
    return ContactSchedule(request.customer, uow.settings, uow.now)
