"""A message about a visit is carried out: booked, moved or cancelled, or free times are offered."""

from collections.abc import Sequence

from portal.business_time import TimeWindow
from portal.messaging.intents.named_times import NamedTime, WindowKind
from portal.messaging.wording.promises import promised_by
from portal.messaging.wording.visits import render_offer, render_visit
from portal.models import (
    ASK_BACK_CAUSE,
    OFFER_SUFFIX,
    Answer,
    FollowUp,
    MessageKind,
    PromiseKind,
    ServiceRequest,
)
from portal.operations.conversation.applying.owed_replies import owe_reply
from portal.operations.conversation.applying.replies import MatchedMessage, Reply
from portal.operations.conversation.outcomes import BookVisit, CancelVisit, OweReply
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
) -> Reply | None:
    """Do what the message asks for; the one reply says what is booked, or what is free.

    Where nothing is free, it says who answers and by when.
    """
    via = matched.message.channel
    if isinstance(outcome, CancelVisit):
        reason = f"The customer asked for it: {matched.message.body.strip()}"[:MAX_REASON_LENGTH]
        text = await release_visit(uow, request, reason=reason, via=via)
        return Reply(MessageKind.ANSWER, text, asks=OFFER_SUFFIX if request.open_question else "")
    question, wish = outcome.question, outcome.wish
    if outcome.is_refusal:
        return await _offer_others(uow, request, question)
    facts = await uow.facts(request)
    free = await free_windows(uow.session, facts, question, is_booking=True) or []
    fitting = _match_windows(question, free, wish)
    if wish is None or not fitting or (len(fitting) > 1 and wish.kind not in WINDOW_KINDS):
        fitting = question.without_refused(fitting)
        others = question.without_refused(free)
        question.offer(
            fitting[:OFFERED_COUNT]
            or nearest_windows(others, wish.window.start if wish else None, OFFERED_COUNT)
        )
        if not question.offered:
            return await owe_reply(uow, request, matched, OweReply())
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


async def _offer_others(uow: UnitOfWork, request: ServiceRequest, question: FollowUp) -> Reply:
    """The reply with the next windows, none that was refused; without any a person agrees a time."""
    question.refuse_offer()
    free = await free_windows(uow.session, await uow.facts(request), question) or []
    question.offer(nearest_windows(question.without_refused(free), None, OFFERED_COUNT))
    await uow.finish(request)
    if question.offered:
        text = render_offer(await uow.renderer(request), question, "visit_free")
        return Reply(MessageKind.ANSWER, text, asks=OFFER_SUFFIX)
    promise = await promise_reply(uow, request, PromiseKind.ANSWER)
    await uow.finish(request)
    renderer = await uow.renderer(request)
    text = renderer.say("visit_agree", None, **promised_by(renderer, promise))
    return Reply(MessageKind.ACKNOWLEDGEMENT, text)


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
    """The reply with the windows that the question offers."""
    await uow.finish(request)
    renderer = await uow.renderer(request)
    kind = MessageKind.ANSWER
    if wish is None and question.is_asked:
        text = render_offer(renderer, question, "visit_free")
        return Reply(kind, text, cause=f"{ASK_BACK_CAUSE}{question.id}")
    if wish is None or is_free:
        return Reply(kind, render_offer(renderer, question, "visit_free"), asks=OFFER_SUFFIX)
    at = wish.window.start if wish.is_moment else wish.window
    text = render_offer(renderer, question, "visit_not_free", wish=at)
    return Reply(kind, text, asks=OFFER_SUFFIX)
