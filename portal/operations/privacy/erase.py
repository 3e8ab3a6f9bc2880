"""Erases a person: the list of erasures and the rows, then what the commit leaves on the disk."""

import sqlite3
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from portal.attachments.file_store import FileStore
from portal.errors import Conflict
from portal.models import Actor, Attachment, Customer, Message, ServiceRequest
from portal.operations.privacy.admins import require_admin
from portal.operations.privacy.digests import address_digest, customer_digest, get_address_key
from portal.operations.privacy.erase_rows import RowEraser
from portal.operations.privacy.erasure_list import ErasureList
from portal.operations.privacy.person_requests import settle_person_requests
from portal.operations.transitions import cancel
from portal.operations.unit_of_work import Operations, UnitOfWork
from portal.queries.person import PersonScope, find_person, scope_of_customers
from portal.queries.requests import lock_by_id
from portal.queries.retention import find_requests_to_keep

log = structlog.get_logger()

LOCK_ATTACHMENTS = sa.text("LOCK TABLE attachment IN SHARE MODE")
"""Waits for transactions that record files, and lets none begin to until this one ends."""
CANCEL_REASON = "The customer asked us to erase their data."


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure covers: counts, and nothing personal.

    Files that could not be removed (``files_left``) have no row any more: the daily clean-up
    removes them.
    """

    requests: int
    messages: int
    files: int
    customers: int
    files_left: int = 0


@dataclass(frozen=True, slots=True)
class RemovedFiles:
    """How many stored files were removed, and how many could not be."""

    removed: int
    left: int


async def preview_erasure(
    operations: Operations, actor: Actor, address: str, names: Collection[str] = ()
) -> Erasure:
    """What ``erase_person`` would erase. Raises NotAllowed, and as ``find_person`` does."""
    async with operations.database.reading() as session:
        await require_admin(session, actor)
        scope = await find_person(session, address, names)
        messages = (await session.exec(select(Message.id).where(scope.messages))).all()
        files = (
            await session.exec(
                select(Attachment.digest)
                .where(col(Attachment.message_id).in_(select(Message.id).where(scope.messages)))
                .distinct()
            )
        ).all()
    return Erasure(
        len(scope.request_ids),
        len(messages),
        len([digest for digest in files if digest]),
        len(scope.customer_ids),
    )


async def erase_person(
    operations: Operations,
    actor: Actor,
    address: str,
    names: Collection[str] = (),
    *,
    cancel_open: bool = False,
) -> Erasure:
    """Erase everything of the person at this phone number or e-mail address.

    Their recorded request for it is then done. Raises Conflict while requests are open, naming
    them, unless ``cancel_open``; while they ask for a copy; and as ``find_person`` does. Raises
    ListNotWritten where the list of erasures cannot be written. Each erases nothing.
    """

    async def find(uow: UnitOfWork) -> PersonScope:
        await require_admin(uow.session, uow.actor)
        return await find_person(uow.session, address, names)

    return await erase_found(operations, actor, find, cancel_open=cancel_open)


async def erase_found(
    operations: Operations,
    actor: Actor,
    find: Callable[[UnitOfWork], Awaitable[PersonScope]],
    *,
    cancel_open: bool,
    replay_of: datetime | None = None,
) -> Erasure:
    """Erase what ``find`` gives. Raises as ``erase_person`` does.

    ``replay_of`` is the time of an erasure that is done again on an older database: no process
    sends its messages now, and nobody is owed what it says is to do.
    """
    async with operations.begin(actor) as uow:
        scope = await find(uow)
        erasure, digests = await _erase(uow, scope, cancel_open=cancel_open, replay_of=replay_of)
    return replace(erasure, files_left=await _finish(operations, digests))


async def erase_closed_request(
    operations: Operations,
    actor: Actor,
    request_id: int,
    customer_id: int,
    closed_before: datetime,
) -> None:
    """Make a request nameless that was closed before this, and its customer with their last.

    A customer who has another request to keep stays (see ``find_requests_to_keep``). Nothing
    happens where the request is erased already, or has come back to life.
    """
    async with operations.begin(actor) as uow:
        if (await uow.session.get_one(ServiceRequest, request_id)).erased_at is not None:
            return  # With the customer's other requests, a moment ago.
        scope = await scope_of_customers(uow.session, [customer_id])
        kept = await find_requests_to_keep(uow.session, scope.request_ids, closed_before)
        if kept:
            scope = PersonScope((), [request_id])
        for id_ in scope.request_ids:
            await lock_by_id(uow.session, id_)
        # Once more: until it was locked, the customer could write.
        if await find_requests_to_keep(uow.session, scope.request_ids, closed_before):
            return
        if kept:
            digests = await RowEraser(uow, scope).erase()
        else:
            _, digests = await _erase(uow, scope, cancel_open=False)
    if kept:
        await remove_unused_files(operations, digests)
    else:
        await _finish(operations, digests)


async def remove_unused_files(operations: Operations, digests: Iterable[str]) -> RemovedFiles:
    """Remove the stored files that no message has any more. A failure is logged.

    Each in a transaction that keeps others from recording a file: whoever stores the same bytes
    has a row that is seen here, or sees that the file is gone (``attach_files``).
    """
    settings = operations.settings
    store = FileStore(settings.files_dir, settings.max_upload_bytes)
    removed = left = 0
    for digest in digests:
        async with operations.database.transaction() as session:
            if not operations.database.is_sqlite:  # SQLite has one writer anyway
                await (await session.connection()).execute(LOCK_ATTACHMENTS)
            query = select(Attachment.id).where(col(Attachment.digest) == digest).limit(1)
            if (await session.exec(query)).first() is not None:
                continue
            try:
                await store.remove(digest)
            except OSError:
                log.exception("a stored file could not be removed")
                left += 1
            else:
                removed += 1
    return RemovedFiles(removed, left)


async def _erase(
    uow: UnitOfWork,
    scope: PersonScope,
    *,
    cancel_open: bool,
    replay_of: datetime | None = None,
) -> tuple[Erasure, list[str]]:
    """List and erase the rows. Gives what is erased, and the digests of its files."""
    await _close_requests(uow, scope, cancel_open=cancel_open)
    messages = (await uow.session.exec(select(Message.id).where(scope.messages))).all()
    is_replay = replay_of is not None
    await settle_person_requests(uow, scope, is_replay=is_replay)
    entries = await _entries(uow, scope)
    digests = await RowEraser(uow, scope, is_replay=is_replay).erase()
    # Last, when nothing but the commit can fail any more.
    await ErasureList.of(uow.settings).add(entries, replay_of or uow.now)
    erasure = Erasure(len(scope.request_ids), len(messages), len(digests), len(scope.customer_ids))
    return erasure, digests


async def _close_requests(uow: UnitOfWork, scope: PersonScope, *, cancel_open: bool) -> None:
    query = select(ServiceRequest.reference).where(
        col(ServiceRequest.id).in_(scope.request_ids), col(ServiceRequest.closed_at).is_(None)
    )
    references = (await uow.session.exec(query.order_by(col(ServiceRequest.id)))).all()
    if references and not cancel_open:
        raise Conflict(
            f"Still open: {', '.join(references)}. Please complete or cancel them first, or cancel "
            "them with the erasure."
        )
    for reference in references:
        await cancel(uow, await uow.lock(reference), reason=CANCEL_REASON)


async def _entries(uow: UnitOfWork, scope: PersonScope) -> list[str]:
    """The digests by which the same person is found in an older database."""
    key = await get_address_key(uow.session, uow.now)
    query = select(Customer).where(col(Customer.id).in_(scope.customer_ids))
    customers = (await uow.session.exec(query)).all()
    if customers:
        return [customer_digest(key, customer) for customer in customers]
    return [address_digest(key, channel, address) for channel, address in scope.own_addresses]


async def _finish(operations: Operations, digests: list[str]) -> int:
    """What follows the commit, each by itself. Gives how many files could not be removed.

    A process that ends here leaves files to the daily clean-up.
    """
    log.info("a person was erased")
    removed = await remove_unused_files(operations, digests)
    try:
        await operations.database.truncate_log()
    except (SQLAlchemyError, sqlite3.Error, OSError):
        log.exception("the write-ahead log could not be emptied")
    return removed.left
