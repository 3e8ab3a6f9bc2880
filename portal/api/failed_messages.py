"""Failed messages: lists those that need a person, and sends again or marks as informed."""

from portal import operations
from portal.api.endpoint import ReadContext
from portal.api.schemas.fields import encode_cursor
from portal.api.schemas.inputs import MarkToldInput, Resend, Retry
from portal.api.schemas.messages import MessageList, MessageResponse
from portal.api.schemas.queries import MessageQuery
from portal.models import Message
from portal.models.columns import saved_id
from portal.operations import UnitOfWork
from portal.operations.delivery.failed_messages import FailedMessage
from portal.queries.api_lists import references_by_id, send_attempts_by_message
from portal.queries.desk.failed_messages import ALL_FAILED_MESSAGES, list_failed_messages


async def show_failed_messages(context: ReadContext, query: MessageQuery) -> MessageList:
    """The messages that need a person, oldest first."""
    messages, after = await list_failed_messages(
        context.session, context.now, ALL_FAILED_MESSAGES, limit=query.limit, after=query.cursor
    )
    attempts = await send_attempts_by_message(context.session, messages)
    references = await references_by_id(
        context.session, {message.request_id for message in messages}
    )
    items = [
        MessageResponse.of(
            message, references.get(message.request_id or 0), attempts.get(saved_id(message), ())
        )
        for message in messages
    ]
    return MessageList(items=items, next_cursor=encode_cursor(after))


async def retry(uow: UnitOfWork, body: Retry, message_id: int) -> MessageResponse:
    """Send the same text again, as a new message."""
    failed_message = await operations.lock_failed_message(uow, message_id)
    return await _response(
        uow, failed_message, await operations.retry_message(uow, failed_message, to=body.to)
    )


async def resend(uow: UnitOfWork, body: Resend, message_id: int) -> MessageResponse:
    """Send another text instead, as a new message."""
    failed_message = await operations.lock_failed_message(uow, message_id)
    written = await operations.resend_message(uow, failed_message, body.body, channel=body.channel)
    return await _response(uow, failed_message, written)


async def mark_told(uow: UnitOfWork, body: MarkToldInput, message_id: int) -> MessageResponse:
    """Mark the customer as informed by a person: nothing more is sent."""
    failed_message = await operations.lock_failed_message(uow, message_id)
    return await _response(
        uow,
        failed_message,
        await operations.mark_told_by_phone(uow, failed_message, note=body.note or ""),
    )


async def _response(
    uow: UnitOfWork, failed_message: FailedMessage, message: Message
) -> MessageResponse:
    attempts = await send_attempts_by_message(uow.session, [message])
    reference = failed_message.request.reference if failed_message.request else None
    return MessageResponse.of(message, reference, attempts.get(saved_id(message), ()))
