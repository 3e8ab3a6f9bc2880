"""Questions to the customer: asked when they are due, and answered."""

from dataclasses import dataclass
from datetime import datetime

from portal.business_time import TimeWindow
from portal.messaging.wording.promises import promised_by
from portal.messaging.wording.renderer import MessageRenderer
from portal.messaging.wording.status_reply import render_looking
from portal.messaging.wording.visits import render_visit
from portal.models import (
    Answer,
    AnswerType,
    Channel,
    EventKind,
    FollowUp,
    MessageKind,
    Promise,
    PromiseKind,
    RequestStatus,
    ServiceRequest,
)
from portal.models.columns import saved_id
from portal.operations.outbox import Draft
from portal.operations.promises import open_answer_promise, open_call_promise, promise_reply
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.conversations import has_written_since
from portal.rules.dropped_balls import REPLY_PROMISE_KINDS
from portal.rules.follow_ups import FollowUpFlow
from portal.rules.late_answers import is_waiting_to_decide
from portal.rules.proactive_updates import ContactSchedule
from portal.rules.stages.stage_pauses import StagePauses
from portal.workflows import AnswerAction

REPLY_CHANNELS = {
    Channel.SMS: (Channel.SMS, Channel.EMAIL),
    Channel.EMAIL: (Channel.EMAIL,),
}
"""The channels of a reply: that of the message, or e-mail where texts are not wanted."""


async def run_due_follow_ups(uow: UnitOfWork, request: ServiceRequest) -> None:
    """Ask, remind or close each question that is due. Idempotent."""
    flow = FollowUpFlow(await uow.stage_flow(request))
    for question in list(request.follow_ups):
        if question.next_at is None or question.next_at > uow.now:
            continue
        if question.visit_window is not None:
            flow.remind_of_visit(question)
        elif flow.can_wait_overnight(question) and (morning := await _morning(uow, request)):
            question.next_at = morning
        else:
            flow.run_due_step(question)
    await uow.finish(request)


async def _morning(uow: UnitOfWork, request: ServiceRequest) -> datetime | None:
    """When the quiet hours end; None outside them, and while the customer waits for us."""
    morning = ContactSchedule(request.customer, uow.settings, uow.now).after_quiet_hours(uow.now)
    return morning if morning > uow.now and not await uow.is_customer_waiting(request) else None


async def resume_expired_holds(uow: UnitOfWork, request: ServiceRequest) -> None:
    """Resume the stages whose hold ends by now."""
    held = [run for run in request.open_runs if run.held_at]
    expired = [run for run in held if run.hold_until and run.hold_until <= uow.now]
    pauses = StagePauses(await uow.facts(request))
    # What was held as a whole is resumed as a whole, so that the customer hears of it once.
    for stage in [None] if expired and expired == held else [run.stage_key for run in expired]:
        pauses.resume(stage)
    await uow.finish(request)


@dataclass(frozen=True, slots=True)
class TakenAnswer:
    """An answer and what it has led to.

    ``action`` is what the workflow did, None where no rule followed. ``promise``: the owner answers
    what did not come or is wrong. ``is_milestone_sent``: the customer gets a message about the
    next stage.
    """

    question: FollowUp
    answer: Answer
    at: datetime | None
    action: AnswerAction | None
    promise: Promise | None
    is_milestone_sent: bool


async def answer_follow_up(
    uow: UnitOfWork,
    request: ServiceRequest,
    question: FollowUp,
    answer: Answer,
    *,
    text: str = "",
    at: datetime | TimeWindow | None = None,
    via: Channel = Channel.WEB,
) -> None:
    """Take an answer and thank for it by ``via``; on the page the answer itself is shown.

    A no that closes the request is confirmed by the customer's own channel, also from the page.
    Raises Conflict as ``take_answer`` does.
    """
    taken = await take_answer(uow, request, question, answer, text=text, at=at, via=via)
    if via == Channel.WEB and request.status != RequestStatus.DECLINED:
        return
    reply = render_answer_reply(await uow.renderer(request), taken)
    if reply:
        cause = f"answer:{question.id}"
        await uow.outbox.queue(
            request, Draft(MessageKind.ANSWER, cause, reply), channels=REPLY_CHANNELS.get(via, ())
        )


async def read_back(uow: UnitOfWork, request: ServiceRequest, question: FollowUp) -> str:
    """Read a yes back, once: the customer has asked something that nobody has answered yet.

    Gives the text that says what a second yes agrees to, and who owes the answer by when.
    """
    question.read_back_at = uow.now
    request.record(
        EventKind.QUESTION_READ_BACK, uow.actor, uow.now, run=question.run, bumps_version=False,
        key=question.key,
    )  # fmt: skip
    await uow.finish(request)
    renderer, promise = await uow.renderer(request), _reply_promise(request)
    due = renderer.times.by(promise.due_at) if promise else ""
    if question.fields.get("amount"):
        return renderer.say("read_back", question.run, amount=question.fields["amount"], due=due)
    asked = renderer.question(question)
    return renderer.say("read_back_question", question.run, question=asked, due=due)


