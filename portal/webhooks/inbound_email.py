"""Inbound mail, posted raw (RFC 5322) by our mail server."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from portal import operations
from portal.attachments.file_store import FileStore
from portal.attachments.filenames import safe_stem
from portal.attachments.refusals import FileRefusal, FileRefusalCode
from portal.attachments.stored_file import RefusedFile, StoredFile
from portal.errors import BadInput, NotAllowed
from portal.messaging.email.content import OWN_MESSAGE_ID_PATTERN
from portal.messaging.email.correspondence import NO_CORRESPONDENCE, Correspondence
from portal.messaging.email.envelope import Envelope, read_envelope
from portal.messaging.email.inbound import EmailAttachment, InboundEmail, UnreadableMail
from portal.messaging.email.signed_addresses import (
    SIGNED_ADDRESS_PATTERN,
    find_message_id,
    find_request_ids,
)
from portal.queries.conversations import find_by_causes
from portal.queries.mail.threads import find_answered_request, load_correspondence
from portal.settings import Settings
from portal.web.daily_bytes import take_daily_bytes
from portal.webhooks.run_once import run_once

MAX_MAIL_BYTES = 25_000_000
"""Bytes; as much as most mail servers accept, since customers send photos."""

Handler = Callable[[operations.UnitOfWork], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Addressee:
    """Whom a mail is for.

    ``request_ids`` and ``signed_message_id`` are what the signed addresses among the recipients
    name. ``is_proven`` is false where the request is only the one whose mail it answers.
    """

    request_ids: Sequence[int] = ()
    signed_message_id: int | None = None
    is_proven: bool = True


async def receive_mail(request: Request) -> Response:
    """A reply: recorded once on each request whose reply address it was sent to.

    A reply to our sender instead is for the request of the mail that it answers, unproven. Returned
    mail and automatic mail (RFC 3464, RFC 3834) are accepted and never answered. Other mail that is
    for no request is refused with a 422, so that the mail server can put it elsewhere; only the top
    headers of it are read. A mail that cannot be read is a 422 too, and where it is for a request,
    or returns a mail of ours, a person learns of it. A mail that is recorded already is answered as
    it was, and neither it nor its files are read again.
    """
    state = request.app.state
    _check_token(request, state.settings)
    raw = await request.body()
    envelope = await asyncio.to_thread(read_envelope, raw)
    addressee = await _find_addressee(request, envelope)
    if addressee == _Addressee() and not (envelope.is_automatic or envelope.may_be_bounce):
        raise _not_ours()
    if await _is_repeated(request, envelope, addressee):
        return Response(status_code=204)
    known = await _load_correspondence(request, envelope, addressee)
    try:
        mail = await state.mail_reader.read(envelope, raw, known)
    except UnreadableMail:
        unreadable = operations.unreadable_email(envelope)
        handler = await _handler_for(request, addressee, unreadable)
        if envelope.is_returned and addressee.signed_message_id is not None:
            handler = partial(
                _record_unreadable_bounce,
                record_mail=handler,
                signed_message_id=addressee.signed_message_id,
            )
        await run_once(state.operations, handler)
        raise
    if envelope.sender in known.customer_addresses:
        mail = replace(mail, report=None)  # The customer writes of a failure; no server reports it.
    await operations.reading_is_ready()
    await run_once(state.operations, await _handler_for(request, addressee, mail))
    return Response(status_code=204)


def _not_ours() -> BadInput:
    return BadInput("This mail is not for any request of ours.")


async def _find_addressee(request: Request, envelope: Envelope) -> _Addressee:
    """Whom the recipients name, by seals of ours; else the request of the mail that it answers."""
    settings: Settings = request.app.state.settings
    found = _Addressee(
        find_request_ids(settings, envelope.recipients) or (),
        find_message_id(settings, envelope.recipients),
    )
    answered = [name for name in envelope.answered_ids if OWN_MESSAGE_ID_PATTERN.fullmatch(name)]
    is_settled = found != _Addressee() or envelope.is_automatic or envelope.may_be_bounce
    # An address of ours with another seal is a forgery, whatever the mail answers.
    is_forged = bool(SIGNED_ADDRESS_PATTERN.search(envelope.recipients))
    if is_settled or is_forged or not answered:
        return found
    async with request.app.state.database.reading() as session:
        request_id = await find_answered_request(session, answered)
    return _Addressee((request_id,), is_proven=False) if request_id is not None else found


async def _load_correspondence(
    request: Request, envelope: Envelope, addressee: _Addressee
) -> Correspondence:
    """What we wrote about its requests, read before the mail and outside of its transaction."""
    state = request.app.state
    if not addressee.request_ids:
        return NO_CORRESPONDENCE
    async with state.database.reading() as session:
        return await load_correspondence(
            session, state.settings, addressee.request_ids,
            sender=envelope.sender, sender_name=envelope.sender_name, named_ids=envelope.answered_ids,
        )  # fmt: skip


async def _record_unreadable_bounce(
    uow: operations.UnitOfWork, record_mail: Handler, signed_message_id: int
) -> None:
    """Record the mail that cannot be read, and put the mail of ours that it returns before a person."""
    await record_mail(uow)
    await operations.record_unreadable_bounce(uow, signed_message_id)


async def _is_repeated(request: Request, envelope: Envelope, addressee: _Addressee) -> bool:
    """Whether this mail is recorded: a mail server sends it again where our answer was late.

    Raises UnreadableMail where it was recorded as one.
    """
    causes = [
        operations.email_cause(envelope.message_id, envelope.digest, request_id)
        for request_id in addressee.request_ids
    ]
    if not causes:
        return False
    async with request.app.state.database.reading() as session:
        recorded = await find_by_causes(session, causes)
    is_repeated = len(recorded) == len(causes)
    if is_repeated and all(message.body == operations.UNREADABLE_MAIL_BODY for message in recorded):
        raise UnreadableMail
    return is_repeated


async def _handler_for(request: Request, addressee: _Addressee, mail: InboundEmail) -> Handler:
    """The operation for this mail; its files are checked and stored before.

    Raises BadInput where it is from a person and for no request.
    """
    request_ids, signed_message_id = addressee.request_ids, addressee.signed_message_id
    if mail.report is not None:
        return partial(
            operations.record_bounce, report=mail.report, signed_message_id=signed_message_id
        )
    if mail.is_automatic or signed_message_id is not None:
        return partial(_record_automatic_mail, addressee=addressee, mail=mail)
    if not request_ids:
        raise _not_ours()
    files = [await _take(request, request_ids[0], file) for file in mail.files]
    mail = replace(mail, is_proven=addressee.is_proven)
    return partial(_receive_email, addressee=addressee, mail=mail, files=files)


async def _receive_email(
    uow: operations.UnitOfWork,
    addressee: _Addressee,
    mail: InboundEmail,
    files: Sequence[StoredFile | RefusedFile],
) -> None:
    """Record it on each of its requests; raises BadInput where the customers of all are erased."""
    refused = 0
    for request_id in sorted(addressee.request_ids):
        try:
            await operations.receive_email(uow, mail, request_id, files)
        except BadInput:
            refused += 1
            if refused == len(addressee.request_ids):
                raise


async def _record_automatic_mail(
    uow: operations.UnitOfWork, addressee: _Addressee, mail: InboundEmail
) -> None:
    request_ids: Sequence[int | None] = addressee.request_ids or [None]
    for request_id in request_ids:
        await operations.record_automatic_mail(uow, mail, request_id, addressee.signed_message_id)


async def _take(
    request: Request, request_id: int, file: EmailAttachment
) -> StoredFile | RefusedFile:
    """Store the file, or return why not; one that is over the limit of a day is not decoded."""
    if not await take_daily_bytes(request, request_id, len(file.data)):
        return RefusedFile(safe_stem(file.name), FileRefusal(FileRefusalCode.DAY_IS_FULL))
    file_store: FileStore = request.app.state.file_store
    return await file_store.take(file.data, file.name)


def _check_token(request: Request, settings: Settings) -> None:
    """The token of the bearer scheme, whose name has any case (RFC 9110, 11.1; RFC 6750)."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    expected = settings.mail_hook_token
    if (
        expected is None
        or scheme.lower() != "bearer"
        or not hmac.compare_digest(token.strip().encode(), expected.get_secret_value().encode())
    ):
        raise NotAllowed("This call does not carry our mail token.")
