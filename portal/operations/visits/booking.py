"""A visit is booked, moved or cancelled, by whoever asks for it and by whatever way."""

from datetime import datetime

from portal.business_time import TimeWindow
from portal.errors import BadInput, Conflict
from portal.i18n.lazy_string import LazyString
from portal.messaging.wording.visits import render_offer, render_visit, visit_times
from portal.models import (
    OFFER_SUFFIX,
    Answer,
    Channel,
    DeliveryReason,
    EventKind,
    FollowUp,
    FollowUpState,
    MessageKind,
    MessageStatus,
    PromiseKind,
    RunState,
    ServiceRequest,
)
from portal.operations.authorization import authorize
from portal.operations.follow_ups import REPLY_CHANNELS, take_answer
from portal.operations.outbox import Draft
from portal.operations.promises import promise_reply
from portal.operations.transitions import check_text
from portal.operations.unit_of_work import UnitOfWork
from portal.operations.visits.windows import free_windows
from portal.rules.authorization import Act
from portal.rules.follow_ups import FollowUpFlow
from portal.rules.stages.stage_flow import StageFlow
from portal.rules.stages.stage_returns import StageReturns
from portal.rules.visits import is_visit_over

NO_VISIT = LazyString("There is no visit ahead to change. Please look at the page again.")
NOT_FREE = LazyString("That time is not free any more. Please choose another one.")


def find_visit(request: ServiceRequest, now: datetime) -> FollowUp | None:
    """The booked visit that is still ahead; None without one."""
    visit = find_current_visit(request, now)
    window = visit.visit_window if visit else None
    return visit if window is not None and window.start > now else None


def find_current_visit(request: ServiceRequest, now: datetime) -> FollowUp | None:
    """The booked visit that is ahead or going on; None without one."""
    visit = request.booked_visit
    if visit is None or request.is_closed or is_visit_over(visit, request.runs, now):
        return None
    return visit


def get_visit(request: ServiceRequest, now: datetime) -> FollowUp:
    """The booked visit that is still ahead. Raises Conflict."""
    visit = find_visit(request, now)
    if visit is None:
        raise Conflict(NO_VISIT)
    return visit


def visit_question(request: ServiceRequest, now: datetime) -> FollowUp | None:
    """The question that a visit answers, or that of the visit ahead; the open one first."""
    question = request.open_question
    if question is not None and question.offered is not None:
        return question
    return find_visit(request, now)


async def get_free_window(
    uow: UnitOfWork, request: ServiceRequest, question: FollowUp, at: datetime
) -> TimeWindow:
    """The free window that has this moment, held until the transaction ends.

    Raises Conflict where there is none, BadInput where the question is not about a visit.
    """
    facts = await uow.facts(request)
    free = await free_windows(uow.session, facts, question, is_booking=True)
    if free is None:
        raise BadInput("This question asks for any time, not for a visit.")
    for window in free:
        if window.has(at):
            return window
    raise Conflict(NOT_FREE, fields={"at": "one of the free times"})


async def book_visit(
    uow: UnitOfWork, request: ServiceRequest, at: datetime, *, via: Channel = Channel.WEB
) -> FollowUp:
    """Book the visit that the open question asks for, or move the one that is booked.

    ``at`` is a moment of its window. The customer gets one message about it; none, and nothing
    changes, where the visit is in that window already. Raises Conflict where the window is not
    free, or there is nothing to book.
    """
    await authorize(uow, request, Act.WRITE)
    question = request.open_question
    if question is not None and question.offered is not None:
        window = await get_free_window(uow, request, question, at)
        await take_answer(uow, request, question, Answer.YES, at=window, via=via)
        return question
    visit = get_visit(request, uow.now)
    if visit.visit_window is not None and visit.visit_window.has(at):
        return visit
    await move_visit(uow, request, visit, await get_free_window(uow, request, visit, at), via=via)
    await confirm_visit(uow, request, visit, "visit_moved", via)
    return visit


async def move_visit(
    uow: UnitOfWork, request: ServiceRequest, visit: FollowUp, window: TimeWindow, *, via: Channel
) -> None:
    """Give the visit another window; nothing is sent."""
    FollowUpFlow(await uow.stage_flow(request)).move_visit(visit, window, via.value)
    await uow.finish(request)


async def cancel_visit(
    uow: UnitOfWork, request: ServiceRequest, *, reason: str = "", via: Channel = Channel.WEB
) -> None:
    """Cancel the visit that is ahead, and ask when it suits instead. Raises Conflict without one."""
    await authorize(uow, request, Act.WRITE)
    text = await release_visit(uow, request, reason=reason, via=via)
    await _queue(uow, request, text, via, asks=OFFER_SUFFIX if request.open_question else "")


