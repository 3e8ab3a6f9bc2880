"""Carrying a decision out: rows, and at most one reply."""

from portal.messaging.wording.status_reply import render_status
from portal.models import (
    ASK_BACK_CAUSE,
    Answer,
    Channel,
    Contact,
    ContactChannel,
    ContactReason,
    DeliveryReason,
    DroppedBallKind,
    EventKind,
    MessageKind,
    MessageStatus,
    Promise,
    ServiceRequest,
)
from portal.models.columns import saved_id
from portal.models.messages.message import MAX_BECAUSE_LENGTH
from portal.operations.calls import promise_call
from portal.operations.conversation.auto_reply_limits import AUTO_REPLY_WINDOW, MAX_TEXTS
from portal.operations.conversation.consent import write_consent
from portal.operations.conversation.outcomes import (
    AnswerQuestion,
    AskBack,
    AskWhich,
    BookVisit,
    CancelVisit,
    ChangeConsent,
    Decision,
    KeepWish,
    NotifyFrontDesk,
    OweReply,
    Record,
    Reopen,
    RequestOutcome,
    SendStatus,
)
from portal.operations.conversation.replies import (
    MatchedMessage,
    Reply,
    ask_which,
    render_owed,
    render_owed_beside,
    send_reply,
    text_address,
)
from portal.operations.conversation.wishes.preferences import confirm_wish, record_wish
from portal.operations.dropped_balls.resolution import (
    message_subject,
    raise_dropped_ball,
    raise_urgent,
)
from portal.operations.follow_ups import render_answer_reply, take_answer
from portal.operations.promises import promise_reply
from portal.operations.transitions import reopen
from portal.operations.unit_of_work import UnitOfWork
from portal.operations.visits.replies import carry_out_visit

MAX_REASON_LENGTH = 200


async def carry_out(uow: UnitOfWork, matched: MatchedMessage, decision: Decision) -> None:
    """Do what was decided, and reply once; the message is in its request's conversation already.

    Raises TypeError for an outcome that needs a request, where there is none.
    """
    outcome, request = decision.outcome, matched.request
    reply: Reply | None = None
    if isinstance(outcome, ChangeConsent):
        await _change_consent(uow, request, matched, outcome)
    elif isinstance(outcome, NotifyFrontDesk):
        await _notify_front_desk(uow, request, matched, outcome)
    elif request is None:
        raise TypeError(f"Rule {decision.rule} needs a request.")
    else:
        reply = await _carry_out_on(uow, request, matched, outcome)
    if request is not None and decision.owed is not None:
        reply = await _owe_beside(uow, request, reply, decision, decision.owed)
    if request is not None and decision.is_urgent:
        await raise_urgent(uow, request)
    if request is not None and reply is not None:
        await send_reply(uow, request, matched, reply)


async def _carry_out_on(
    uow: UnitOfWork, request: ServiceRequest, matched: MatchedMessage, outcome: RequestOutcome
) -> Reply | None:
    reply: Reply | None = None
    match outcome:
        case AnswerQuestion():
            reply = await _answer_question(uow, request, matched, outcome)
        case BookVisit() | CancelVisit():
            reply = await carry_out_visit(uow, request, matched, outcome)
        case AskBack():
            reply = await _ask_back(uow, request, outcome)
        case SendStatus():
            await uow.finish(request)
            kind = MessageKind.REOPEN_OFFER if request.is_closed else MessageKind.ANSWER
            reply = Reply(kind, render_status(await uow.renderer(request)))
        case OweReply():
            reply = await _owe_reply(uow, request, outcome)
        case Reopen():
            reply = await _reopen(uow, request, matched)
        case AskWhich():
            matched.message.reason = DeliveryReason.REQUEST_UNCLEAR
            await ask_which(uow, matched, outcome)
        case KeepWish():
            await _keep_wish(uow, request, matched, outcome)
        case Record():
            await uow.finish(request)
    return reply


async def record_in_conversation(
    uow: UnitOfWork, request: ServiceRequest, matched: MatchedMessage
) -> None:
    """Put the message into the request's conversation, and count the customer's contact."""
    message, intent = matched.message, matched.intent
    await put_in_conversation(uow, request, matched)
    uow.session.add(
        Contact(
            request_id=saved_id(request),
            message_id=message.id,
            channel=ContactChannel(message.channel.value),
            reason=ContactReason(intent.reason or ContactReason.OTHER),
            at=uow.now,
            logged_by=uow.actor.name,
        )
    )


async def put_in_conversation(
    uow: UnitOfWork, request: ServiceRequest, matched: MatchedMessage
) -> None:
    """Put the message into the request's conversation, also one that was in another's."""
    message = matched.message
    event = request.record(EventKind.MESSAGE_IN, uow.actor, uow.now, bumps_version=False)
    await uow.session.flush()
    message.request_id = request.id
    message.customer_id = request.customer_id
    message.event_id = event.id
    message.intent = matched.intent.kind
    message.because = matched.intent.because[:MAX_BECAUSE_LENGTH]
    uow.mark_page_changed(request)


async def _owe_reply(uow: UnitOfWork, request: ServiceRequest, owed: OweReply) -> Reply | None:
    """A person answers or calls; a reply says by when.

    About a closed request a promise that stands is not repeated: every reply costs.
    """
    known = [promise for promise in request.promises if promise.is_told]
    promise = await _promise(uow, request, owed)
    stood = promise in known
    is_repeated = request.is_closed and stood and not owed.template
    is_silent = owed.is_silent or is_repeated
    renderer = await uow.renderer(request)
    return None if is_silent else render_owed(renderer, promise, owed, stood=stood)


