"""Mail: a customer's own is answered or owned, a machine's is recorded and never answered."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import col, select

from portal.attachments.stored_file import RefusedFile, StoredFile
from portal.errors import BadInput
from portal.i18n.languages import language_of
from portal.messaging.email.envelope import Envelope
from portal.messaging.email.inbound import MAX_LENGTH, InboundEmail
from portal.models import (
    RESPONSE_KINDS,
    Channel,
    DeliveryReason,
    Direction,
    Message,
    MessageKind,
    ServiceRequest,
    hash_token,
)
from portal.operations.conversation.inbound import receive
from portal.operations.conversation.inbound_message import InboundMessage, build_message
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.conversations import find_by_causes, is_recorded
from portal.queries.requests import lock_by_id

EMPTY_MAIL_BODY = "(An e-mail without words.)"
UNREADABLE_MAIL_BODY = "(An e-mail that could not be read.)"
SUFFIX_LENGTH = 16
MAX_ID_LENGTH = 200 - SUFFIX_LENGTH - 1
"""Characters of a Message-ID that came before, in the id that its next message is known by."""


def email_cause(message_id: str, digest: str, request_id: int) -> str:
    """The cause of the message that a mail becomes on this request: the same mail, the same cause."""
    return f"mail:{hash_token(f'{message_id} {request_id} {digest}')}"


def unreadable_email(envelope: Envelope) -> InboundEmail:
    """A mail of which only the envelope can be read: received without text.

    A person sees to it, unless it is automatic.
    """
    return InboundEmail(
        message_id=envelope.message_id,
        sender=envelope.sender,
        recipients=envelope.recipients,
        words="",
        whole=UNREADABLE_MAIL_BODY,
        is_automatic=envelope.is_automatic,
        digest=envelope.digest,
    )


async def receive_email(
    uow: UnitOfWork,
    mail: InboundEmail,
    request_id: int,
    files: Sequence[StoredFile | RefusedFile] = (),
) -> None:
    """Record a mailed reply once, and answer it or give it an owner.

    ``request_id`` comes from the token of the reply address. From proves nothing: a mail from
    another address than the customer's is for a person to judge, and answers no question; so is
    one that is not proven. ``files`` are those of the mail, checked already. Raises BadInput where
    the request's customer has been erased: nothing of them is recorded again.
    """
    request = await lock_by_id(uow.session, request_id)
    if request.erased_at is not None:
        raise BadInput("This mail is not for any request of ours.")
    inbound = await _read(uow, mail, request_id, files)
    if inbound is None:
        return
    first = len(uow.outbox.written)
    await receive(uow, inbound)
    _say_what_was_refused(request, files, uow.outbox.written[first:])


def _say_what_was_refused(
    request: ServiceRequest,
    files: Sequence[StoredFile | RefusedFile],
    written: Sequence[Message],
) -> None:
    """Say it in the reply that goes out anyway: whoever mails does not look at the page."""
    reasons = dict.fromkeys(file.refusal.text for file in files if isinstance(file, RefusedFile))
    reply = next(
        (
            message
            for message in written
            if message.channel == Channel.EMAIL and message.kind in RESPONSE_KINDS
        ),
        None,
    )
    if reply is not None and reasons:
        language = language_of(request.customer.locale)
        sentences = [
            language.gettext("A photo or file could not be taken: {reason}.", reason=reason)
            for reason in reasons
        ]
        reply.body = " ".join([reply.body, *sentences])


async def record_automatic_mail(
    uow: UnitOfWork, mail: InboundEmail, request_id: int | None, signed_message_id: int | None
) -> None:
    """Record an automatic mail once, where staff see it; it is owed nothing and never answered.

    Without a ``request_id`` it belongs to the request of the mail that it was returned for
    (``signed_message_id``) or that it names; where there is none nothing is recorded.
    """
    if request_id is None:
        request_id = await _find_named(uow, mail, signed_message_id)
    if request_id is None:
        return
    request = await lock_by_id(uow.session, request_id)
    inbound = await _read(uow, mail, request_id)
    if request.erased_at is not None or inbound is None:
        return
    message = build_message(uow, inbound, MessageKind.AUTOMATIC)
    message.request_id, message.customer_id = request.id, request.customer_id
    message.reason = DeliveryReason.AUTOMATIC_REPLY
    uow.session.add(message)
    await uow.session.flush()
    uow.changed_requests.add(request_id)


async def _find_named(
    uow: UnitOfWork, mail: InboundEmail, signed_message_id: int | None
) -> int | None:
    """The request of the first mail of ours that this one is about."""
    query = (
        select(Message.request_id)
        .where(
            sa.or_(
                col(Message.id) == signed_message_id,
                col(Message.provider_sid).in_(mail.own_message_ids),
            ),
            col(Message.direction) == Direction.OUT,
            col(Message.request_id).is_not(None),
        )
        .order_by(col(Message.id))
        .limit(1)
    )
    return (await uow.session.exec(query)).first()


async def _read(
    uow: UnitOfWork,
    mail: InboundEmail,
    request_id: int,
    files: Sequence[StoredFile | RefusedFile] = (),
) -> InboundMessage | None:
    """The mail as a message on this request; None where it is recorded already.

    A Message-ID that comes again with another content, or for another request, is another message.
    """
    cause = email_cause(mail.message_id, mail.digest, request_id)
    if await find_by_causes(uow.session, [cause]):
        return None
    provider_id = mail.message_id
    if await is_recorded(uow.session, provider_id):
        provider_id = f"{provider_id[:MAX_ID_LENGTH]} {cause[-SUFFIX_LENGTH:]}"
    # Where no part is surely the customer's own, a person reads all of it.
    shown = mail.shown or mail.words or mail.whole or EMPTY_MAIL_BODY
    return InboundMessage(
        channel=Channel.EMAIL,
        body=shown[:MAX_LENGTH],
        own_text=mail.words,
        says_more=mail.says_more,
        provider_id=provider_id,
        sender=mail.sender,
        recipient=mail.recipients,
        request_id=request_id,
        is_shortened=len(shown) > MAX_LENGTH,
        files=files,
        cause=cause,
        is_unproven=not mail.is_proven,
    )
