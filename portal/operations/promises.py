"""Promises: made with an owner and a time, kept, moved with a reason, or taken back."""

from datetime import datetime, timedelta

from sqlmodel import col, select

from portal.errors import BadInput, Conflict, NotFound
from portal.messaging.wording.promises import localize_promise
from portal.models import (
    Event,
    EventKind,
    MessageKind,
    Promise,
    PromiseKind,
    ServiceRequest,
)
from portal.models.columns import saved_id
from portal.models.requests.promise import CUSTOMER_CHOSE_OTHER_TIME
from portal.operations.authorization import authorize
from portal.operations.transitions import check_text
from portal.operations.unit_of_work import UnitOfWork
from portal.rules.authorization import Act

SAME_MOMENT = timedelta(minutes=1)
"""Moments that are no further apart count as one."""


async def make_promise(
    uow: UnitOfWork,
    request: ServiceRequest,
    *,
    text: str,
    due_at: datetime,
    owner: str | None = None,
    kind: PromiseKind = PromiseKind.OTHER,
    tell: bool = True,
) -> Promise:
    """Promise the customer something by a time; its owner is the request's unless one is named.

    Without ``tell`` it is a promise that only we know of: watched all the same.
    """
    await authorize(uow, request, Act.PROMISE)
    request.require_open()
    text = check_text("text", text)
    if due_at <= uow.now:
        raise BadInput("A promise is for a time to come.", fields={"due_at": "a time to come"})
    roster = await uow.roster(request)
    owner_id = roster.substitute_or_self(request.owner_id, request.department_id)
    owner_id = saved_id(roster.by_email(owner)) if owner else owner_id
    promise = Promise(
        kind=kind, text=text, owner_id=owner_id, department_id=request.department_id,
        made_at=uow.now, due_at=due_at, is_told=tell,
    )  # fmt: skip
    event = await record_promise_made(uow, request, promise)
    await uow.finish(request)
    if tell:
        await _tell(uow, request, promise, "promise", f"event:{event.id}")
    return promise


async def record_promise_made(
    uow: UnitOfWork,
    request: ServiceRequest,
    promise: Promise,
    *,
    bumps_version: bool = True,
    is_from_text: bool = False,
) -> Event:
    """It stands from now on, and in the timeline; ``is_from_text`` from words that we wrote."""
    request.promises.append(promise)
    await uow.session.flush()
    return request.record(
        EventKind.PROMISE_MADE, uow.actor, uow.now, visible=promise.is_told, bumps_version=bumps_version,
        promise_id=promise.id, text=promise.text, due_at=promise.due_at.isoformat(), read=is_from_text,
    )  # fmt: skip


async def promise_answer(uow: UnitOfWork, request: ServiceRequest) -> Promise:
    """Promise an answer to what the customer wrote; one that stands already covers it.

    It covers it where the customer knows of it and it is for no later than any answer is, and for
    a time to come: whoever asks again because we are late is given a time that we can keep.
    """
    department = (await uow.roster(request)).department_by_id(request.department_id)
    # Of two who write at once either may come first, whichever has the earlier moment.
    latest = department.reply_due_at(uow.now) + SAME_MOMENT
    for owed in _owed(request, PromiseKind.ANSWER):
        if owed.is_told and uow.now < owed.due_at <= latest:
            return owed
    return await _promise_reply(uow, request, PromiseKind.ANSWER)


async def promise_call(
    uow: UnitOfWork, request: ServiceRequest, at: datetime | None = None
) -> Promise:
    """Promise a call, ``at`` the time that the customer named; one that stands covers it.

    A time at which the department is closed is moved to when it has had time to reply.
    """
    owed = _owed(request, PromiseKind.CALL)
    standing = next((one for one in owed if at is not None or one.due_at > uow.now), None)
    if standing is None:
        return await _promise_reply(uow, request, PromiseKind.CALL, at)
    if at is not None:
        department = (await uow.roster(request)).department_by_id(standing.department_id)
        standing.move(department.call_due_at(uow.now, at), CUSTOMER_CHOSE_OTHER_TIME)
        standing.is_told = True
        request.record(
            EventKind.PROMISE_MOVED, uow.actor, uow.now, bumps_version=False, promise_id=standing.id,
            text=standing.text, due_at=standing.due_at.isoformat(), reason=standing.moved_reason,
        )  # fmt: skip
    return standing


async def _promise_reply(
    uow: UnitOfWork, request: ServiceRequest, kind: PromiseKind, at: datetime | None = None
) -> Promise:
    """By whoever has the request, in that department's hours."""
    roster = await uow.roster(request)
    department = roster.department_by_id(request.department_id)
    if request.is_closed:  # Whoever had it may have left, or be away, since it ended.
        request.owner_id = roster.substitute_or_self(request.owner_id, request.department_id)
    promise = Promise(
        kind=kind,
        text=f"{department.name} will {'call' if kind == PromiseKind.CALL else 'answer'} you.",
        owner_id=request.owner_id,
        department_id=request.department_id,
        made_at=uow.now,
        due_at=department.call_due_at(uow.now, at),
    )
    await record_promise_made(uow, request, promise, bumps_version=False)
    return promise


