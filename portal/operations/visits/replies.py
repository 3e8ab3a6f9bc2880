"""A message about a visit is carried out: booked, moved or cancelled, or free times are offered."""

from collections.abc import Sequence

from portal.business_time import TimeWindow
from portal.messaging.intents.named_times import NamedTime, WindowKind
from portal.messaging.wording.visits import render_offer, render_visit
from portal.models import ASK_BACK_CAUSE, Answer, FollowUp, MessageKind, PromiseKind, ServiceRequest
from portal.operations.conversation.applying.replies import MatchedMessage, Reply
from portal.operations.conversation.outcomes import BookVisit, CancelVisit
from portal.operations.follow_ups import take_answer
from portal.operations.promises import promise_reply
from portal.operations.unit_of_work import UnitOfWork
from portal.operations.visits.booking import move_visit, release_visit, suppress_written
from portal.operations.visits.windows import OFFERED_COUNT, free_windows
from portal.rules.visits import match_windows, nearest_windows

WINDOW_KINDS = (WindowKind.BETWEEN, WindowKind.AFTER, WindowKind.BEFORE)
"""Wishes with hours: the first window within them is booked. Of a day the customer chooses one."""
MAX_REASON_LENGTH = 200


async def carry_out_visit(
    uow: UnitOfWork,
    request: ServiceRequest,
    matched: MatchedMessage,
    outcome: BookVisit | CancelVisit,
) -> Reply:
    """Do what the message asks for; the one reply says what is booked, or what is free."""
    via = matched.message.channel
    if isinstance(outcome, CancelVisit):
        reason = f"The customer asked for it: {matched.message.body.strip()}"[:MAX_REASON_LENGTH]
        return Reply(MessageKind.ANSWER, await release_visit(uow, request, reason=reason, via=via))
    question, wish = outcome.question, outcome.wish
    facts = await uow.facts(request)
    free = await free_windows(uow.session, facts, question, is_booking=True) or []
    fitting = _match_windows(question, free, wish)
    if wish is None or not fitting or (len(fitting) > 1 and wish.kind not in WINDOW_KINDS):
        question.offer(
            fitting[:OFFERED_COUNT]
            or nearest_windows(free, wish.window.start if wish else None, OFFERED_COUNT)
        )
        return await _offer(uow, request, question, wish, is_free=bool(fitting))
    if question.is_asked:
        first = len(uow.outbox.written)
        await take_answer(
            uow, request, question, Answer.YES, text=matched.intent.answer_words, at=fitting[0],
            via=via,
        )  # fmt: skip
        # The reply says what the message of the next stage would.
        suppress_written(uow, first, MessageKind.MILESTONE)
        template = "visit_booked"
    elif fitting[0] == question.visit_window:
        question.offer([])
        await uow.finish(request)
        template = "visit_booked"
    else:
        await move_visit(uow, request, question, fitting[0], via=via)
        template = "visit_moved"
    return Reply(MessageKind.ANSWER, render_visit(await uow.renderer(request), question, template))


def _match_windows(
    question: FollowUp, free: Sequence[TimeWindow], wish: NamedTime | None
) -> list[TimeWindow]:
    """The free windows that the wish names, or the booked window where it has that moment."""
    if wish is None:
        return []
    booked = question.visit_window
    if booked is not None and wish.is_moment and booked.has(wish.window.start):
        return [booked]
    return match_windows(free, wish.window, is_moment=wish.is_moment)


async def _offer(
    uow: UnitOfWork,
    request: ServiceRequest,
    question: FollowUp,
    wish: NamedTime | None,
    *,
    is_free: bool,
) -> Reply:
    """The reply with the windows that the question offers; without any a person answers."""
    await uow.finish(request)
    renderer = await uow.renderer(request)
    if not question.offered:
        promise = await promise_reply(uow, request, PromiseKind.ANSWER)
        await uow.finish(request)
        department = renderer.department_name(promise.department_id)
        due = renderer.times.by(promise.due_at)
        text = renderer.say("acknowledgement", department=department, due=due)
        return Reply(MessageKind.ACKNOWLEDGEMENT, text)
    if wish is None or is_free:
        cause = f"{ASK_BACK_CAUSE}{question.id}" if wish is None and question.is_asked else ""
        text = render_offer(renderer, question, "visit_free")
        return Reply(MessageKind.ANSWER, text, cause=cause)
    at = wish.window.start if wish.is_moment else wish.window
    return Reply(MessageKind.ANSWER, render_offer(renderer, question, "visit_not_free", wish=at))
