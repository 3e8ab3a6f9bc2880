"""Promises: made with an owner and a due time, kept, moved with a reason, or withdrawn."""

from datetime import datetime, timedelta

from sqlmodel import col, select

from portal.errors import BadInput, Conflict, NotFound
from portal.messaging.wording.promises import render_promise
from portal.models import (
    Event,
    EventKind,
    MessageKind,
    Promise,
    PromiseKind,
    PromiseWording,
    ServiceRequest,
)
from portal.models.columns import saved_id
from portal.operations.authorization import authorize
from portal.operations.outbox import Draft
from portal.operations.transitions import check_text
from portal.operations.unit_of_work import UnitOfWork
from portal.rules.authorization import Act
from portal.rules.calls import CallTime
from portal.rules.needs import refuse_unchecked

SAME_MOMENT = timedelta(minutes=1)
"""Due times that are no further apart count as the same."""


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

    Without ``tell`` only staff know of the promise; it drops a ball all the same when it is late.
    Raises Conflict for a closed request, BadInput for a due time in the past.
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
    """Add the promise and its event; ``is_from_text`` for one read from a message of ours."""
    request.promises.append(promise)
    await uow.session.flush()
    return request.record(
        EventKind.PROMISE_MADE, uow.actor, uow.now, visible=promise.is_told, bumps_version=bumps_version,
        promise_id=promise.id, text=promise.text, due_at=promise.due_at.isoformat(), read=is_from_text,
    )  # fmt: skip


async def promise_reply(
    uow: UnitOfWork, request: ServiceRequest, kind: PromiseKind, call: CallTime | None = None, *, is_told: bool = True,
) -> Promise:  # fmt: skip
    """Promise an answer, or a ``call`` at the time that the customer named.

    The request's owner promises it, in the department's hours; an open promise may cover it.
    """
    roster = await uow.roster(request)
    department = roster.department_by_id(request.department_id)
    is_call = kind == PromiseKind.CALL
    covering = (
        await _reuse_call(uow, request, call) if is_call
        else _covering_answer(request, uow.now, department.reply_due_at(uow.now))
    )  # fmt: skip
    if covering is not None:
        covering.is_told |= is_told
        return covering
    if request.is_closed:  # The owner may have left, or be absent, since it was closed.
        request.owner_id = roster.substitute_or_self(request.owner_id, request.department_id)
    promise = Promise(
        kind=kind, wording=PromiseWording.CALL if is_call else PromiseWording.ANSWER,
        text=f"{department.name} will {'call' if is_call else 'answer'} you.",
        owner_id=request.owner_id, department_id=request.department_id,
        made_at=uow.now, due_at=department.reply_due_at(uow.now), is_told=is_told,
    )  # fmt: skip
    if call is not None:
        promise.agree_call(call.due_at, call.not_before_at, call.window)
    await record_promise_made(uow, request, promise, bumps_version=False)
    return promise


def _covering_answer(request: ServiceRequest, now: datetime, due_at: datetime) -> Promise | None:
    """The open promise, known to the customer or made by Kept, that covers one due at ``due_at``.

    A customer who asks again because we are late gets a time that we can keep.
    """
    return next(
        (
            promise for promise in open_promises(request, PromiseKind.ANSWER)
            # Of two messages at once the later may be handled first.
            if (promise.is_told or promise.wording == PromiseWording.ANSWER)
            and now < promise.due_at <= due_at + SAME_MOMENT
            # What a department whose stage is done still owes is not what is asked now.
            and promise.department_id == request.department_id
        ),
        None,
    )  # fmt: skip


async def _reuse_call(
    uow: UnitOfWork, request: ServiceRequest, call: CallTime | None
) -> Promise | None:
    """The open promise of a call, moved to the time that the customer named."""
    calls = open_promises(request, PromiseKind.CALL)
    standing = next((each for each in calls if call or each.due_at > uow.now), None)
    if standing is not None and call is not None:
        standing.move_for_customer(call.due_at)
        standing.agree_call(call.due_at, call.not_before_at, call.window)
        standing.is_told = True
        record_promise_moved(uow, request, standing)
    return standing