def open_answer_promise(request: ServiceRequest) -> Promise | None:
    """The promise of an answer that stands, if one does; the soonest due."""
    return next(iter(_owed(request, PromiseKind.ANSWER)), None)


def open_call_promise(request: ServiceRequest) -> Promise | None:
    """The promise of a call that stands, if one does; the soonest due."""
    return next(iter(_owed(request, PromiseKind.CALL)), None)


def fulfil_promises(uow: UnitOfWork, request: ServiceRequest, kind: PromiseKind) -> None:
    """We have written, or spoken: kept is the promise that was due soonest, and all that were due.

    So is what was promised since the customer wrote; another one for a later day still stands.
    """
    since = request.unanswered_since
    for place, promise in enumerate(_owed(request, kind)):
        if place == 0 or promise.due_at <= uow.now or (since and promise.made_at >= since):
            record_promise_kept(uow, request, promise)


def _owed(request: ServiceRequest, kind: PromiseKind) -> list[Promise]:
    """The promises of that kind that stand, the soonest due first."""
    owed = [one for one in request.promises if one.kind == kind and one.is_open]
    return sorted(owed, key=lambda one: one.due_at)


async def keep_promise(uow: UnitOfWork, request: ServiceRequest, promise_id: int) -> Promise:
    """It is kept. Raises NotFound, or Conflict when it is closed already."""
    await authorize(uow, request, Act.PROMISE)
    promise = get_promise(request, promise_id)
    record_promise_kept(uow, request, promise, bumps_version=True)
    await uow.finish(request)
    return promise


def record_promise_kept(
    uow: UnitOfWork, request: ServiceRequest, promise: Promise, *, bumps_version: bool = False
) -> None:
    """It is kept, and the timeline says so, also where it was late. Raises Conflict."""
    promise.keep(uow.now)
    request.record(
        EventKind.PROMISE_KEPT, uow.actor, uow.now, visible=promise.is_told, bumps_version=bumps_version,
        promise_id=promise.id, text=promise.text, late=promise.kept_late,
    )  # fmt: skip


async def move_promise(
    uow: UnitOfWork, request: ServiceRequest, promise_id: int, *, due_at: datetime, reason: str
) -> Promise:
    """Give it a new time, with a reason; a customer who knows of it is told at once."""
    await authorize(uow, request, Act.PROMISE)
    promise = get_promise(request, promise_id)
    reason = check_text("reason", reason)
    if due_at <= uow.now:
        raise BadInput("A promise is for a time to come.", fields={"due_at": "a time to come"})
    promise.move(due_at, reason)
    event = request.record(
        EventKind.PROMISE_MOVED, uow.actor, uow.now, visible=promise.is_told,
        promise_id=promise.id, text=promise.text, due_at=due_at.isoformat(), reason=reason,
    )  # fmt: skip
    await uow.finish(request)
    if promise.is_told:
        await _tell(uow, request, promise, "promise_moved", f"event:{event.id}")
    return promise


async def withdraw_promise(
    uow: UnitOfWork, request: ServiceRequest, promise_id: int, *, reason: str
) -> Promise:
    """Take it back: it was none. It is then neither kept, late nor missed, and shown to nobody.

    Only what was read from our own words, or what the customer does not know of: raises Conflict
    for any other, which is kept, or moved with a reason.
    """
    await authorize(uow, request, Act.PROMISE)
    promise = get_promise(request, promise_id)
    reason = check_text("reason", reason)
    if promise.is_told and not await _was_read(uow, promise):
        raise Conflict(
            f"{request.customer.first_name} was told of this promise. "
            "Keep it, or move it with a reason."
        )
    promise.withdraw(uow.now, reason)
    request.record(
        EventKind.PROMISE_WITHDRAWN, uow.actor, uow.now, visible=promise.is_told,
        promise_id=promise.id, text=promise.text, reason=reason,
    )  # fmt: skip
    await uow.finish(request)
    return promise


async def _was_read(uow: UnitOfWork, promise: Promise) -> bool:
    """True where nobody made it: it was read from words that we wrote."""
    query = select(Event).where(
        col(Event.request_id) == promise.request_id, col(Event.kind) == EventKind.PROMISE_MADE
    )
    made = (await uow.session.exec(query)).all()
    return any(one.data.get("promise_id") == promise.id and one.data.get("read") for one in made)


def get_promise(request: ServiceRequest, promise_id: int) -> Promise:
    """The promise of this request. Raises NotFound."""
    found = next((one for one in request.promises if one.id == promise_id), None)
    if found is None:
        raise NotFound(f"{request.reference} has no promise {promise_id}.")
    return found


async def _tell(
    uow: UnitOfWork, request: ServiceRequest, promise: Promise, words: str, cause: str
) -> None:
    renderer = await uow.renderer(request)
    department = renderer.department_name(promise.department_id)
    text = localize_promise(promise.text, [department], request.customer.locale)
    body = renderer.say(
        words,
        owner=(await uow.roster(request)).person(promise.owner_id).name.split()[0],
        department=department,
        promise=text.rstrip(".") + ".",
        due=renderer.times.by(promise.due_at),
    )
    await uow.outbox.tell(request, MessageKind.PROMISE, cause, body)
