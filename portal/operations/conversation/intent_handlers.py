"""What a reply asks for, once its request is known: an answer at once, or an owner and a time."""

from dataclasses import dataclass
from datetime import datetime

from portal.messaging.intents.appointment_times import AppointmentTimeParser
from portal.messaging.intents.classifier import Intent, IntentKind
from portal.messaging.sms import segments
from portal.messaging.wording.renderer import MessageRenderer
from portal.models import (
    Answer,
    AnswerType,
    Channel,
    Contact,
    ContactChannel,
    ContactReason,
    EventKind,
    FollowUp,
    FollowUpState,
    Message,
    MessageKind,
    MessageStatus,
    ServiceRequest,
    StageRun,
)
from portal.models.columns import saved_id
from portal.operations.follow_ups import REPLY_CHANNELS, answer
from portal.operations.promises import promise_answer, promise_call
from portal.operations.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class MatchedAnswer:
    """An answer to the question that is open."""

    question: FollowUp
    answer: Answer
    at: datetime | None = None


async def handle_intent(
    uow: UnitOfWork,
    request: ServiceRequest,
    inbound: Message,
    intent: Intent,
    *,
    suppress_reply: bool = False,
) -> None:
    """Put the words on their request and do what they ask for; any doubt is for a person.

    ``quiet``: that address has had answers enough of itself. Then none is sent, and whatever an
    answer would have settled a person sees.
    """
    await record_inbound(uow, request, inbound, intent)
    given = match_answer(uow, request, inbound.body, intent)
    if given is not None:
        await answer(
            uow, request, given.question, given.answer, words=intent.answer_words, at=given.at,
            via=inbound.channel, inbound=inbound, suppress_reply=suppress_reply,
        )  # fmt: skip
    elif intent.kind == IntentKind.THANKS:
        await uow.finish(request)
    elif intent.kind == IntentKind.STATUS and not suppress_reply and _answers_itself(uow, request):
        await uow.finish(request)
        await send_status(uow, request, inbound)
    elif intent.kind == IntentKind.CALL_ME:
        await handle_call_request(uow, request, inbound, suppress_reply=suppress_reply)
    else:
        await _owe_answer(uow, request, inbound, suppress_reply=suppress_reply)


def _answers_itself(uow: UnitOfWork, request: ServiceRequest) -> bool:
    """Whether where it stands is an answer; past the last date that we gave, a person must look."""
    overdue = any(run.can_ask_now(uow.now) for run in request.open_runs)
    return not (request.is_closed or overdue)


async def record_inbound(
    uow: UnitOfWork, request: ServiceRequest, inbound: Message, intent: Intent
) -> None:
    """Put the words into the request's conversation, and count that the customer came to us."""
    event = request.record(EventKind.MESSAGE_IN, uow.actor, uow.now, bumps_version=False)
    await uow.session.flush()
    inbound.request_id = request.id
    inbound.customer_id = request.customer_id
    inbound.event_id = event.id
    inbound.intent = intent.kind
    uow.mark_page_changed(request)
    uow.session.add(
        Contact(
            request_id=saved_id(request),
            message_id=inbound.id,
            channel=ContactChannel(inbound.channel.value),
            reason=ContactReason(intent.reason or ContactReason.OTHER),
            at=uow.now,
            logged_by=uow.actor.name,
        )
    )


def match_answer(
    uow: UnitOfWork, request: ServiceRequest, body: str, intent: Intent
) -> MatchedAnswer | None:
    """What the words answer, if they plainly answer the question that is open.

    Where a time was asked for, a yes alone is none.
    """
    question = request.open_question
    if question is None:
        return None
    if intent.kind == IntentKind.NO:
        return MatchedAnswer(question, Answer.NO)
    if question.expects == AnswerType.TIME:
        at = parse_named_time(uow, request, body) if intent.kind == IntentKind.TIME else None
        return MatchedAnswer(question, Answer.YES, at) if at else None
    return MatchedAnswer(question, Answer.YES) if intent.kind == IntentKind.YES else None


def parse_named_time(
    uow: UnitOfWork, request: ServiceRequest, body: str, *, day_needed: bool = True
) -> datetime | None:
    """The time that the customer names, on their own clock."""
    customer = request.customer
    reader = AppointmentTimeParser(customer.timezone, customer.locale, uow.now)
    return reader.read(body, day_needed=day_needed)


