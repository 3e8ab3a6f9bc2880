"""A customer's words about what has ended: offered to be opened again, and seen by a person."""

from portal.messaging.intents.classifier import Meaning, MeaningKind
from portal.models import Message, MessageKind, ServiceRequest
from portal.operations.conversation.intent_handlers import record_heard, reply, tell_where_it_is
from portal.operations.promises import promise_answer
from portal.operations.transitions import reopen
from portal.operations.unit_of_work import Turn

LONGEST_REASON = 200


async def hear_about_closed(
    turn: Turn,
    request: ServiceRequest,
    heard: Message,
    meaning: Meaning,
    *,
    offered: bool = False,
    quiet: bool = False,
) -> None:
    """REOPEN, or YES to the offer (``offered``), opens it; else its owner sees the words.

    Where it stands is told at once. Thanks, and a no to the offer, need nothing.
    """
    await record_heard(turn, request, heard, meaning)
    wants_it = meaning.kind == MeaningKind.REOPEN or (offered and meaning.kind == MeaningKind.YES)
    needs_nothing = meaning.kind == MeaningKind.THANKS or (
        offered and meaning.kind == MeaningKind.NO
    )
    if wants_it:
        await _open_again(turn, request, heard, quiet=quiet)
    elif needs_nothing:
        await turn.settle(request)
    elif meaning.kind == MeaningKind.STATUS and not quiet:
        await turn.settle(request)
        await tell_where_it_is(turn, request, heard)
    else:
        await _offer(turn, request, heard, quiet=quiet)


async def _open_again(turn: Turn, request: ServiceRequest, heard: Message, *, quiet: bool) -> None:
    """It has an owner again; what is next is told by its milestone, or where that waits, here."""
    reason = f"The customer asked for it: {heard.body.strip()}"[:LONGEST_REASON]
    last = len(turn.outbox.written)
    await reopen(turn, request, reason=reason)
    told = any(one.kind == MessageKind.MILESTONE for one in turn.outbox.written[last:])
    if told or quiet:
        return
    await reply(
        turn, request, heard, MessageKind.ANSWER, (await turn.teller(request)).say("reopened_asked")
    )


async def _offer(turn: Turn, request: ServiceRequest, heard: Message, *, quiet: bool) -> None:
    stood = list(request.promises)
    request.unanswered_since = request.unanswered_since or turn.now
    promise = await promise_answer(turn, request)
    await turn.settle(request)
    if promise in stood or quiet:
        return  # Once is enough: the promise stands, and every reply costs.
    teller = await turn.teller(request)
    words = teller.say("offer", due=teller.times.by(promise.due_at))
    await reply(turn, request, heard, MessageKind.OFFER, words)
