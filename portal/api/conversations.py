"""Messages, contacts and promises of a request, its events and its follow-up questions."""

from collections.abc import Sequence

from sqlmodel.ext.asyncio.session import AsyncSession

from portal import operations
from portal.api.endpoint import ReadContext
from portal.api.schemas.fields import encode_cursor
from portal.api.schemas.inputs import (
    MovePromise,
    NewContact,
    NewMessage,
    NewPromise,
    VersionedInput,
    WithdrawPromise,
)
from portal.api.schemas.messages import MessageList, MessageResponse
from portal.api.schemas.queries import NoQuery, PageQuery
from portal.api.schemas.records import (
    ContactResponse,
    EventList,
    EventResponse,
    FollowUpList,
    FollowUpResponse,
    PromiseList,
    PromiseResponse,
)
from portal.attachments.stored_file import StoredFile
from portal.models import Event, Message, Promise
from portal.models.columns import saved_id
from portal.operations import UnitOfWork
from portal.queries.api_lists import (
    list_follow_ups,
    list_of_request,
    references_by_id,
    send_attempts_by_message,
)
from portal.queries.attachments import attachments_by_message, get_attachment
from portal.queries.conversations import get_message
from portal.queries.names import load_names
from portal.queries.paging import PageRequest


async def write(uow: UnitOfWork, body: NewMessage, reference: str) -> MessageResponse:
    """Write to the customer."""
    request = await uow.lock(reference)
    message = await operations.write_to_customer(
        uow, request, body.body, channels=body.channels or (), urgent=body.urgent
    )
    return MessageResponse.of(message, request.reference)


async def refuse_repeated_message(uow: UnitOfWork, body: NewMessage, reference: str) -> None:
    """Refuse what was written to the customer a moment ago: a client repeats a call that it gave up."""
    request = await uow.lock(reference)
    await operations.refuse_repeated_message(uow, request, body.body, channels=body.channels or ())


async def log_contact(uow: UnitOfWork, body: NewContact, reference: str) -> ContactResponse:
    """Log that the customer contacted us, and why."""
    request = await uow.lock(reference)
    contact = await operations.log_contact(
        uow, request, channel=body.channel, reason=body.reason, note=body.note or ""
    )
    return ContactResponse.of(contact)


async def make_promise(uow: UnitOfWork, body: NewPromise, reference: str) -> PromiseResponse:
    """Promise the customer something by a time."""
    request = await uow.lock(reference, body.version)
    promise = await operations.make_promise(
        uow, request, text=body.text, due_at=body.due_at, owner=body.owner, kind=body.kind,
        tell=body.tell,
    )  # fmt: skip
    return await _promise_response(uow, promise)


async def keep_promise(
    uow: UnitOfWork, body: VersionedInput, reference: str, promise_id: int
) -> PromiseResponse:
    """Mark a promise as kept."""
    request = await uow.lock(reference, body.version)
    return await _promise_response(uow, await operations.keep_promise(uow, request, promise_id))


async def move_promise(
    uow: UnitOfWork, body: MovePromise, reference: str, promise_id: int
) -> PromiseResponse:
    """Give a promise a new time; a customer who knows of it is notified of the reason."""
    request = await uow.lock(reference, body.version)
    promise = await operations.move_promise(
        uow, request, promise_id, due_at=body.due_at, reason=body.reason
    )
    return await _promise_response(uow, promise)


async def withdraw_promise(
    uow: UnitOfWork, body: WithdrawPromise, reference: str, promise_id: int
) -> PromiseResponse:
    """Withdraw a promise made by mistake, or one that the customer does not know of."""
    request = await uow.lock(reference, body.version)
    withdrawn = await operations.withdraw_promise(uow, request, promise_id, reason=body.reason)
    return await _promise_response(uow, withdrawn)


async def show_timeline(context: ReadContext, query: PageQuery, reference: str) -> EventList:
    """The events of a request, oldest first."""
    events, after = await list_of_request(context.session, Event, reference, _page(query))
    names = await load_names(context.session)
    items = [EventResponse.of(event, names) for event in events]
    return EventList(items=items, next_cursor=encode_cursor(after))


async def show_messages(context: ReadContext, query: PageQuery, reference: str) -> MessageList:
    """The conversation of a request, oldest first."""
    messages, after = await list_of_request(context.session, Message, reference, _page(query))
    items = await message_responses(context.session, messages)
    return MessageList(items=items, next_cursor=encode_cursor(after))


async def show_promises(context: ReadContext, query: PageQuery, reference: str) -> PromiseList:
    """The promises of a request, oldest first."""
    promises, after = await list_of_request(context.session, Promise, reference, _page(query))
    names = await load_names(context.session, [promise.owner_id for promise in promises])
    items = [PromiseResponse.of(promise, names, context.now) for promise in promises]
    return PromiseList(items=items, next_cursor=encode_cursor(after))


async def show_follow_ups(context: ReadContext, query: PageQuery, reference: str) -> FollowUpList:
    """The questions to the customer of a request, oldest first."""
    questions, after = await list_follow_ups(context.session, reference, _page(query))
    items = [FollowUpResponse.of(question, run) for question, run in questions]
    return FollowUpList(items=items, next_cursor=encode_cursor(after))


async def show_message(context: ReadContext, _: NoQuery, message_id: int) -> MessageResponse:
    """One message, with each attempt to send it."""
    message = await get_message(context.session, message_id)
    return (await message_responses(context.session, [message]))[0]


async def show_attachment(context: ReadContext, attachment_id: int) -> StoredFile | None:
    """The bytes of a photo or document that a customer sent."""
    return (await get_attachment(context.session, attachment_id)).stored_file


async def message_responses(
    session: AsyncSession, messages: Sequence[Message]
) -> list[MessageResponse]:
    """These messages with their requests' references, send attempts and attachments."""
    attempts = await send_attempts_by_message(session, messages)
    attachments = await attachments_by_message(session, messages)
    references = await references_by_id(session, {message.request_id for message in messages})
    return [
        MessageResponse.of(
            message,
            references.get(message.request_id or 0),
            attempts.get(saved_id(message), ()),
            attachments.get(saved_id(message), ()),
        )
        for message in messages
    ]


async def _promise_response(uow: UnitOfWork, promise: Promise) -> PromiseResponse:
    names = await load_names(uow.session, [promise.owner_id])
    return PromiseResponse.of(promise, names, uow.now)


def _page(query: PageQuery) -> PageRequest:
    return PageRequest(query.limit, query.cursor)
