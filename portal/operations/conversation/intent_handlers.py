"""What a reply asks for, once its request is known: an answer at once, or an owner and a time."""

from dataclasses import dataclass
from datetime import datetime

from portal.messaging.intents.appointment_times import Reader
from portal.messaging.intents.classifier import Meaning, MeaningKind
from portal.messaging.sms import segments
from portal.messaging.wording.renderer import Teller
from portal.models import (
    Answer,
    Channel,
    Contact,
    ContactChannel,
    ContactReason,
    EventKind,
    Expects,
    FollowUp,
    FollowUpState,
    Message,
    MessageKind,
    MessageStatus,
    ServiceRequest,
    StageRun,
)
from portal.operations.follow_ups import WAYS_BACK, answer
from portal.operations.promises import promise_answer, promise_call
from portal.operations.unit_of_work import Turn


@dataclass(frozen=True, slots=True)
class Given:
    """An answer to the question that is open."""

    question: FollowUp
    answer: Answer
    at: datetime | None = None


async def route(
    turn: Turn, request: ServiceRequest, heard: Message, meaning: Meaning, *, quiet: bool = False
) -> None:
    """Put the words on their request and do what they ask for; any doubt is for a person.

    ``quiet``: that address has had answers enough of itself. Then none is sent, and whatever an
    answer would have settled a person sees.
    """
    await record_heard(turn, request, heard, meaning)
    given = answers(turn, request, heard.body, meaning)
    if given is not None:
        await answer(
            turn, request, given.question, given.answer, words=meaning.answer_words, at=given.at,
            via=heard.channel, heard=heard, quiet=quiet,
        )  # fmt: skip
    elif meaning.kind == MeaningKind.THANKS:
        await turn.settle(request)
    elif meaning.kind == MeaningKind.STATUS and not quiet and _answers_itself(turn, request):
        await turn.settle(request)
        await tell_where_it_is(turn, request, heard)
    elif meaning.kind == MeaningKind.CALL_ME:
        await owe_call(turn, request, heard, quiet=quiet)
    else:
        await _owe_answer(turn, request, heard, quiet=quiet)


def _answers_itself(turn: Turn, request: ServiceRequest) -> bool:
    """Whether where it stands is an answer; past the last date that we gave, a person must look."""
    overdue = any(run.may_be_asked_for(turn.now) for run in request.open_runs)
    return not (request.is_closed or overdue)


async def record_heard(
    turn: Turn, request: ServiceRequest, heard: Message, meaning: Meaning
) -> None:
    """Put the words into the request's conversation, and count that the customer came to us."""
    event = request.record(EventKind.MESSAGE_IN, turn.actor, turn.now, moves=False)
    await turn.session.flush()
    heard.request_id = request.id
    heard.customer_id = request.customer_id
    heard.event_id = event.id
    heard.meaning = meaning.kind
    turn.touch(request)
    turn.session.add(
        Contact(
            request_id=request.id or 0,
            message_id=heard.id,
            channel=ContactChannel(heard.channel.value),
            reason=ContactReason(meaning.reason or ContactReason.OTHER),
            at=turn.now,
            logged_by=turn.actor.name,
        )
    )


def answers(turn: Turn, request: ServiceRequest, body: str, meaning: Meaning) -> Given | None:
    """What the words answer, if they plainly answer the question that is open.

    Where a time was asked for, a yes alone is none.
    """
    question = request.asked
    if question is None:
        return None
    if meaning.kind == MeaningKind.NO:
        return Given(question, Answer.NO)
    if question.expects == Expects.TIME:
        at = named_time(turn, request, body) if meaning.kind == MeaningKind.TIME else None
        return Given(question, Answer.YES, at) if at else None
    return Given(question, Answer.YES) if meaning.kind == MeaningKind.YES else None


def named_time(
    turn: Turn, request: ServiceRequest, body: str, *, day_needed: bool = True
) -> datetime | None:
    """The time that the customer names, on their own clock."""
    customer = request.customer
    reader = Reader(customer.timezone, customer.locale, turn.now)
    return reader.read(body, day_needed=day_needed)


