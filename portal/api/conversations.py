"""Words and promises to the customer, and what is on record of them."""

from portal import operations
from portal.api.endpoint import Look
from portal.api.schemas.inputs import (
    Move,
    MovePromise,
    NewContact,
    NewMessage,
    NewPromise,
    NoQuery,
    PageQuery,
    WithdrawPromise,
    write_cursor,
)
from portal.api.schemas.records import (
    ContactAnswer,
    EventAnswer,
    EventList,
    FollowUpAnswer,
    FollowUpList,
    MessageAnswer,
    MessageList,
    PromiseAnswer,
    PromiseList,
)
from portal.attachments.stored_file import KeptFile
from portal.models import Promise
from portal.operations import Turn
from portal.queries.api_lists import (
    Window,
    attempts_of,
    get_request_id,
    list_events,
    list_follow_ups,
    list_messages,
    list_promises,
    references,
)
from portal.queries.attachments import attachments_of, get_attachment
from portal.queries.conversations import get_message
from portal.queries.names import load_names


async def write(turn: Turn, body: NewMessage, reference: str) -> MessageAnswer:
    """Write to the customer."""
    request = await turn.lock(reference)
    message = await operations.write_to_customer(
        turn, request, body.body, channels=body.channels or (), urgent=body.urgent
    )
    return MessageAnswer.of(message, request.reference)


async def log_contact(turn: Turn, body: NewContact, reference: str) -> ContactAnswer:
    """Log that the customer came to us, and why."""
    request = await turn.lock(reference)
    contact = await operations.log_contact(
        turn, request, channel=body.channel, reason=body.reason, note=body.note or ""
    )
    return ContactAnswer.of(contact)


async def make_promise(turn: Turn, body: NewPromise, reference: str) -> PromiseAnswer:
    """Promise the customer something by a time."""
    request = await turn.lock(reference, body.version)
    promise = await operations.make_promise(
        turn, request, text=body.text, due_at=body.due_at, owner=body.owner, kind=body.kind,
        tell=body.tell,
    )  # fmt: skip
    return await _promised(turn, promise)


async def keep_promise(turn: Turn, body: Move, reference: str, promise_id: int) -> PromiseAnswer:
    """Say that a promise is kept."""
    request = await turn.lock(reference, body.version)
    return await _promised(turn, await operations.keep_promise(turn, request, promise_id))


async def move_promise(
    turn: Turn, body: MovePromise, reference: str, promise_id: int
) -> PromiseAnswer:
    """Give a promise a new time; a customer who knows of it is told why."""
    request = await turn.lock(reference, body.version)
    promise = await operations.move_promise(
        turn, request, promise_id, due_at=body.due_at, reason=body.reason
    )
    return await _promised(turn, promise)


async def withdraw_promise(
    turn: Turn, body: WithdrawPromise, reference: str, promise_id: int
) -> PromiseAnswer:
    """Take back what was no promise: read from our words, or not known to the customer."""
    request = await turn.lock(reference, body.version)
    withdrawn = await operations.withdraw_promise(turn, request, promise_id, reason=body.reason)
    return await _promised(turn, withdrawn)


async def show_timeline(look: Look, query: PageQuery, reference: str) -> EventList:
    """What happened to a request, oldest first."""
    request_id = await get_request_id(look.session, reference)
    events, after = await list_events(look.session, request_id, _window(query))
    names = await load_names(look.session)
    items = [EventAnswer.of(event, names) for event in events]
    return EventList(items=items, next_cursor=write_cursor(after))


async def show_messages(look: Look, query: PageQuery, reference: str) -> MessageList:
    """The conversation of a request, oldest first."""
    request_id = await get_request_id(look.session, reference)
    messages, after = await list_messages(look.session, request_id, _window(query))
    tries = await attempts_of(look.session, messages)
    files = await attachments_of(look.session, messages)
    named = await references(look.session, {request_id})
    items = [
        MessageAnswer.of(
            one, named[request_id], tries.get(one.id or 0, ()), files.get(one.id or 0, ())
        )
        for one in messages
    ]
    return MessageList(items=items, next_cursor=write_cursor(after))


async def show_promises(look: Look, query: PageQuery, reference: str) -> PromiseList:
    """The promises of a request, oldest first."""
    request_id = await get_request_id(look.session, reference)
    promises, after = await list_promises(look.session, request_id, _window(query))
    names = await load_names(look.session, [one.owner_id for one in promises])
    items = [PromiseAnswer.of(promise, names, look.now) for promise in promises]
    return PromiseList(items=items, next_cursor=write_cursor(after))


async def show_follow_ups(look: Look, query: PageQuery, reference: str) -> FollowUpList:
    """The questions to the customer of a request, oldest first."""
    request_id = await get_request_id(look.session, reference)
    questions, after = await list_follow_ups(look.session, request_id, _window(query))
    items = [FollowUpAnswer.of(question, run) for question, run in questions]
    return FollowUpList(items=items, next_cursor=write_cursor(after))


async def show_message(look: Look, _: NoQuery, message_id: int) -> MessageAnswer:
    """One message, with each try at sending it."""
    message = await get_message(look.session, message_id)
    tries = await attempts_of(look.session, [message])
    files = await attachments_of(look.session, [message])
    named = await references(look.session, {message.request_id})
    return MessageAnswer.of(
        message,
        named.get(message.request_id or 0),
        tries.get(message_id, ()),
        files.get(message_id, ()),
    )


async def show_attachment(look: Look, attachment_id: int) -> KeptFile | None:
    """The bytes of a photo or paper that a customer sent."""
    return (await get_attachment(look.session, attachment_id)).kept


async def _promised(turn: Turn, promise: Promise) -> PromiseAnswer:
    names = await load_names(turn.session, [promise.owner_id])
    return PromiseAnswer.of(promise, names, turn.now)


def _window(query: PageQuery) -> Window:
    return Window(query.limit, query.cursor)
