"""Items that have come: with a customer's files, or by another way that staff know of."""

import sqlalchemy as sa
from sqlmodel import col, select

from portal.errors import Conflict
from portal.models import (
    Attachment,
    AttachmentState,
    Direction,
    EventKind,
    Message,
    Need,
    NeedState,
    Promise,
    ServiceRequest,
)
from portal.models.columns import saved_id
from portal.operations.authorization import authorize
from portal.operations.promises import record_promise_made
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.conversations import written_by_customer
from portal.queries.requests import lock_by_id
from portal.rules import needs as need_rules
from portal.rules.authorization import Act

FILES_REFUSED = "The files could not be taken."


async def take_files(
    uow: UnitOfWork, request: ServiceRequest, message: Message, key: str
) -> Promise | None:
    """The customer's files count for the item of that key, else for the only one that they can be.

    Gives the promise to check it; None where they are for no single item: the message then has an
    owner as every other. The message has its id.
    """
    need = need_rules.item_of_files(request, key)
    if need is None:
        await _stop_waiting(uow, request)
        return None
    promise = await _record_sent(uow, request, need, saved_id(message))
    await uow.finish(request)
    return promise


async def _stop_waiting(uow: UnitOfWork, request: ServiceRequest) -> None:
    """A stage that was returned to the customer, and has no item to send, has waited for this."""
    facts = await uow.facts(request)
    for run in request.open_runs:
        if run.correction and run.waits_on_customer:
            need_rules.update_waiting(facts, run)


async def mark_sent(uow: UnitOfWork, request: ServiceRequest, key: str) -> Need:
    """The item has come by another way: at the counter, by post, in a message about several.

    Raises NotFound for an unknown item, Conflict for one that has come already.
    """
    await authorize(uow, request, Act.CHECK_NEED)
    request.require_open()
    need = need_rules.get_need(request, key)
    if not need.is_to_send:
        raise Conflict("This item has come already.")
    await _record_sent(uow, request, need, None)
    await uow.finish(request)
    return need


async def _record_sent(
    uow: UnitOfWork, request: ServiceRequest, need: Need, message_id: int | None
) -> Promise:
    """Mark the item as sent; somebody promises to check it, in the hours of their department."""
    run, facts = need_rules.waiting_run(request, need), await uow.facts(request)
    need.send(uow.now, message_id or need.message_id)
    promise = need_rules.open_check_promise(request, need)
    if promise is None:
        roster = facts.roster
        department_id = run.department_id if run else request.department_id
        owner_id = run.assignee_id if run else request.owner_id
        title = need_rules.item_title(request, need)
        promise = Promise(
            text=f"Check “{title}”: accept it, or ask for a correction.",
            owner_id=roster.substitute_or_self(owner_id, department_id),
            department_id=department_id,
            made_at=uow.now,
            due_at=roster.department_by_id(department_id).reply_due_at(uow.now),
            is_told=False,
        )
        await record_promise_made(uow, request, promise, bumps_version=False)
        need.promise_id = promise.id
    need_rules.update_waiting(facts, run)
    need_rules.record_item(facts, EventKind.NEED_SENT, need)
    return promise


async def return_item_of_refused_files(uow: UnitOfWork, message_id: int) -> None:
    """Where no file of the message could be taken, its item is still to be sent.

    Files that came for it in an earlier message still count.
    """
    query = select(Need.request_id).where(col(Need.message_id) == message_id)
    request_id = (await uow.session.exec(query)).first()
    taken = select(sa.func.count()).where(
        col(Attachment.message_id) == message_id, col(Attachment.state) != AttachmentState.REFUSED
    )
    if request_id is None or (await uow.session.exec(taken)).one():
        return
    request = await lock_by_id(uow.session, request_id)
    facts = await uow.facts(request)
    for need in request.needs:
        if need.message_id != message_id or need.state != NeedState.SENT:
            continue
        earlier_id = await _message_with_files(uow, request, need)
        if earlier_id is not None:
            need.message_id = earlier_id
            continue
        request.close_check_promise(need, uow.now, FILES_REFUSED)
        need.ask_again()
        need_rules.update_waiting(facts, need_rules.waiting_run(request, need))
    await uow.finish(request)


async def _message_with_files(uow: UnitOfWork, request: ServiceRequest, need: Need) -> int | None:
    """The newest message of the customer with a file for this item, since it was asked for."""
    of_others = [other.message_id for other in request.needs if other is not need]
    query = (
        select(sa.func.max(Message.id))
        .join(Attachment, col(Attachment.message_id) == col(Message.id))
        .where(
            col(Message.request_id) == request.id,
            col(Message.direction) == Direction.IN,
            written_by_customer(),
            col(Attachment.created_at) >= need.asked_at,
            col(Message.id).not_in([message_id for message_id in of_others if message_id]),
            col(Attachment.state) != AttachmentState.REFUSED,
        )
    )
    return (await uow.session.exec(query)).one()
