"""Carrying a decision out: rows, and at most one reply."""

from portal.messaging.wording.length import fits_one_text
from portal.messaging.wording.promises import promised_by
from portal.messaging.wording.status_reply import render_status
from portal.models import (
    ASK_BACK_CAUSE,
    READ_BACK_CAUSE,
    Channel,
    DeliveryReason,
    DroppedBallKind,
    MessageKind,
    Promise,
    PromiseKind,
    ServiceRequest,
)
from portal.operations.conversation.applying.owed_replies import owe_beside, owe_reply
from portal.operations.conversation.applying.replies import (
    MatchedMessage,
    Reply,
    ask_which,
    render_card_warning,
    render_link,
    send_reply,
    text_address,
)
from portal.operations.conversation.auto_reply_limits import (
    AUTO_REPLY_WINDOW,
    FLOOD_SUFFIX,
    MAX_TEXTS,
)
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
    ReadBack,
    Record,
    Reopen,
    RequestOutcome,
    SendLink,
    SendStatus,
    TakeFiles,
)
from portal.operations.conversation.wishes.preferences import confirm_wish, record_wish
from portal.operations.dropped_balls.resolution import (
    message_subject,
    raise_dropped_ball,
    raise_urgent,
)
from portal.operations.follow_ups import read_back, render_answer_reply, take_answer
from portal.operations.needs.sent_items import take_files
from portal.operations.promises import promise_reply
from portal.operations.transitions import reopen
from portal.operations.unit_of_work import UnitOfWork
from portal.operations.visits.booking import suppress_written
from portal.operations.visits.replies import carry_out_visit

MAX_REASON_LENGTH = 200


async def carry_out(uow: UnitOfWork, matched: MatchedMessage, decision: Decision) -> None:
    """Do what was decided, and reply once; the message is in its request's conversation already.

    Raises TypeError for an outcome that needs a request, where there is none.
    """
    outcome, request = decision.outcome, matched.request
    reply: Reply | None = None
    check = None
    if request is not None and matched.has_files:
        check = await take_files(uow, request, matched.message, matched.need)
    if isinstance(outcome, ChangeConsent):
        await _change_consent(uow, request, matched, outcome)
    elif isinstance(outcome, NotifyFrontDesk):
        await _notify_front_desk(uow, request, matched, outcome)
    elif request is None:
        raise TypeError(f"Rule {decision.rule} needs a request.")
    else:
        reply = await _carry_out_on(uow, request, matched, outcome)
    if request is not None and check is not None and isinstance(outcome, TakeFiles):
        reply = await _confirm_files(uow, request, check)
    if request is not None:
        reply = await owe_beside(uow, request, matched, reply, decision)
    if request is not None and decision.is_urgent:
        await raise_urgent(uow, request)
    if request is not None and matched.facts.had_card_number:
        reply = render_card_warning(await uow.renderer(request), reply)
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
        case AskBack() | ReadBack():
            reply = await _ask_back(uow, request, outcome)
        case SendStatus() | SendLink():
            reply = await _tell(uow, request, matched, outcome)
        case OweReply():
            reply = await owe_reply(uow, request, matched, outcome)
        case Reopen():
            reply = await _reopen(uow, request, matched)
        case AskWhich():
            matched.message.reason = DeliveryReason.REQUEST_UNCLEAR
            await ask_which(uow, matched, outcome)
        case KeepWish():
            await _keep_wish(uow, request, matched, outcome)
        case Record() | TakeFiles():
            await uow.finish(request)
    return reply


async def _confirm_files(uow: UnitOfWork, request: ServiceRequest, check: Promise) -> Reply:
    """The reply says what has come, who checks it, and by when."""
    renderer = await uow.renderer(request)
    owner = renderer.person_name(check.owner_id)
    due = renderer.times.by(check.due_at)
    return Reply(MessageKind.ACKNOWLEDGEMENT, renderer.say("item_sent", owner=owner, due=due))


async def _tell(
    uow: UnitOfWork,
    request: ServiceRequest,
    matched: MatchedMessage,
    outcome: SendStatus | SendLink,
) -> Reply:
    if isinstance(outcome, SendLink):
        return await render_link(uow, request, matched)
    await uow.finish(request)
    kind = MessageKind.REOPEN_OFFER if request.is_closed else MessageKind.ANSWER
    return Reply(kind, render_status(await uow.renderer(request)))


