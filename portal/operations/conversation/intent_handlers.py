"""Carrying a decision out: rows, one finish, at most one reply."""

from portal.messaging.wording.status_reply import render_status
from portal.models import (
    Channel,
    Contact,
    ContactChannel,
    ContactReason,
    DroppedBallKind,
    EventKind,
    MessageKind,
    ServiceRequest,
)
from portal.models.columns import saved_id
from portal.models.messages.message import MAX_BECAUSE_LENGTH
from portal.operations.conversation.auto_reply_limits import AUTO_REPLY_WINDOW, MAX_TEXTS
from portal.operations.conversation.consent import write_consent
from portal.operations.conversation.outcomes import (
    AnswerQuestion,
    AskWhich,
    ChangeConsent,
    Decision,
    KeepWish,
    NotifyFrontDesk,
    OweReply,
    Record,
    Reopen,
    SendStatus,
)
from portal.operations.conversation.replies import (
    MatchedMessage,
    ask_which,
    render_owed,
    send_reply,
    text_address,
)
from portal.operations.conversation.wishes.preferences import confirm_wish, record_wish
from portal.operations.dropped_balls.resolution import message_subject, raise_dropped_ball
from portal.operations.follow_ups import render_answer_reply, take_answer
from portal.operations.promises import promise_reply
from portal.operations.transitions import reopen
from portal.operations.unit_of_work import UnitOfWork

MAX_REASON_LENGTH = 200


async def carry_out(uow: UnitOfWork, matched: MatchedMessage, decision: Decision) -> None:
    """Do what was decided; the message is in its request's conversation already.

    Raises TypeError for an outcome that needs a request, where there is none.
    """
    match decision.outcome, matched.request:
        case ChangeConsent() as change, request:
            await _change_consent(uow, request, matched, change, decision.owed)
        case KeepWish() as wish, ServiceRequest() as request:
            await _keep_wish(uow, request, matched, wish, decision)
        case NotifyFrontDesk() as notice, request:
            await _notify_front_desk(uow, request, matched, notice)
        case AskWhich() as asked, _:
            await ask_which(uow, matched, asked)
        case Record(), ServiceRequest() as request:
            await uow.finish(request)
        case AnswerQuestion() as given, ServiceRequest() as request:
            await _answer_question(uow, request, matched, given, is_silent=decision.is_silent)
        case SendStatus(), ServiceRequest() as request:
            await _send_status(uow, request, matched)
        case OweReply() as owed, ServiceRequest() as request:
            await owe_reply(uow, request, matched, owed)
        case Reopen(), ServiceRequest() as request:
            await _reopen(uow, request, matched, is_silent=decision.is_silent)
        case _:
            raise TypeError(f"Rule {decision.rule} needs a request.")


async def record_in_conversation(
    uow: UnitOfWork, request: ServiceRequest, matched: MatchedMessage
) -> None:
    """Put the message into the request's conversation, and count the customer's contact."""
    message, intent = matched.message, matched.intent
    event = request.record(EventKind.MESSAGE_IN, uow.actor, uow.now, bumps_version=False)
    await uow.session.flush()
    message.request_id = request.id
    message.customer_id = request.customer_id
    message.event_id = event.id
    message.intent, message.because = intent.kind, intent.because[:MAX_BECAUSE_LENGTH]
    uow.mark_page_changed(request)
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


async def owe_reply(
    uow: UnitOfWork, request: ServiceRequest, matched: MatchedMessage, owed: OweReply
) -> None:
    """A person answers or calls; a reply says by when.

    About a closed request a promise that stands is not repeated: every reply costs.
    """
    standing = list(request.promises)
    request.unanswered_since = request.unanswered_since or uow.now
    promise = await promise_reply(uow, request, owed.kind, owed.at)
    await uow.finish(request)
    stood = promise in standing
    if not (owed.is_silent or (request.is_closed and stood)):
        kind, text = render_owed(await uow.renderer(request), promise, owed, stood=stood)
        await send_reply(uow, request, matched, kind, text)


async def _answer_question(
    uow: UnitOfWork,
    request: ServiceRequest,
    matched: MatchedMessage,
    given: AnswerQuestion,
    *,
    is_silent: bool,
) -> None:
    channel = matched.message.channel
    taken = await take_answer(
        uow, request, given.question, given.answer,
        text=matched.intent.answer_words, at=given.at, via=channel,
    )  # fmt: skip
    # The page shows the answer itself.
    if not is_silent and channel != Channel.WEB:
        text = render_answer_reply(await uow.renderer(request), taken)
        if text:
            await send_reply(uow, request, matched, MessageKind.ANSWER, text)


async def _send_status(uow: UnitOfWork, request: ServiceRequest, matched: MatchedMessage) -> None:
    await uow.finish(request)
    kind = MessageKind.REOPEN_OFFER if request.is_closed else MessageKind.ANSWER
    await send_reply(uow, request, matched, kind, render_status(await uow.renderer(request)))


async def _reopen(
    uow: UnitOfWork, request: ServiceRequest, matched: MatchedMessage, *, is_silent: bool
) -> None:
    """Its milestone says what comes next; where none is sent yet, a reply does."""
    text = matched.message.body.strip()
    reason = f"The customer asked for it: {text}"[:MAX_REASON_LENGTH]
    first = len(uow.outbox.written)
    await reopen(uow, request, reason=reason)
    written = uow.outbox.written[first:]
    if not is_silent and all(message.kind != MessageKind.MILESTONE for message in written):
        reply = (await uow.renderer(request)).say("reopened_asked")
        await send_reply(uow, request, matched, MessageKind.ANSWER, reply)


async def _change_consent(
    uow: UnitOfWork,
    request: ServiceRequest | None,
    matched: MatchedMessage,
    change: ChangeConsent,
    owed: OweReply | None,
) -> None:
    if change.granted is not None:
        for address in change.addresses:
            await write_consent(
                uow, change.channel, address, granted=change.granted, source=change.source,
                evidence=change.evidence, request_id=change.request_id,
            )  # fmt: skip
    if request is not None and owed is not None:
        await owe_reply(uow, request, matched, owed)
    elif request is not None:
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
    uow: UnitOfWork,
    request: ServiceRequest,
    matched: MatchedMessage,
    wish: KeepWish,
    decision: Decision,
) -> None:
    await record_wish(uow, request, matched, wish)
    if decision.owed is not None:
        await owe_reply(uow, request, matched, decision.owed)
    else:
        await uow.finish(request)
    if not decision.is_silent:
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