def record_promise_moved(uow: UnitOfWork, request: ServiceRequest, promise: Promise) -> None:
    """Record the event of a promise that a message has moved, which tells the customer itself."""
    request.record(
        EventKind.PROMISE_MOVED, uow.actor, uow.now, bumps_version=False, promise_id=promise.id,
        text=promise.text, due_at=promise.due_at.isoformat(), reason=promise.moved_reason,
    )  # fmt: skip


def open_answer_promise(request: ServiceRequest) -> Promise | None:
    """The open promise of an answer that is due first; None without one."""
    return next(iter(open_promises(request, PromiseKind.ANSWER)), None)


def open_call_promise(request: ServiceRequest) -> Promise | None:
    """The open promise of a call that is due first; None without one."""
    return next(iter(open_promises(request, PromiseKind.CALL)), None)


def fulfil_promises(uow: UnitOfWork, request: ServiceRequest, kind: PromiseKind) -> None:
    """Keep the promise of this kind that is due first, and all that are due by now.

    Those made since the customer's unanswered message are kept too; one for a later day stays open.
    """
    since = request.unanswered_since
    for place, promise in enumerate(open_promises(request, kind)):
        if place == 0 or promise.due_at <= uow.now or (since and promise.made_at >= since):
            record_promise_kept(uow, request, promise)


def open_promises(request: ServiceRequest, kind: PromiseKind) -> list[Promise]:
    """The open promises of that kind, the first due first."""
    return sorted(
        (promise for promise in request.promises if promise.kind == kind and promise.is_open),
        key=lambda promise: promise.due_at,
    )


async def keep_promise(uow: UnitOfWork, request: ServiceRequest, promise_id: int) -> Promise:
    """Mark the promise as kept; its owner may, whoever has the request now.

    Raises NotFound, NotAllowed, or Conflict where it is closed already.
    """
    promise = get_promise(request, promise_id)
    if promise.owner_id != uow.actor.staff_id:
        await authorize(uow, request, Act.PROMISE)
    refuse_unchecked(request, promise)
    record_promise_kept(uow, request, promise, bumps_version=True)
    await uow.finish(request)
    return promise


def record_promise_kept(
    uow: UnitOfWork, request: ServiceRequest, promise: Promise, *, bumps_version: bool = False
) -> None:
    """Mark it as kept and record the event, with whether it was late. Raises Conflict."""
    promise.keep(uow.now)
    request.record(
        EventKind.PROMISE_KEPT, uow.actor, uow.now, visible=promise.is_told, bumps_version=bumps_version,
        promise_id=promise.id, text=promise.text, late=promise.kept_late,
    )  # fmt: skip


async def move_promise(
    uow: UnitOfWork, request: ServiceRequest, promise_id: int, *, due_at: datetime, reason: str
) -> Promise:
    """Give it a new due time, with a reason; a customer who knows of it is told at once."""
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
    """Withdraw what was no promise: it counts as neither kept, late nor missed, and is hidden.

    Raises Conflict for one that the customer knows of and that was not read from our own message:
    that one is kept, or moved with a reason.
    """
    await authorize(uow, request, Act.PROMISE)
    promise = get_promise(request, promise_id)
    reason = check_text("reason", reason)
    refuse_unchecked(request, promise)
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
    """True where nobody made it by hand: it was read from a message of ours."""
    query = select(Event).where(
        col(Event.request_id) == promise.request_id, col(Event.kind) == EventKind.PROMISE_MADE
    )
    made = (await uow.session.exec(query)).all()
    return any(
        event.data.get("promise_id") == promise.id and event.data.get("read") for event in made
    )


def get_promise(request: ServiceRequest, promise_id: int) -> Promise:
    """The promise of this request. Raises NotFound."""
    found = next((promise for promise in request.promises if promise.id == promise_id), None)
    if found is None:
        raise NotFound(f"{request.reference} has no promise {promise_id}.")
    return found


async def _tell(
    uow: UnitOfWork, request: ServiceRequest, promise: Promise, words: str, cause: str
) -> None:
    body = render_promise(await uow.renderer(request), promise, words)
    await uow.outbox.queue(request, Draft(MessageKind.PROMISE, cause, body))