async def _answer_question(
    uow: UnitOfWork, request: ServiceRequest, matched: MatchedMessage, given: AnswerQuestion
) -> Reply | None:
    channel, first = matched.message.channel, len(uow.outbox.written)
    taken = await take_answer(
        uow, request, given.question, given.answer,
        text=matched.intent.answer_words, at=given.at, via=channel,
    )  # fmt: skip
    # The page shows the answer itself.
    if channel == Channel.WEB:
        return None
    if given.at is not None:
        # The reply says what is booked: the message of the next stage would say it twice.
        suppress_written(uow, first, MessageKind.MILESTONE)
    renderer = await uow.renderer(request)
    text = render_answer_reply(renderer, taken)
    if text and channel == Channel.SMS and len(matched.facts.open_requests) > 1:
        # Nothing else in it tells which of their requests they have answered about.
        named = f"{text} {renderer.say('about_reference')}"
        text = named if fits_one_text(named, request.customer.locale) else text
    return Reply(MessageKind.ANSWER, text) if text else None


async def _ask_back(uow: UnitOfWork, request: ServiceRequest, unclear: AskBack | ReadBack) -> Reply:
    """The question again in one line; its cause is the question's, so that it is asked back once."""
    question = unclear.question
    if isinstance(unclear, ReadBack):
        text = await read_back(uow, request, question)
        return Reply(MessageKind.ANSWER, text, cause=f"{READ_BACK_CAUSE}{question.id}")
    await uow.finish(request)
    renderer = await uow.renderer(request)
    text = renderer.say("ask_back", question=renderer.question(question))
    return Reply(MessageKind.ANSWER, text, cause=f"{ASK_BACK_CAUSE}{question.id}")


async def _reopen(uow: UnitOfWork, request: ServiceRequest, matched: MatchedMessage) -> Reply:
    """The reply says that it is open again, who looks at it and by when they write.

    It stands in place of the stage's message.
    """
    text = matched.message.body.strip()
    reason = f"The customer asked for it: {text}"[:MAX_REASON_LENGTH]
    first = len(uow.outbox.written)
    await reopen(uow, request, reason=reason)
    suppress_written(uow, first, MessageKind.MILESTONE)
    promise = await promise_reply(uow, request, PromiseKind.ANSWER)
    await uow.finish(request)
    renderer = await uow.renderer(request)
    text = renderer.say("reopened_asked", None, **promised_by(renderer, promise))
    return Reply(MessageKind.ANSWER, text)


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
    """A flood is noticed and answered once; what a customer says in it a person answers."""
    message = matched.message
    subject, detail = message_subject(message), "A text from a number that no customer has."
    if notice.kind == DroppedBallKind.FLOOD:
        subject = f"flood:{message.from_address}"[:64]
        detail = (
            f"More than {MAX_TEXTS} texts within {AUTO_REPLY_WINDOW.seconds // 60} minutes from "
            f"{message.from_address}: they are recorded; answers to our questions count, and a person "
            "answers what else is asked."
        )
    await raise_dropped_ball(uow, notice.kind, subject, detail)
    if request is not None:
        await _own_flood(uow, request, matched, is_said=bool(notice.reply))
    elif notice.reply:
        suffix = FLOOD_SUFFIX if notice.kind == DroppedBallKind.FLOOD else ""
        await text_address(uow, matched, MessageKind.ACKNOWLEDGEMENT, notice.reply, suffix=suffix)


async def _own_flood(
    uow: UnitOfWork, request: ServiceRequest, matched: MatchedMessage, *, is_said: bool
) -> None:
    """A person answers what is said in a flood; one text says who, and by when."""
    request.unanswered_since = request.unanswered_since or uow.now
    promise = await promise_reply(uow, request, PromiseKind.ANSWER, is_told=is_said)
    await uow.finish(request)
    if is_said:
        renderer = await uow.renderer(request)
        await uow.outbox.queue_reply_to_address(
            MessageKind.ACKNOWLEDGEMENT,
            f"message:{matched.message.id}{FLOOD_SUFFIX}",
            renderer.say("flood_owned", None, **promised_by(renderer, promise)),
            channel=Channel.SMS,
            address=matched.message.from_address,
            locale=request.customer.locale,
        )
