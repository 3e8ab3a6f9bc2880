"""Failed messages: lists those that need a person, and sends again or marks as informed."""

from portal import operations
from portal.api.conversations import message_responses
from portal.api.endpoint import ReadContext
from portal.api.schemas.fields import encode_cursor
from portal.api.schemas.inputs import MarkToldInput, Resend, Retry
from portal.api.schemas.messages import MessageList, MessageResponse
from portal.api.schemas.queries import MessageQuery
from portal.operations import UnitOfWork
from portal.queries.desk.failed_messages import list_failed_messages
from portal.queries.paging import EVERYTHING, PageRequest


async def show_failed_messages(context: ReadContext, query: MessageQuery) -> MessageList:
    """The messages that need a person, oldest first."""
    messages, after = await list_failed_messages(
        context.session, context.now, EVERYTHING, PageRequest(query.limit, query.cursor)
    )
    items = await message_responses(context.session, messages)
    return MessageList(items=items, next_cursor=encode_cursor(after))


async def retry(uow: UnitOfWork, body: Retry, message_id: int) -> MessageResponse:
    """Send the same text again, as a new message."""
    failed_message = await operations.lock_failed_message(uow, message_id)
    written = await operations.retry_message(uow, failed_message, to=body.to)
    return (await message_responses(uow.session, [written]))[0]


async def resend(uow: UnitOfWork, body: Resend, message_id: int) -> MessageResponse:
    """Send another text instead, as a new message."""
    failed_message = await operations.lock_failed_message(uow, message_id)
    written = await operations.resend_message(uow, failed_message, body.body, channel=body.channel)
    return (await message_responses(uow.session, [written]))[0]


async def mark_told(uow: UnitOfWork, body: MarkToldInput, message_id: int) -> MessageResponse:
    """Mark the customer as informed by a person: nothing more is sent."""
    failed_message = await operations.lock_failed_message(uow, message_id)
    told = await operations.mark_told_by_phone(uow, failed_message, note=body.note or "")
    return (await message_responses(uow.session, [told]))[0]
