"""Texts from numbers that no customer has: answered, put on a request, or seen to be nothing."""

from sqlmodel import col, select

from portal.errors import Conflict, NotFound
from portal.models import (
    Channel,
    Direction,
    DroppedBall,
    DroppedBallKind,
    Message,
    MessageKind,
    ServiceRequest,
)
from portal.operations.conversation.opt_out import assign_to_staff
from portal.operations.conversation.staff_messages import check_message_body
from portal.operations.dropped_balls.resolution import message_subject, resolve_dropped_balls
from portal.operations.unit_of_work import UnitOfWork


async def lock_unknown_sender_message(uow: UnitOfWork, message_id: int) -> Message:
    """A stranger's text that nobody has seen to, held until the turn ends.

    Raises NotFound where there is none, and Conflict where a colleague was faster.
    """
    query = select(Message).where(col(Message.id) == message_id).with_for_update()
    inbound = (await uow.session.exec(query)).one_or_none()
    if inbound is None or inbound.direction != Direction.IN:
        raise NotFound("There is no such text.")
    raised = select(DroppedBall.id).where(
        col(DroppedBall.kind) == DroppedBallKind.UNKNOWN_SENDER,
        col(DroppedBall.subject) == message_subject(inbound),
        col(DroppedBall.resolved_at).is_(None),
    )
    if (await uow.session.exec(raised)).first() is None:
        raise Conflict("A colleague has seen to this text already, so nothing was done.")
    return inbound


async def answer_unknown_sender(uow: UnitOfWork, inbound: Message, body: str) -> Message:
    """Answer by text, and so see to it. Raises BadInput for words that cannot be sent."""
    answer = await uow.outbox.queue_reply_to_address(
        MessageKind.STAFF, f"{message_subject(inbound)}:answer", check_message_body(body),
        channel=Channel.SMS, address=inbound.from_address,
    )  # fmt: skip
    answer.author, answer.author_id = uow.actor.name, uow.actor.staff_id
    await dismiss_unknown_sender(uow, inbound)
    return answer


async def attach_to_request(uow: UnitOfWork, inbound: Message, request: ServiceRequest) -> None:
    """It was about this request: the words stand there, with an owner and a time to answer by."""
    await assign_to_staff(uow, inbound, request)
    await dismiss_unknown_sender(uow, inbound)


async def dismiss_unknown_sender(uow: UnitOfWork, inbound: Message) -> None:
    """Somebody has seen to it; nothing more is to be done."""
    await resolve_dropped_balls(uow, message_subject(inbound), DroppedBallKind.UNKNOWN_SENDER)
