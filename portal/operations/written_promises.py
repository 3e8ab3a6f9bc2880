"""Promises that staff make in what they write to a customer."""

from portal.messaging.intents.commitments import Commitment, extract_commitments
from portal.messaging.intents.deadlines import DeadlineParser
from portal.models import Department, Promise, PromiseKind, PromiseWording, ServiceRequest
from portal.operations.promises import open_promises, record_promise_made, record_promise_moved
from portal.operations.unit_of_work import UnitOfWork


async def create_promises_from_text(
    uow: UnitOfWork, request: ServiceRequest, body: str
) -> list[Promise]:
    """Make a promise of each commitment in a message of ours, within the same operation.

    No further message is sent: the body itself tells the customer. The owner is the writer, else
    the request's owner. It is due at the time that the body names, in the department's time zone;
    else when the department's reply is due. A call moves the one that its owner has promised
    already; without a time it is covered by that one.
    """
    department = (await uow.roster(request)).department_by_id(request.department_id)
    owner_id = uow.actor.staff_id or request.owner_id
    standing = [
        promise
        for promise in open_promises(request, PromiseKind.CALL)
        if promise.owner_id == owner_id
    ]
    promises = []
    for commitment in extract_commitments(body, DeadlineParser(department.calendar, uow.now)):
        if commitment.kind == PromiseKind.CALL and standing:
            promise = standing.pop(0)
            _move_call(uow, request, department, promise, commitment)
        else:
            promise = _promise_of(uow, request, department, commitment, owner_id)
            await record_promise_made(uow, request, promise, bumps_version=False, is_from_text=True)
        promises.append(promise)
    return promises


def _promise_of(
    uow: UnitOfWork,
    request: ServiceRequest,
    department: Department,
    commitment: Commitment,
    owner_id: int,
) -> Promise:
    named = commitment.at if commitment.at and commitment.at > uow.now else None
    promise = Promise(
        kind=commitment.kind, text=commitment.text,
        owner_id=owner_id, department_id=request.department_id,
        made_at=uow.now, due_at=named or department.reply_due_at(uow.now),
    )  # fmt: skip
    if named and commitment.is_moment:
        promise.agree_call(named, named, "moment")
    return promise


def _move_call(
    uow: UnitOfWork,
    request: ServiceRequest,
    department: Department,
    promise: Promise,
    commitment: Commitment,
) -> None:
    """Give the standing call the new time and words; one that is still ahead keeps its time."""
    named = commitment.at if commitment.at and commitment.at > uow.now else None
    promise.is_told = True
    if named is None and promise.due_at > uow.now:
        return
    due_at = named or department.reply_due_at(uow.now)
    promise.text, promise.wording = commitment.text, PromiseWording.PERSON
    is_moved = due_at != promise.due_at
    promise.move(due_at, "")
    if named and commitment.is_moment:
        promise.agree_call(named, named, "moment")
    if is_moved:
        record_promise_moved(uow, request, promise)
