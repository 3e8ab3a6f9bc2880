"""Questions to the customer: asked when they are due, and answered."""

from datetime import datetime

from portal.messaging.wording.renderer import MessageRenderer
from portal.models import Answer, Channel, EventKind, FollowUp, Message, MessageKind, ServiceRequest
from portal.operations.promises import promise_answer
from portal.operations.unit_of_work import UnitOfWork
from portal.rules.follow_ups import FollowUpFlow
from portal.rules.proactive_updates import ContactSchedule
from portal.rules.stage_pauses import StagePauses
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
        if flow.can_wait_overnight(question) and (morning := await _morning(uow, request)):
            question.next_at = morning
        else:
            flow.run_due_step(question)
    await uow.finish(request)


async def _morning(uow: UnitOfWork, request: ServiceRequest) -> datetime | None:
    """When the quiet hours end; None outside them, and while the customer waits for us."""
    awake = ContactSchedule(request.customer, uow.settings, uow.now).after_quiet_hours(uow.now)
    return awake if awake > uow.now and not await uow.is_customer_waiting(request) else None


async def resume_expired_holds(uow: UnitOfWork, request: ServiceRequest) -> None:
    """Resume the stages whose hold ends by now."""
    held = [run for run in request.open_runs if run.held_at]
    over = [run for run in held if run.hold_until and run.hold_until <= uow.now]
    pauses = StagePauses(await uow.facts(request))
    # What was held as a whole is resumed as a whole, so that the customer hears of it once.
    for stage in [None] if over and over == held else [run.stage_key for run in over]:
        pauses.resume(stage)
    await uow.finish(request)


async def answer(
    uow: UnitOfWork,
    request: ServiceRequest,
    question: FollowUp,
    given: Answer,
    *,
    words: str = "",
    at: datetime | None = None,
    via: Channel = Channel.WEB,
    inbound: Message | None = None,
    suppress_reply: bool = False,
) -> None:
    """Take an answer, do what the workflow hangs on it, and thank by the channel it came by.

    ``at`` is the time that they named, where one was asked for. ``heard`` is the message that
    carried it; ``quiet`` leaves the thanks unsaid. A no that no rule follows goes to the owner,
    with a promise. Raises Conflict when the question has been answered or withdrawn.
    """
    asking = FollowUpFlow(await uow.stage_flow(request))
    action = asking.answer(question, given, words, via.value, at)
    news = await uow.finish(request)
    told = any(event.kind == EventKind.STAGE_REACHED and event.data.get("told") for event in news)
    due = None
    if action is None and given == Answer.NO:
        due = (await promise_answer(uow, request)).due_at
        await uow.finish(request)
    moved = told and action is not None and action.kind != "complete"
    if suppress_reply or via == Channel.WEB or (moved and at is None):
        # The page shows it itself; or the milestone told again says what happens next.
        return
    renderer = await uow.renderer(request)
    if at is not None:
        words = renderer.say("noted_time", None, at=renderer.times.since(at))
    elif due is not None:
        words = renderer.say("noted_no", None, due=renderer.times.by(due))
    elif given == Answer.YES:
        words = renderer.say("thanks_yes" if request.is_closed else "noted_yes")
    else:
        words = _what_happens_next(renderer, action)
    await uow.outbox.tell(
        request,
        MessageKind.ANSWER,
        f"message:{inbound.id}" if inbound else f"answer:{question.id}",
        words,
        channels=REPLY_CHANNELS[via],
    )


def _what_happens_next(renderer: MessageRenderer, action: AnswerAction | None) -> str:
    """After a no that the workflow has a rule for: who has it now, and by when what comes next."""
    request = renderer.request
    if request.is_closed:
        return renderer.say("closed_no")
    run = next((one for one in request.open_runs if action and one.stage_key == action.stage), None)
    handoff = request.pending_handoff(run) if run else None
    if handoff is not None and handoff.accept_by is not None:
        return renderer.say(
            "sent_back_passed", run,
            department=renderer.department_name(handoff.to_department_id),
            due=renderer.times.by(handoff.accept_by),
        )  # fmt: skip
    return renderer.say("sent_back", run)