async def release_visit(
    uow: UnitOfWork, request: ServiceRequest, *, reason: str = "", via: Channel = Channel.WEB
) -> str:
    """Cancel the visit that is ahead; gives the message that says so and asks for another time.

    The stage that asks is repeated; where none does, a person agrees a new time. Raises Conflict
    without a visit.
    """
    visit = get_visit(request, uow.now)
    reason = check_text("reason", reason, required=False) or "The visit was cancelled."
    FollowUpFlow(await uow.stage_flow(request)).cancel_visit(visit, reason, via.value)
    await uow.finish(request)
    asking = await _ask_again(uow, request, visit, reason)
    renderer = await uow.renderer(request)
    if asking is not None and asking.offered:
        return render_offer(renderer, asking, "visit_cancelled")
    promise = await promise_reply(uow, request, PromiseKind.ANSWER)
    await uow.finish(request)
    department = renderer.department_name(promise.department_id)
    due = renderer.times.by(promise.due_at)
    return renderer.say("visit_cancelled_only", department=department, due=due)


async def _ask_again(
    uow: UnitOfWork, request: ServiceRequest, visit: FollowUp, reason: str
) -> FollowUp | None:
    """The question, asked again without a message of its own; None where its stage is not repeated.

    The reason is for staff: the customer, who knows it, reads no note about it.
    """
    if not visit.during_stage or visit.run.state != RunState.COMPLETED:
        return None
    first = len(uow.outbox.written)
    await authorize(uow, request, Act.SEND_BACK)
    stage_flow = StageFlow(await uow.facts(request), visit.fields)
    StageReturns(stage_flow).send_back(visit.run.stage_key, reason, is_return=False)
    await uow.finish(request)
    flow = FollowUpFlow(await uow.stage_flow(request))
    for question in request.follow_ups:
        is_planned = question.state == FollowUpState.PLANNED and question.next_at is not None
        if question.key == visit.key and is_planned:
            flow.run_due_step(question)
    await uow.finish(request)
    suppress_written(uow, first, MessageKind.FOLLOW_UP, MessageKind.MILESTONE)
    asked = request.open_question
    return asked if asked is not None and asked.key == visit.key else None


def suppress_written(uow: UnitOfWork, first: int, *kinds: MessageKind) -> None:
    """Suppress the messages of these kinds from ``first`` on: one message says all of it."""
    for message in uow.outbox.written[first:]:
        if message.kind in kinds and message.status == MessageStatus.QUEUED:
            message.status = MessageStatus.SUPPRESSED
            message.reason = DeliveryReason.SUPERSEDED


async def announce_on_the_way(uow: UnitOfWork, request: ServiceRequest) -> None:
    """Tell the customer that somebody is on the way, once for each visit.

    Raises Conflict where no visit is booked for today, or it was announced already.
    """
    await authorize(uow, request, Act.WRITE)
    renderer = await uow.renderer(request)
    visit = find_current_visit(request, uow.now)
    window = visit.visit_window if visit else None
    if visit is None or window is None:
        raise Conflict("No visit is booked.")
    times = visit_times(renderer, visit)
    if times.date_of(window.start) != times.date_of(uow.now):
        raise Conflict("The visit is not today.")
    if visit.on_the_way_at is not None:
        raise Conflict("The customer was told already that somebody is on the way.")
    visit.on_the_way_at = uow.now
    run = renderer.current_run()
    person = uow.actor.staff_id or (run.assignee_id if run else request.owner_id)
    owner = renderer.person_name(person)
    event = request.record(
        EventKind.VISIT_ON_THE_WAY, uow.actor, uow.now, run=run, bumps_version=False, owner=owner
    )
    await uow.finish(request)
    body = renderer.say("visit_on_the_way", owner=owner)
    draft = Draft(MessageKind.ANSWER, f"event:{event.id}", body, event_id=event.id, urgent=True)
    await uow.outbox.queue(request, draft)


async def confirm_visit(
    uow: UnitOfWork, request: ServiceRequest, visit: FollowUp, template: str, via: Channel
) -> None:
    """Send the message about the visit."""
    await _queue(uow, request, render_visit(await uow.renderer(request), visit, template), via)


async def _queue(
    uow: UnitOfWork, request: ServiceRequest, text: str, via: Channel, *, asks: str = ""
) -> None:
    """Send at any hour: the customer, or a person who serves them, has just asked for it.

    ``asks`` is the end of its cause, where it asks something.
    """
    cause = f"visit:{request.id}:{request.version}{asks}"
    draft = Draft(MessageKind.ANSWER, cause, text)
    await uow.outbox.queue(request, draft, channels=REPLY_CHANNELS.get(via, ()))
