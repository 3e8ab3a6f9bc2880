"""Putting a message into its request's conversation."""

from portal.models import Contact, ContactChannel, ContactReason, EventKind, ServiceRequest
from portal.models.columns import saved_id
from portal.models.messages.message import MAX_BECAUSE_LENGTH
from portal.operations.conversation.applying.replies import MatchedMessage
from portal.operations.unit_of_work import UnitOfWork


async def record_in_conversation(
    uow: UnitOfWork, request: ServiceRequest, matched: MatchedMessage
) -> None:
    """Put the message into the request's conversation, and count the customer's contact."""
    message, intent = matched.message, matched.intent
    await put_in_conversation(uow, request, matched)
    uow.session.add(
        Contact(
            request_id=saved_id(request),
            message_id=message.id,
            channel=ContactChannel(message.channel.value),
            reason=ContactReason(intent.reason or ContactReason.OTHER),
            at=uow.now,
            logged_by=uow.actor.name,
        )
    )


async def put_in_conversation(
    uow: UnitOfWork, request: ServiceRequest, matched: MatchedMessage
) -> None:
    """Put the message into the request's conversation, also one that was in another's."""
    message = matched.message
    event = request.record(EventKind.MESSAGE_IN, uow.actor, uow.now, bumps_version=False)
    await uow.session.flush()
    message.request_id = request.id
    message.customer_id = request.customer_id
    message.event_id = event.id
    message.intent = matched.intent.kind
    message.because = matched.intent.because[:MAX_BECAUSE_LENGTH]
    uow.mark_page_changed(request)
