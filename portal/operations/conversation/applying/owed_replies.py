"""Replies that a person owes: the promise, and the sentence that says by when."""

from dataclasses import replace

from portal.messaging.intents.classifier import IntentKind, Question, classify
from portal.models import Answer, ContactReason, MessageKind, Promise, ServiceRequest
from portal.operations.calls import promise_call
from portal.operations.conversation.applying.replies import (
    MatchedMessage,
    Reply,
    render_owed,
    render_owed_beside,
)
from portal.operations.conversation.outcomes import (
    AnswerQuestion,
    ChangeConsent,
    Decision,
    KeepWish,
    OweReply,
    Reopen,
)
from portal.operations.follow_ups import told_reply_promise
from portal.operations.promises import promise_reply
from portal.operations.unit_of_work import UnitOfWork


async def owe_reply(
    uow: UnitOfWork, request: ServiceRequest, matched: MatchedMessage, owed: OweReply
) -> Reply | None:
    """A person answers or calls; a reply says by when.

    About a closed request it is offered to reopen once; what comes after that is confirmed shortly.
    """
    known = [promise for promise in request.promises if promise.is_told]
    promise = await _promise(uow, request, owed)
    stood = promise in known
    renderer = await uow.renderer(request)
    is_complaint = matched.intent.reason == ContactReason.COMPLAINT
    if owed.is_silent:
        return None
    if request.is_closed and stood and not owed.template and _is_offered(request, matched):
        declined = classify(matched.message.body, Question.DECISION, request.customer.locale)
        if declined.kind == IntentKind.NO and not declined.needs_owner:
            return None  # "No thanks" to the offer.
        owed = replace(owed, template="acknowledgement_again")
    return render_owed(renderer, promise, owed, stood=stood, is_complaint=is_complaint)


async def owe_beside(
    uow: UnitOfWork,
    request: ServiceRequest,
    matched: MatchedMessage,
    reply: Reply | None,
    decision: Decision,
) -> Reply | None:
    """A person answers what the machine has not; the one reply says both, where there is one."""
    owed, outcome = decision.owed, decision.outcome
    if owed is not None and isinstance(outcome, ChangeConsent | KeepWish):
        reply = await owe_reply(uow, request, matched, owed)
        if reply is not None and isinstance(outcome, KeepWish) and outcome.quiet_hours == "":
            said = (await uow.renderer(request)).say("quiet_hours_over")
            reply = replace(reply, text=f"{reply.text} {said}")
    elif owed is not None:
        made = [promise for promise in request.promises if promise.made_at == uow.now]
        standing = told_reply_promise(request)
        promise = await _promise(uow, request, owed)
        # A no and REOPEN have just been promised an answer, and their reply says so; so does one to
        # a no that closes the request, where an answer is owed already.
        is_no = isinstance(outcome, AnswerQuestion) and outcome.answer != Answer.YES
        is_said = (is_no or isinstance(outcome, Reopen)) and promise in made
        is_said |= is_no and request.is_closed and promise is standing
        if reply is not None and not (owed.is_silent or is_said):
            renderer = await uow.renderer(request)
            reply = render_owed_beside(renderer, reply, promise, is_urgent=decision.is_urgent)
    return reply


def _is_offered(request: ServiceRequest, matched: MatchedMessage) -> bool:
    """Whether a text of the last day has offered to open the request again."""
    return any(
        message.kind == MessageKind.REOPEN_OFFER and message.request_id == request.id
        for message in matched.facts.limits.recent_messages
    )


async def _promise(uow: UnitOfWork, request: ServiceRequest, owed: OweReply) -> Promise:
    request.unanswered_since = request.unanswered_since or uow.now
    if owed.named is not None:
        promise = await promise_call(uow, request, owed.named)
    else:
        promise = await promise_reply(uow, request, owed.kind, is_told=owed.is_told)
    await uow.finish(request)
    return promise
