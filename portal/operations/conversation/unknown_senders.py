"""Texts from numbers that no customer has: answered, attached to a request, or dismissed."""

from sqlmodel import col, select

from portal.errors import BadInput, Conflict, NotFound
from portal.messaging.intents.classifier import classify
from portal.messaging.sms.sender_address import takes_texts
from portal.models import (
    Channel,
    Direction,
    DroppedBall,
    DroppedBallKind,
    Message,
    MessageKind,
    ServiceRequest,
)
from portal.models.columns import saved_id
from portal.operations.authorization import authorize
from portal.operations.conversation.applying.intent_handlers import carry_out
from portal.operations.conversation.applying.replies import MatchedMessage
from portal.operations.conversation.facts import InboundFacts
from portal.operations.conversation.outcomes import Decision, OweReply
from portal.operations.conversation.reading.asked import question_of
from portal.operations.conversation.recording import record_in_conversation
from portal.operations.conversation.staff_messages import check_message_body
from portal.operations.dropped_balls.resolution import message_subject, resolve_dropped_balls
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.requests import lock_by_id
from portal.rules.authorization import Act


async def lock_unknown_sender_message(uow: UnitOfWork, message_id: int) -> Message:
    """An unknown sender's text that nobody has handled, locked until the transaction ends.

    Raises NotAllowed for who may not handle what belongs to no request, NotFound where there is
    none, and Conflict where a colleague has handled it.
    """
    await authorize(uow, None, Act.RESOLVE_MESSAGE)
    query = select(Message).where(col(Message.id) == message_id).with_for_update()
    inbound = (await uow.session.exec(query)).one_or_none()
    if inbound is None or inbound.direction != Direction.IN:
        raise NotFound("There is no such text.")
    open_ball = select(DroppedBall.id).where(
        col(DroppedBall.kind) == DroppedBallKind.UNKNOWN_SENDER,
        col(DroppedBall.subject) == message_subject(inbound),
        col(DroppedBall.resolved_at).is_(None),
    )
    if (await uow.session.exec(open_ball)).first() is None:
        raise Conflict("A colleague has seen to this text already, so nothing was done.")
    return inbound


async def answer_unknown_sender(uow: UnitOfWork, inbound: Message, body: str) -> Message:
    """Answer by text, which resolves its ball.

    Raises BadInput for a text that cannot be sent, and a sender that takes none.
    """
    if not takes_texts(inbound.from_address, [uow.settings.twilio_from_number]):
        raise BadInput(
            "This sender takes no texts: it is not the number of a phone. "
            "Attach the text to a request, or dismiss it."
        )
    answer = await uow.outbox.queue_reply_to_address(
        MessageKind.STAFF, f"{message_subject(inbound)}:answer", check_message_body(body),
        channel=Channel.SMS, address=inbound.from_address,
    )  # fmt: skip
    answer.author, answer.author_id = uow.actor.name, uow.actor.staff_id
    await dismiss_unknown_sender(uow, inbound)
    return answer


async def attach_to_request(uow: UnitOfWork, inbound: Message, request: ServiceRequest) -> None:
    """Put the text on this request, with an owner and a time to answer by.

    Raises Conflict where the request's customer is erased.
    """
    locked = await lock_by_id(uow.session, saved_id(request))
    locked.require_not_erased()
    intent = classify(inbound.body, question_of(locked), locked.customer.locale)
    matched = MatchedMessage(inbound, locked, intent, InboundFacts(now=uow.now))
    await record_in_conversation(uow, locked, matched)
    await carry_out(uow, matched, Decision("S1", OweReply(is_silent=True)))
    await dismiss_unknown_sender(uow, inbound)


async def dismiss_unknown_sender(uow: UnitOfWork, inbound: Message) -> None:
    """Resolve its dropped ball: it needs nothing more."""
    await resolve_dropped_balls(uow, message_subject(inbound), DroppedBallKind.UNKNOWN_SENDER)