async def _owe_beside(
    uow: UnitOfWork,
    request: ServiceRequest,
    reply: Reply | None,
    decision: Decision,
    owed: OweReply,
) -> Reply | None:
    """A person answers what the machine has not; the one reply says both, where there is one."""
    if isinstance(decision.outcome, ChangeConsent):
        return await _owe_reply(uow, request, owed)
    made = [promise for promise in request.promises if promise.made_at == uow.now]
    promise = await _promise(uow, request, owed)
    outcome = decision.outcome
    # A no that nothing follows from has just been promised an answer, and its reply says so.
    is_no = isinstance(outcome, AnswerQuestion) and outcome.answer == Answer.NO
    if reply is None or owed.is_silent or (is_no and promise in made):
        return reply
    return render_owed_beside(
        await uow.renderer(request), reply, promise, is_urgent=decision.is_urgent
    )


async def _promise(uow: UnitOfWork, request: ServiceRequest, owed: OweReply) -> Promise:
    request.unanswered_since = request.unanswered_since or uow.now
    if owed.named is not None:
        promise = await promise_call(uow, request, owed.named)
    else:
        promise = await promise_reply(uow, request, owed.kind, is_told=owed.is_told)
    await uow.finish(request)
    return promise


async def _answer_question(
    uow: UnitOfWork, request: ServiceRequest, matched: MatchedMessage, given: AnswerQuestion
) -> Reply | None:
    channel = matched.message.channel
    taken = await take_answer(
        uow, request, given.question, given.answer,
        text=matched.intent.answer_words, at=given.at, via=channel,
    )  # fmt: skip
    # The page shows the answer itself.
    if channel == Channel.WEB:
        return None
    text = render_answer_reply(await uow.renderer(request), taken)
    return Reply(MessageKind.ANSWER, text) if text else None


async def _ask_back(uow: UnitOfWork, request: ServiceRequest, unclear: AskBack) -> Reply:
    """The question again in one line; its cause is the question's, so that it is asked back once."""
    await uow.finish(request)
    question, renderer = unclear.question, await uow.renderer(request)
    text = renderer.say("ask_back", question=renderer.put(question.question, question.run))
    return Reply(MessageKind.ANSWER, text, cause=f"{ASK_BACK_CAUSE}{question.id}")


async def _reopen(uow: UnitOfWork, request: ServiceRequest, matched: MatchedMessage) -> Reply:
    """The reply says that it is open again and who has it, in place of its stage's message."""
    text = matched.message.body.strip()
    reason = f"The customer asked for it: {text}"[:MAX_REASON_LENGTH]
    first = len(uow.outbox.written)
    await reopen(uow, request, reason=reason)
    for message in uow.outbox.written[first:]:
        if message.kind == MessageKind.MILESTONE:
            message.status = MessageStatus.SUPPRESSED
            message.reason = DeliveryReason.SUPERSEDED
    return Reply(MessageKind.ANSWER, (await uow.renderer(request)).say("reopened_asked"))


async def _change_consent(
    uow: UnitOfWork,
    request: ServiceRequest | None,
    matched: MatchedMessage,
    change: ChangeConsent,
) -> None:
    if change.granted is not None:
        for address in change.addresses:
            await write_consent(
                uow, change.channel, address, granted=change.granted, source=change.source,
                evidence=change.evidence, request_id=change.request_id,
            )  # fmt: skip
    if request is not None:
        await uow.finish(request)
    if change.confirm and change.channel == Channel.EMAIL and request is not None:
        reply = await uow.outbox.queue_reply_to_address(
            MessageKind.CONSENT,
            f"message:{matched.message.id}",
            (await uow.renderer(request)).say(change.confirm),
            channel=Channel.EMAIL,
            address=change.addresses[0],
        )
        reply.request_id, reply.customer_id = request.id, request.customer_id
        reply.subject = request.title_in(request.customer.locale)
    elif change.confirm:
        await text_address(uow, matched, MessageKind.CONSENT, change.confirm, change.about)


async def _keep_wish(
    uow: UnitOfWork, request: ServiceRequest, matched: MatchedMessage, wish: KeepWish
) -> None:
    await record_wish(uow, request, matched, wish)
    await uow.finish(request)
    if not wish.is_silent:
        await confirm_wish(uow, request, matched, wish)


async def _notify_front_desk(
    uow: UnitOfWork,
    request: ServiceRequest | None,
    matched: MatchedMessage,
    notice: NotifyFrontDesk,
) -> None:
    """A flood is noticed and answered once; what a customer says in it waits for a person."""
    message = matched.message
    if request is not None:
        request.unanswered_since = request.unanswered_since or uow.now
        await uow.finish(request)
    subject, detail = message_subject(message), "A text from a number that no customer has."
    if notice.kind == DroppedBallKind.FLOOD:
        subject = f"flood:{message.from_address}"[:64]
        detail = (
            f"More than {MAX_TEXTS} texts within {AUTO_REPLY_WINDOW.seconds // 60} minutes from "
            f"{message.from_address}: they are recorded, none is answered."
        )
    is_new = await raise_dropped_ball(uow, notice.kind, subject, detail)
    if is_new and notice.reply:
        await text_address(uow, matched, MessageKind.ACKNOWLEDGEMENT, notice.reply)
