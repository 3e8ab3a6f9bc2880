"""What a reply asks for, once its request is known: an answer at once, or an owner and a time."""

from portal.messaging.meaning import Meaning, MeaningKind, understand
from portal.models import (
    Answer,
    Channel,
    Contact,
    ContactChannel,
    ContactReason,
    EventKind,
    Message,
    MessageKind,
    MessageStatus,
    ServiceRequest,
)
from portal.relay.answering import WAYS_BACK, answer
from portal.relay.promising import answer_owed, promise_answer
from portal.relay.turn import Turn


async def route(turn: Turn, request: ServiceRequest, heard: Message, meaning: Meaning) -> None:
    """Put the words on their request and do what they ask for; any doubt is for a person."""
    await record_heard(turn, request, heard)
    question = request.asked
    if question is not None and meaning.kind in (MeaningKind.YES, MeaningKind.NO):
        given = Answer.YES if meaning.kind == MeaningKind.YES else Answer.NO
        await answer(
            turn,
            request,
            question,
            given,
            words=meaning.answer_words,
            via=heard.channel,
            heard=heard,
        )
    elif meaning.kind == MeaningKind.THANKS:
        await turn.settle(request)
    elif meaning.kind == MeaningKind.STATUS and request.open_runs:
        await turn.settle(request)
        await _tell_where_it_is(turn, request, heard)
    else:
        added = answer_owed(request) is not None
        request.unanswered_since = request.unanswered_since or turn.now
        promise = await promise_answer(turn, request)
        await turn.settle(request)
        teller = await turn.teller(request)
        await _reply(
            turn,
            request,
            heard,
            MessageKind.ACKNOWLEDGEMENT,
            "again_acknowledged" if added else "acknowledgement",
            due=teller.times.by(promise.due_at),
            department=teller.department_name(promise.department_id),
        )


async def record_heard(turn: Turn, request: ServiceRequest, heard: Message) -> None:
    """Put the words into the request's conversation, and count that the customer came to us."""
    event = request.record(EventKind.MESSAGE_IN, turn.actor, turn.now, moves=False)
    await turn.session.flush()
    heard.request_id = request.id
    heard.customer_id = request.customer_id
    heard.event_id = event.id
    turn.touch(request)
    turn.session.add(
        Contact(
            request_id=request.id or 0,
            message_id=heard.id,
            channel=ContactChannel(heard.channel.value),
            reason=(
                ContactReason.WHERE_IS_IT
                if understand(heard.body).kind == MeaningKind.STATUS
                else ContactReason.OTHER
            ),
            at=turn.now,
            logged_by=turn.actor.name,
        )
    )


async def _tell_where_it_is(turn: Turn, request: ServiceRequest, heard: Message) -> None:
    """What is true now: a stage is nobody's work before it is taken up, nor while it is held."""
    run = request.open_runs[0]
    teller, handoff = await turn.teller(request), request.waiting_handoff(run)
    more = {}
    if run.held_at is not None:
        name = "hold"
    elif handoff is not None and handoff.accept_by is not None:
        name, more = "status_passed", {"due": teller.times.by(handoff.accept_by)}
    else:
        name = "status_waiting" if run.waits_on_customer else "status"
    facts = teller.fields(run) | more
    await _reply(turn, request, heard, MessageKind.ANSWER, name, **facts)


async def _reply(
    turn: Turn, request: ServiceRequest, heard: Message, kind: MessageKind, name: str, **more: str
) -> None:
    """Answer by the way they came; on the page itself the words simply stand there."""
    teller = await turn.teller(request)
    words = teller.say(name, None, **more)
    if heard.channel == Channel.WEB:
        turn.session.add(
            Message(
                request_id=request.id,
                customer_id=request.customer_id,
                channel=Channel.WEB,
                kind=kind,
                cause=f"message:{heard.id}",
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
    await turn.outbox.tell(
        request, kind, f"message:{heard.id}", words, channels=WAYS_BACK[heard.channel]
    )
