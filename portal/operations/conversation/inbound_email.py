"""Mail: a customer's own is answered or owned, a machine's is recorded and never answered."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import col, select

from portal.attachments.stored_file import RefusedFile, StoredFile
from portal.errors import BadInput
from portal.messaging.email.envelope import Envelope
from portal.messaging.email.inbound import MAX_LENGTH, InboundEmail
from portal.models import (
    Channel,
    DeliveryReason,
    Direction,
    Message,
    MessageKind,
)
from portal.operations.conversation.inbound import receive
from portal.operations.conversation.inbound_message import InboundMessage, build_message
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.conversations import is_recorded
from portal.queries.requests import lock_by_id

EMPTY_MAIL_BODY = "(An e-mail without words.)"
UNREADABLE_MAIL_BODY = "(An e-mail that could not be read.)"


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
    )


async def receive_email(
    uow: UnitOfWork,
    mail: InboundEmail,
    request_id: int,
    files: Sequence[StoredFile | RefusedFile] = (),
) -> None:
    """Record a mailed reply once, and answer it or give it an owner.

    ``request_id`` comes from the token of the reply address. From proves nothing: a mail from
    another address than the customer's is for a person to judge, and answers no question.
    ``files`` are those of the mail, checked already. Raises BadInput where the request's customer
    has been erased: nothing of them is recorded again.
    """
    if (await lock_by_id(uow.session, request_id)).erased_at is not None:
        raise BadInput("This mail is not for any request of ours.")
    await receive(uow, _read(mail, request_id, files))


async def record_automatic_mail(
    uow: UnitOfWork, mail: InboundEmail, request_id: int | None, signed_message_id: int | None
) -> None:
    """Record an automatic mail once, where staff see it; it is owed nothing and never answered.

    Without a ``request_id`` it belongs to the request of the mail that it was returned for
    (``signed_message_id``) or that it names; where there is none nothing is recorded.
    """
    if await is_recorded(uow.session, mail.message_id):
        return
    if request_id is None:
        request_id = await _find_named(uow, mail, signed_message_id)
    if request_id is None:
        return
    request = await lock_by_id(uow.session, request_id)
    if request.erased_at is not None:
        return
    message = build_message(uow, _read(mail, request_id), MessageKind.AUTOMATIC)
    message.request_id, message.customer_id = request.id, request.customer_id
    message.reason = DeliveryReason.AUTOMATIC_REPLY
    uow.session.add(message)
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


def _read(
    mail: InboundEmail, request_id: int, files: Sequence[StoredFile | RefusedFile] = ()
) -> InboundMessage:
    shown = mail.shown or mail.words or mail.whole or EMPTY_MAIL_BODY
    return InboundMessage(
        channel=Channel.EMAIL,
        # Where no part is surely the customer's own, a person reads all of it.
        body=shown[:MAX_LENGTH],
        own_text=mail.words,
        says_more=mail.says_more,
        provider_id=mail.message_id,
        sender=mail.sender,
        recipient=mail.recipients,
        request_id=request_id,
        is_shortened=len(shown) > MAX_LENGTH,
        files=files,
    )
