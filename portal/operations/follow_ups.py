"""Questions to the customer: asking them when their time has come, and taking the answers."""

from datetime import datetime

from portal.messaging.wording.renderer import Teller
from portal.models import Answer, Channel, EventKind, FollowUp, Message, MessageKind, ServiceRequest
from portal.operations.promises import promise_answer
from portal.operations.unit_of_work import Turn
from portal.rules.follow_ups import Asking
from portal.workflows import AnswerAction

WAYS_BACK = {
    Channel.SMS: (Channel.SMS, Channel.EMAIL),
    Channel.EMAIL: (Channel.EMAIL,),
}
"""How words are answered: by the way they came, or by mail where texts are not wanted."""


async def ask_what_is_due(turn: Turn, request: ServiceRequest) -> None:
    """Ask, remind or give up, whichever the time has come for; asked again, it does nothing."""
    asking = Asking(await turn.progress(request))
    for question in list(request.follow_ups):
        if question.next_at is None or question.next_at > turn.now:
            continue
        if asking.is_for_the_morning(question) and (morning := await _morning(turn, request)):
            question.next_at = morning
        else:
            asking.take_step(question)
    await turn.settle(request)


async def _morning(turn: Turn, request: ServiceRequest) -> datetime | None:
    """When their night ends; None by day, and while they wait up for us."""
    awake = turn.manners(request).awake(turn.now)
    return awake if awake > turn.now and not await turn.is_awaited(request) else None


async def end_holds_that_are_over(turn: Turn, request: ServiceRequest) -> None:
    """Resume what was held until now."""
    held = [run for run in request.open_runs if run.held_at]
    over = [run for run in held if run.hold_until and run.hold_until <= turn.now]
    roster = await turn.roster(request)
    # What was held as a whole goes on as a whole, so that the customer hears of it once.
    for stage in [None] if over and over == held else [run.stage_key for run in over]:
        request.resume(stage, turn.actor, turn.now, roster.departments.values())
    await turn.settle(request)


async def answer(
    turn: Turn,
    request: ServiceRequest,
    question: FollowUp,
    given: Answer,
    *,
    words: str = "",
    at: datetime | None = None,
    via: Channel = Channel.WEB,
    heard: Message | None = None,
    quiet: bool = False,
) -> None:
    """Take an answer, do what the workflow hangs on it, and thank by the channel it came by.

    ``at`` is the time that they named, where one was asked for. ``heard`` is the message that
    carried it; ``quiet`` leaves the thanks unsaid. A no that no rule follows goes to the owner,
    with a promise. Raises Conflict when the question has been answered or withdrawn.
    """
    asking = Asking(await turn.progress(request))
    action = asking.answer(question, given, words, via.value, at)
    news = await turn.settle(request)
    told = any(event.kind == EventKind.STAGE_REACHED and event.data.get("told") for event in news)
    due = None
    if action is None and given == Answer.NO:
        due = (await promise_answer(turn, request)).due_at
        await turn.settle(request)
    moved = told and action is not None and action.kind != "complete"
    if quiet or via == Channel.WEB or (moved and at is None):
        # The page shows it itself; or the milestone told again says what happens next.
        return
    teller = await turn.teller(request)
    if at is not None:
        words = teller.say("noted_time", None, at=teller.times.since(at))
    elif due is not None:
        words = teller.say("noted_no", None, due=teller.times.by(due))
    elif given == Answer.YES:
        words = teller.say("thanks_yes" if request.is_closed else "noted_yes")
    else:
        words = _what_happens_next(teller, action)
    await turn.outbox.tell(
        request,
        MessageKind.ANSWER,
        f"message:{heard.id}" if heard else f"answer:{question.id}",
        words,
        channels=WAYS_BACK[via],
    )


def _what_happens_next(teller: Teller, action: AnswerAction | None) -> str:
    """After a no that the workflow has a rule for: who has it now, and by when what comes next."""
    request = teller.request
    if request.is_closed:
        return teller.say("closed_no")
    run = next((one for one in request.open_runs if action and one.stage_key == action.stage), None)
    handoff = request.waiting_handoff(run) if run else None
    if handoff is not None and handoff.accept_by is not None:
        return teller.say(
            "sent_back_passed", run,
            department=teller.department_name(handoff.to_department_id),
            due=teller.times.by(handoff.accept_by),
        )  # fmt: skip
    return teller.say("sent_back", run)
