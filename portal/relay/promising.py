"""Promises: made with an owner and a time, kept, or moved with a reason."""

from datetime import datetime

from portal.errors import BadInput, NotFound
from portal.models import (
    EventKind,
    MessageKind,
    Promise,
    PromiseKind,
    ServiceRequest,
)
from portal.relay.moving import check_words
from portal.relay.turn import Turn


async def make_promise(
    turn: Turn, request: ServiceRequest, *, text: str, due_at: datetime, owner: str | None = None
) -> Promise:
    """Promise the customer something by a time; its owner is the request's unless one is named."""
    request.must_be_open()
    text = check_words("text", text)
    if due_at <= turn.now:
        raise BadInput("A promise is for a time to come.", fields={"due_at": "a time to come"})
    roster = await turn.roster(request)
    owner_id = (roster.by_email(owner).id or 0) if owner else request.owner_id
    promise = Promise(
        text=text, owner_id=owner_id, department_id=request.department_id,
        made_at=turn.now, due_at=due_at,
    )  # fmt: skip
    request.promises.append(promise)
    await turn.session.flush()
    event = request.record(
        EventKind.PROMISE_MADE, turn.actor, turn.now,
        promise_id=promise.id, text=text, due_at=due_at.isoformat(),
    )  # fmt: skip
    await turn.settle(request)
    await _tell(turn, request, promise, "promise", f"event:{event.id}")
    return promise


async def promise_answer(turn: Turn, request: ServiceRequest) -> Promise:
    """Promise an answer to what the customer wrote; one that stands already covers it."""
    return answer_owed(request) or await _promise_reply(turn, request, PromiseKind.ANSWER)


async def promise_call(turn: Turn, request: ServiceRequest, at: datetime | None = None) -> Promise:
    """Promise a call, ``at`` the time that the customer named; one that stands covers it.

    A time at which the department is closed is moved to when it has had time to reply.
    """
    standing = call_owed(request)
    if standing is None:
        return await _promise_reply(turn, request, PromiseKind.CALL, at)
    if at is not None:
        department = (await turn.roster(request)).department_by_id(standing.department_id)
        standing.move(department.call_by(turn.now, at), "The customer named another time.")
        request.record(
            EventKind.PROMISE_MOVED, turn.actor, turn.now, moves=False, promise_id=standing.id,
            due_at=standing.due_at.isoformat(), reason=standing.moved_reason,
        )  # fmt: skip
    return standing


async def _promise_reply(
    turn: Turn, request: ServiceRequest, kind: PromiseKind, at: datetime | None = None
) -> Promise:
    """By whoever has the request, in that department's hours."""
    roster = await turn.roster(request)
    department = roster.department_by_id(request.department_id)
    if roster.person(request.owner_id).disabled_at:  # left after the request had ended
        request.owner_id = roster.assignee(department)
    promise = Promise(
        kind=kind,
        text=f"{department.name} will {'call' if kind == PromiseKind.CALL else 'answer'} you.",
        owner_id=request.owner_id,
        department_id=request.department_id,
        made_at=turn.now,
        due_at=department.call_by(turn.now, at),
    )
    request.promises.append(promise)
    await turn.session.flush()
    request.record(
        EventKind.PROMISE_MADE, turn.actor, turn.now, moves=False,
        promise_id=promise.id, text=promise.text, due_at=promise.due_at.isoformat(),
    )  # fmt: skip
    return promise


def answer_owed(request: ServiceRequest) -> Promise | None:
    """The promise of an answer that stands, if one does."""
    return _owed(request, PromiseKind.ANSWER)


def call_owed(request: ServiceRequest) -> Promise | None:
    """The promise of a call that stands, if one does."""
    return _owed(request, PromiseKind.CALL)


def _owed(request: ServiceRequest, kind: PromiseKind) -> Promise | None:
    return next((p for p in request.promises if p.kind == kind and p.closed_at is None), None)


async def keep_promise(turn: Turn, request: ServiceRequest, promise_id: int) -> Promise:
    """It is kept. Raises NotFound, or Conflict when it is closed already."""
    promise = get_promise(request, promise_id)
    promise.keep(turn.now)
    request.record(EventKind.PROMISE_KEPT, turn.actor, turn.now, promise_id=promise.id)
    await turn.settle(request)
    return promise


async def move_promise(
    turn: Turn, request: ServiceRequest, promise_id: int, *, due_at: datetime, reason: str
) -> Promise:
    """Give it a new time, with a reason; the customer is told before the old time passes."""
    promise = get_promise(request, promise_id)
    reason = check_words("reason", reason)
    if due_at <= turn.now:
        raise BadInput("A promise is for a time to come.", fields={"due_at": "a time to come"})
    promise.move(due_at, reason)
    event = request.record(
        EventKind.PROMISE_MOVED, turn.actor, turn.now,
        promise_id=promise.id, due_at=due_at.isoformat(), reason=reason,
    )  # fmt: skip
    await turn.settle(request)
    await _tell(turn, request, promise, "promise_moved", f"event:{event.id}")
    return promise


def get_promise(request: ServiceRequest, promise_id: int) -> Promise:
    """The promise of this request. Raises NotFound."""
    found = next((one for one in request.promises if one.id == promise_id), None)
    if found is None:
        raise NotFound(f"{request.reference} has no promise {promise_id}.")
    return found


async def _tell(
    turn: Turn, request: ServiceRequest, promise: Promise, words: str, cause: str
) -> None:
    teller = await turn.teller(request)
    body = teller.say(
        words,
        owner=(await turn.roster(request)).person(promise.owner_id).name.split()[0],
        department=teller.department_name(promise.department_id),
        promise=promise.text.rstrip(".") + ".",
        due=teller.times.by(promise.due_at),
    )
    await turn.outbox.tell(request, MessageKind.PROMISE, cause, body)
