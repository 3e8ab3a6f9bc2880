"""Messages that need a person: which they are, and putting them right."""

from portal import operations
from portal.api.endpoint import Look
from portal.api.schemas.inputs import MessageQuery, Resend, Retry, Told, write_cursor
from portal.api.schemas.records import MessageAnswer, MessageList
from portal.models import Message
from portal.operations import Turn
from portal.operations.delivery.failed_messages import Lost
from portal.queries.api_lists import attempts_of, references
from portal.queries.desk.failed_messages import EVERYBODYS, lost_messages


async def show_lost_messages(look: Look, query: MessageQuery) -> MessageList:
    """The messages that need a person, oldest first."""
    messages, after = await lost_messages(
        look.session, look.now, EVERYBODYS, limit=query.limit, after=query.cursor
    )
    tries = await attempts_of(look.session, messages)
    named = await references(look.session, {one.request_id for one in messages})
    items = [
        MessageAnswer.of(one, named.get(one.request_id or 0), tries.get(one.id or 0, ()))
        for one in messages
    ]
    return MessageList(items=items, next_cursor=write_cursor(after))


async def retry(turn: Turn, body: Retry, message_id: int) -> MessageAnswer:
    """Send the same words once more, as a message of its own."""
    lost = await operations.lock_lost(turn, message_id)
    return await _answer(turn, lost, await operations.retry_message(turn, lost, to=body.to))


async def resend(turn: Turn, body: Resend, message_id: int) -> MessageAnswer:
    """Send other words instead, as a message of its own."""
    lost = await operations.lock_lost(turn, message_id)
    written = await operations.resend_message(turn, lost, body.body, channel=body.channel)
    return await _answer(turn, lost, written)


async def mark_as_told(turn: Turn, body: Told, message_id: int) -> MessageAnswer:
    """Note that somebody has told the customer: nothing more is sent."""
    lost = await operations.lock_lost(turn, message_id)
    return await _answer(
        turn, lost, await operations.mark_as_told(turn, lost, note=body.note or "")
    )


async def _answer(turn: Turn, lost: Lost, message: Message) -> MessageAnswer:
    tries = await attempts_of(turn.session, [message])
    reference = lost.request.reference if lost.request else None
    return MessageAnswer.of(message, reference, tries.get(message.id or 0, ()))
