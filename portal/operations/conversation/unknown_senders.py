"""Texts from numbers that no customer has: answered, put on a request, or seen to be nothing."""

from sqlmodel import col, select

from portal.errors import Conflict, NotFound
from portal.models import (
    BallKind,
    Channel,
    Direction,
    DroppedBall,
    Message,
    MessageKind,
    ServiceRequest,
)
from portal.operations.conversation.opt_out import leave_to_a_person
from portal.operations.conversation.staff_messages import check_letter
from portal.operations.dropped_balls.resolution import about, resolve_balls
from portal.operations.unit_of_work import Turn


async def lock_stranger(turn: Turn, message_id: int) -> Message:
    """A stranger's text that nobody has seen to, held until the turn ends.

    Raises NotFound where there is none, and Conflict where a colleague was faster.
    """
    query = select(Message).where(col(Message.id) == message_id).with_for_update()
    heard = (await turn.session.exec(query)).one_or_none()
    if heard is None or heard.direction != Direction.IN:
        raise NotFound("There is no such text.")
    raised = select(DroppedBall.id).where(
        col(DroppedBall.kind) == BallKind.UNKNOWN_SENDER,
        col(DroppedBall.subject) == about(heard),
        col(DroppedBall.resolved_at).is_(None),
    )
    if (await turn.session.exec(raised)).first() is None:
        raise Conflict("A colleague has seen to this text already, so nothing was done.")
    return heard


async def answer_stranger(turn: Turn, heard: Message, body: str) -> Message:
    """Answer by text, and so see to it. Raises BadInput for words that cannot be sent."""
    answer = await turn.outbox.answer_address(
        MessageKind.STAFF, f"{about(heard)}:answer", check_letter(body),
        channel=Channel.SMS, address=heard.from_address,
    )  # fmt: skip
    answer.author, answer.author_id = turn.actor.name, turn.actor.staff_id
    await let_it_rest(turn, heard)
    return answer


async def attach_stranger(turn: Turn, heard: Message, request: ServiceRequest) -> None:
    """It was about this request: the words stand there, with an owner and a time to answer by."""
    await leave_to_a_person(turn, heard, request)
    await let_it_rest(turn, heard)


async def let_it_rest(turn: Turn, heard: Message) -> None:
    """Somebody has seen to it; nothing more is to be done."""
    await resolve_balls(turn, about(heard), BallKind.UNKNOWN_SENDER)