async def handle_call_request(
    uow: UnitOfWork,
    request: ServiceRequest,
    inbound: Message,
    *,
    suppress_reply: bool = False,
    cause: str = "",
) -> None:
    """Promise the call that they ask for, at the time that they name if they name one."""
    wanted = parse_named_time(uow, request, inbound.body, day_needed=False)
    request.unanswered_since = request.unanswered_since or uow.now
    promise = await promise_call(uow, request, wanted)
    await uow.finish(request)
    if suppress_reply:
        return
    renderer = await uow.renderer(request)
    is_then = wanted is not None and promise.due_at == wanted
    name, due = ("call_at", renderer.times.on) if is_then else ("call_by", renderer.times.by)
    words = renderer.say(
        name, due=due(promise.due_at), department=renderer.department_name(promise.department_id)
    )
    await send_reply(uow, request, inbound, MessageKind.ACKNOWLEDGEMENT, words, cause=cause)


async def _owe_answer(
    uow: UnitOfWork, request: ServiceRequest, inbound: Message, *, suppress_reply: bool
) -> None:
    """For a person, who answers by a time that the customer is told."""
    stood = list(request.promises)
    request.unanswered_since = request.unanswered_since or uow.now
    promise = await promise_answer(uow, request)
    await uow.finish(request)
    if suppress_reply:
        return
    renderer = await uow.renderer(request)
    words = renderer.say(
        "again_acknowledged" if promise in stood else "acknowledgement",
        due=renderer.times.by(promise.due_at),
        department=renderer.department_name(promise.department_id),
    )
    await send_reply(uow, request, inbound, MessageKind.ACKNOWLEDGEMENT, words)


async def send_status(
    uow: UnitOfWork, request: ServiceRequest, inbound: Message, cause: str = ""
) -> None:
    """What is true now, at once, in the words of where it stands."""
    words = status_text(await uow.renderer(request))
    kind = MessageKind.REOPEN_OFFER if request.is_closed else MessageKind.ANSWER
    await send_reply(uow, request, inbound, kind, words, cause=cause)


def status_text(renderer: MessageRenderer) -> str:
    """The stage, who has it, what is next and by when, in one segment.

    A stage is nobody's work before it is taken up, nor while it is held; what waits for the
    customer's word says for which; what has ended says how it is opened again.
    """
    request = renderer.request
    if request.is_closed:
        return renderer.say(
            "status_ended", ended=renderer.times.on(request.closed_at or renderer.now)
        )
    run, question = renderer.current_run(), request.open_question
    if question is not None and (run is None or question.run is run):
        return renderer.say("status_asked", question=renderer.put(question.question, question.run))
    if run is None:
        planned = any(one.state == FollowUpState.PLANNED for one in request.follow_ups)
        return renderer.say("status_done" if planned else "status_confirming")
    return _where_the_work_is(renderer, run)


def _where_the_work_is(renderer: MessageRenderer, run: StageRun) -> str:
    handoff = renderer.request.pending_handoff(run)
    facts, name = renderer.fields(run), "status"
    if run.held_at is not None:
        name = "hold"
    elif handoff is not None and handoff.accept_by is not None:
        name, facts["due"] = "status_passed", renderer.times.by(handoff.accept_by)
    elif run.waits_on_customer:
        name = "status_waiting"
    elif renderer.has_next(run):
        words = renderer.say("status_next", None, **facts)
        for fitting in (f"{words} {renderer.link}", words):
            if segments.count_segments(fitting).segments == 1:
                return fitting
    return renderer.say(name, None, **facts)


async def send_reply(
    uow: UnitOfWork,
    request: ServiceRequest,
    inbound: Message,
    kind: MessageKind,
    words: str,
    *,
    cause: str = "",
) -> None:
    """Answer by the way they came; on the page itself the words simply stand there."""
    cause = cause or f"message:{inbound.id}"
    if inbound.channel == Channel.WEB:
        renderer = await uow.renderer(request)
        request.last_told_at = uow.now
        uow.session.add(
            Message(
                request_id=request.id,
                customer_id=request.customer_id,
                channel=Channel.WEB,
                kind=kind,
                cause=cause,
                body=words.replace(renderer.link, "").strip(),
                author=uow.settings.brand,
                status=MessageStatus.DELIVERED,
                created_at=uow.now,
                due_at=uow.now,
                sent_at=uow.now,
                delivered_at=uow.now,
            )
        )
        return
    await uow.outbox.tell(request, kind, cause, words, channels=REPLY_CHANNELS[inbound.channel])