def _reply_promise(request: ServiceRequest) -> Promise | None:
    """The open promise of an answer or a call, which the customer waits for."""
    return open_answer_promise(request) or open_call_promise(request)


async def is_to_be_read_back(
    uow: UnitOfWork, request: ServiceRequest, question: FollowUp, answer: Answer
) -> bool:
    """Whether a yes on the page is read back: once, while the customer waits for our answer."""
    return (
        answer == Answer.YES
        and question.expects == AnswerType.YES_NO
        and is_waiting_to_decide(request, question)
        and await has_written_since(uow.session, saved_id(request), question.asked_at or uow.now)
    )


async def take_answer(
    uow: UnitOfWork,
    request: ServiceRequest,
    question: FollowUp,
    answer: Answer,
    *,
    text: str = "",
    at: datetime | TimeWindow | None = None,
    via: Channel = Channel.WEB,
) -> TakenAnswer:
    """Take an answer and do what the workflow says; nothing is replied.

    ``at`` is the time that the customer named, or the window that they booked, where one was asked
    for. The owner promises an
    answer to whoever says that something did not come or is wrong, and to a no without a rule. Raises Conflict when the question is answered or withdrawn.
    """
    flow = FollowUpFlow(await uow.stage_flow(request))
    action = flow.answer(question, answer, text, via.value, at)
    events = await uow.finish(request)
    is_milestone_sent = any(
        event.kind == EventKind.STAGE_REACHED and event.data.get("told") for event in events
    )
    is_sorry = not (question.during_stage or is_milestone_sent or request.is_closed)
    promise = None
    if answer != Answer.YES and (action is None or is_sorry):
        promise = await promise_reply(uow, request, PromiseKind.ANSWER)
        await uow.finish(request)
    return TakenAnswer(question, answer, question.answer_at, action, promise, is_milestone_sent)


def render_answer_reply(renderer: MessageRenderer, taken: TakenAnswer) -> str | None:
    """The thanks for an answer; None where the milestone says what happens next."""
    at, action, promise = taken.at, taken.action, taken.promise
    if taken.question.visit_window is not None:
        text = render_visit(renderer, taken.question, "visit_booked")
    elif at is not None:
        text = renderer.say("noted_time", None, at=renderer.times.since(at))
    elif taken.is_milestone_sent and action is not None and action.kind != "complete":
        text = None
    elif promise is not None:
        text = _say_sorry(renderer, taken, promise)
    elif taken.answer == Answer.YES and taken.question.agreed:
        text = renderer.say("agreed", None, amount=taken.question.agreed)
    elif taken.answer == Answer.YES:
        text = renderer.say("thanks_yes" if renderer.request.is_closed else "noted_yes")
    else:
        text = _what_happens_next(renderer, action)
    return text


def _say_sorry(renderer: MessageRenderer, taken: TakenAnswer, promise: Promise) -> str:
    """Who looks into it, and by when they write."""
    due = renderer.times.by(promise.due_at)
    if taken.question.during_stage or taken.question.expects == AnswerType.TIME:
        return renderer.say("noted_no", None, due=due)
    owner = renderer.person_name(promise.owner_id)
    department = renderer.department_name(promise.department_id)
    person = renderer.say("owner_of_department", None, owner=owner, department=department)
    return renderer.say(
        "looking", None, looking=render_looking(renderer, taken.question, person), due=due
    )


def _what_happens_next(renderer: MessageRenderer, action: AnswerAction | None) -> str:
    """After a no that the workflow has a rule for: who has it now, and by when what comes next."""
    request = renderer.request
    if request.is_closed:
        text, promise = renderer.say_ending("closed_by_no"), told_reply_promise(request)
        return _with_owed(renderer, text, promise) if promise is not None else text
    run = next((run for run in request.open_runs if action and run.stage_key == action.stage), None)
    handoff = request.pending_handoff(run) if run else None
    if handoff is not None and handoff.accept_by is not None:
        return renderer.say(
            "sent_back_passed", run,
            department=renderer.department_name(handoff.to_department_id),
            due=renderer.times.by(handoff.accept_by),
        )  # fmt: skip
    return renderer.say("sent_back", run)


def told_reply_promise(request: ServiceRequest) -> Promise | None:
    """The open promise of an answer or a call that the customer knows of; the one due first."""
    promises = [promise for promise in request.promises if promise.is_open and promise.is_told]
    replies = [promise for promise in promises if promise.kind in REPLY_PROMISE_KINDS]
    return min(replies, key=lambda promise: promise.due_at, default=None)


def _with_owed(renderer: MessageRenderer, text: str, promise: Promise) -> str:
    """The text, and that what the customer has asked is still answered; the link gives way."""
    template = "still_calls" if promise.kind == PromiseKind.CALL else "still_answers"
    owed = renderer.say(template, None, **promised_by(renderer, promise))
    return " ".join(f"{text.replace(renderer.link, '')} {owed}".split())