async def owe_call(
    turn: Turn, request: ServiceRequest, heard: Message, *, quiet: bool = False, cause: str = ""
) -> None:
    """Promise the call that they ask for, at the time that they name if they name one."""
    wanted = named_time(turn, request, heard.body, day_needed=False)
    request.unanswered_since = request.unanswered_since or turn.now
    promise = await promise_call(turn, request, wanted)
    await turn.settle(request)
    if quiet:
        return
    teller = await turn.teller(request)
    is_then = wanted is not None and promise.due_at == wanted
    name, due = ("call_at", teller.times.on) if is_then else ("call_by", teller.times.by)
    words = teller.say(
        name, due=due(promise.due_at), department=teller.department_name(promise.department_id)
    )
    await reply(turn, request, heard, MessageKind.ACKNOWLEDGEMENT, words, cause=cause)


async def _owe_answer(turn: Turn, request: ServiceRequest, heard: Message, *, quiet: bool) -> None:
    """For a person, who answers by a time that the customer is told."""
    stood = list(request.promises)
    request.unanswered_since = request.unanswered_since or turn.now
    promise = await promise_answer(turn, request)
    await turn.settle(request)
    if quiet:
        return
    teller = await turn.teller(request)
    words = teller.say(
        "again_acknowledged" if promise in stood else "acknowledgement",
        due=teller.times.by(promise.due_at),
        department=teller.department_name(promise.department_id),
    )
    await reply(turn, request, heard, MessageKind.ACKNOWLEDGEMENT, words)


async def tell_where_it_is(
    turn: Turn, request: ServiceRequest, heard: Message, cause: str = ""
) -> None:
    """What is true now, at once, in the words of where it stands."""
    words = where_it_is(await turn.teller(request))
    kind = MessageKind.OFFER if request.is_closed else MessageKind.ANSWER
    await reply(turn, request, heard, kind, words, cause=cause)


def where_it_is(teller: Teller) -> str:
    """The stage, who has it, what is next and by when, in one segment.

    A stage is nobody's work before it is taken up, nor while it is held; what waits for the
    customer's word says for which; what has ended says how it is opened again.
    """
    request = teller.request
    if request.is_closed:
        return teller.say("status_ended", ended=teller.times.on(request.closed_at or teller.now))
    run, question = teller.current_run(), request.asked
    if question is not None and (run is None or question.run is run):
        return teller.say("status_asked", question=teller.put(question.question, question.run))
    if run is None:
        planned = any(one.state == FollowUpState.PLANNED for one in request.follow_ups)
        return teller.say("status_done" if planned else "status_confirming")
    return _where_the_work_is(teller, run)


def _where_the_work_is(teller: Teller, run: StageRun) -> str:
    handoff = teller.request.waiting_handoff(run)
    facts, name = teller.fields(run), "status"
    if run.held_at is not None:
        name = "hold"
    elif handoff is not None and handoff.accept_by is not None:
        name, facts["due"] = "status_passed", teller.times.by(handoff.accept_by)
    elif run.waits_on_customer:
        name = "status_waiting"
    elif teller.has_next(run):
        words = teller.say("status_next", None, **facts)
        for fitting in (f"{words} {teller.link}", words):
            if segments.count(fitting).segments == 1:
                return fitting
    return teller.say(name, None, **facts)


async def reply(
    turn: Turn,
    request: ServiceRequest,
    heard: Message,
    kind: MessageKind,
    words: str,
    *,
    cause: str = "",
) -> None:
    """Answer by the way they came; on the page itself the words simply stand there."""
    cause = cause or f"message:{heard.id}"
    if heard.channel == Channel.WEB:
        teller = await turn.teller(request)
        request.told_at = turn.now
        turn.session.add(
            Message(
                request_id=request.id,
                customer_id=request.customer_id,
                channel=Channel.WEB,
                kind=kind,
                cause=cause,
                body=words.replace(teller.link, "").strip(),
                author=turn.settings.brand,
                status=MessageStatus.DELIVERED,
                created_at=turn.now,
                due_at=turn.now,
                sent_at=turn.now,
                delivered_at=turn.now,
            )
        )
        return
    await turn.outbox.tell(request, kind, cause, words, channels=WAYS_BACK[heard.channel])
