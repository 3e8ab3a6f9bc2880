"""A customer's words about what has ended: offered to be opened again, and seen by a person."""

from portal.messaging.intents.classifier import Intent, IntentKind
from portal.models import Message, MessageKind, ServiceRequest
from portal.operations.conversation.intent_handlers import record_inbound, send_reply, send_status
from portal.operations.promises import promise_answer
from portal.operations.transitions import reopen
from portal.operations.unit_of_work import UnitOfWork

MAX_REASON_LENGTH = 200


async def handle_closed_request(
    uow: UnitOfWork,
    request: ServiceRequest,
    inbound: Message,
    intent: Intent,
    *,
    offered: bool = False,
    suppress_reply: bool = False,
) -> None:
    """REOPEN, or YES to the offer (``offered``), opens it; else its owner sees the words.

    Where it stands is told at once. Thanks, and a no to the offer, need nothing.
    """
    await record_inbound(uow, request, inbound, intent)
    wants_it = intent.kind == IntentKind.REOPEN or (offered and intent.kind == IntentKind.YES)
    needs_nothing = intent.kind == IntentKind.THANKS or (offered and intent.kind == IntentKind.NO)
    if wants_it:
        await _open_again(uow, request, inbound, suppress_reply=suppress_reply)
    elif needs_nothing:
        await uow.finish(request)
    elif intent.kind == IntentKind.STATUS and not suppress_reply:
        await uow.finish(request)
        await send_status(uow, request, inbound)
    else:
        await _offer(uow, request, inbound, suppress_reply=suppress_reply)


async def _open_again(
    uow: UnitOfWork, request: ServiceRequest, inbound: Message, *, suppress_reply: bool
) -> None:
    """It has an owner again; what is next is told by its milestone, or where that waits, here."""
    reason = f"The customer asked for it: {inbound.body.strip()}"[:MAX_REASON_LENGTH]
    last = len(uow.outbox.written)
    await reopen(uow, request, reason=reason)
    told = any(one.kind == MessageKind.MILESTONE for one in uow.outbox.written[last:])
    if told or suppress_reply:
        return
    await send_reply(
        uow,
        request,
        inbound,
        MessageKind.ANSWER,
        (await uow.renderer(request)).say("reopened_asked"),
    )


async def _offer(
    uow: UnitOfWork, request: ServiceRequest, inbound: Message, *, suppress_reply: bool
) -> None:
    stood = list(request.promises)
    request.unanswered_since = request.unanswered_since or uow.now
    promise = await promise_answer(uow, request)
    await uow.finish(request)
    if promise in stood or suppress_reply:
        return  # Once is enough: the promise stands, and every reply costs.
    renderer = await uow.renderer(request)
    words = renderer.say("offer", due=renderer.times.by(promise.due_at))
    await send_reply(uow, request, inbound, MessageKind.REOPEN_OFFER, words)
