"""Mail that came in: a customer's own words are answered or owned, a machine's are set aside."""

import re
from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col, select

from portal.attachments.stored_file import RefusedFile, StoredFile
from portal.messaging.email.inbound import MAX_LENGTH, InboundEmail
from portal.messaging.intents.classifier import Intent, IntentKind, classify
from portal.models import (
    Channel,
    ConsentSource,
    DeliveryReason,
    Direction,
    Message,
    MessageKind,
    MessageStatus,
    ServiceRequest,
    hash_token,
)
from portal.models.people.contact_address import MAX_EMAIL_LENGTH
from portal.operations.conversation.attachments import attach_files
from portal.operations.conversation.closed_requests import handle_closed_request
from portal.operations.conversation.consent import grant_consent, withdraw_consent
from portal.operations.conversation.intent_handlers import handle_intent, record_inbound
from portal.operations.conversation.opt_out import assign_to_staff
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.consent import may_write
from portal.queries.conversations import find_by_sid
from portal.queries.requests import lock_by_id

MAX_AUTO_REPLIES = 3
"""Mails by which we answer of ourselves in an hour, about one request. Who writes faster than
that is a machine that does not say so: its words are kept and owned, and the loop ends."""
AUTO_REPLY_WINDOW = timedelta(hours=1)
EMAIL_MENTION = re.compile(r"\be-?mail|\bmail(?=ing (?:me|us)\b)", re.IGNORECASE)
EMPTY_MAIL_BODY = "(An e-mail without words.)"


async def receive_email(
    uow: UnitOfWork,
    mail: InboundEmail,
    request_id: int,
    files: Sequence[StoredFile | RefusedFile] = (),
) -> None:
    """Record a mailed reply once, and answer it or give it an owner.

    ``request_id`` comes from the reply address's own token. From proves nothing: what comes from
    another address than the customer's is for a person to judge, and answers no question.
    ``files`` are those of the mail, looked at before.
    """
    if await find_by_sid(uow.session, mail.message_id) is not None:
        return
    inbound = _heard(uow, mail, MessageKind.CUSTOMER)
    uow.session.add(inbound)
    request = await lock_by_id(uow.session, request_id)
    attach_files(uow, inbound, files)
    is_theirs = mail.sender in {
        point.address for point in request.customer.contact_points if point.channel == Channel.EMAIL
    }
    if not is_theirs:
        inbound.reason = DeliveryReason.FOREIGN_SENDER
    inbound.is_shortened = len(mail.words or mail.whole) > MAX_LENGTH
    intent = _understood(mail.words, request.customer.locale)
    if await _settle_consent(uow, request, inbound, intent, is_theirs=is_theirs):
        return
    if await _answers_too_often(uow, request):
        await assign_to_staff(uow, inbound, request)
        return
    if not is_theirs:
        intent = Intent(IntentKind.OTHER, mail.words)
    if request.is_closed:
        await handle_closed_request(uow, request, inbound, intent)
    else:
        await handle_intent(uow, request, inbound, intent)


async def record_automatic_mail(
    uow: UnitOfWork, mail: InboundEmail, request_id: int | None, signed_message_id: int | None
) -> None:
    """Keep what a machine wrote where staff see it, once; it asks for nothing and gets nothing.

    Without a ``request_id`` it belongs to the request of the mail that it was returned for
    (``signed_message_id``) or that it names; where there is none nothing is kept.
    """
    if await find_by_sid(uow.session, mail.message_id) is not None:
        return
    if request_id is None:
        request_id = await _named(uow, mail, signed_message_id)
    if request_id is None:
        return
    request = await lock_by_id(uow.session, request_id)
    inbound = _heard(uow, mail, MessageKind.AUTOMATIC)
    inbound.request_id, inbound.customer_id = request.id, request.customer_id
    inbound.reason = DeliveryReason.AUTOMATIC_REPLY
    uow.session.add(inbound)
    uow.changed_requests.add(request_id)


def _understood(words: str, locale: str) -> Intent:
    """By mail, "no more e-mails" asks for what "no more texts" asks for by text."""
    wish = classify(EMAIL_MENTION.sub("text", words), locale)
    if wish.kind in (IntentKind.STOP, IntentKind.START):
        return wish
    return classify(words, locale)


async def _settle_consent(
    uow: UnitOfWork, request: ServiceRequest, inbound: Message, intent: Intent, *, is_theirs: bool
) -> bool:
    """A wish about mail: of all of it from their own address, else of this request's; True if so.

    Whoever has our mail in hand may end it, as by the link at its foot.
    """
    if intent.kind not in (IntentKind.STOP, IntentKind.START):
        return False
    wishes_stop = intent.kind == IntentKind.STOP
    own = inbound.from_address if is_theirs else request.customer.address(Channel.EMAIL, uow.now)
    if own is None or (not wishes_stop and not is_theirs):
        return False
    was_welcome = await may_write(uow.session, Channel.EMAIL, own, request.id)
    if was_welcome and not wishes_stop:
        return False
    await (withdraw_consent if wishes_stop else grant_consent)(
        uow, Channel.EMAIL, own, ConsentSource.MAIL,
        evidence=f"{inbound.provider_sid} {inbound.from_address}: {inbound.body}",
        request_id=None if is_theirs else request.id,
    )  # fmt: skip
    if intent.cancel or intent.needs_reading:
        await assign_to_staff(uow, inbound, request)
    else:
        await record_inbound(uow, request, inbound, intent)
        await uow.finish(request)
    if was_welcome != wishes_stop or await _answers_too_often(uow, request):
        return True  # They have been told.
    name = ("mail_stop" if is_theirs else "mail_stop_request") if wishes_stop else "mail_start"
    told = await uow.outbox.queue_reply_to_address(
        MessageKind.CONSENT,
        f"message:{inbound.id}",
        (await uow.renderer(request)).say(name),
        channel=Channel.EMAIL,
        address=own,
    )
    told.request_id, told.customer_id = request.id, request.customer_id
    told.subject = request.title_in(request.customer.locale)
    return True


async def _answers_too_often(uow: UnitOfWork, request: ServiceRequest) -> bool:
    query = select(sa.func.count()).where(
        col(Message.request_id) == request.id,
        col(Message.channel) == Channel.EMAIL,
        col(Message.direction) == Direction.OUT,
        col(Message.cause).like("message:%"),
        col(Message.created_at) > uow.now - AUTO_REPLY_WINDOW,
    )
    return (await uow.session.exec(query)).one() >= MAX_AUTO_REPLIES


async def _named(uow: UnitOfWork, mail: InboundEmail, signed_message_id: int | None) -> int | None:
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


def _heard(uow: UnitOfWork, mail: InboundEmail, kind: MessageKind) -> Message:
    return Message(
        direction=Direction.IN,
        channel=Channel.EMAIL,
        kind=kind,
        cause=f"inbound:{hash_token(mail.message_id)}",
        provider_sid=mail.message_id,
        # Where nothing is surely theirs, a person reads all of it.
        body=(mail.words or mail.whole or EMPTY_MAIL_BODY)[:MAX_LENGTH],
        from_address=mail.sender[:MAX_EMAIL_LENGTH],
        to_address=mail.recipients[:MAX_EMAIL_LENGTH],
        status=MessageStatus.RECEIVED,
        author="Customer",
        created_at=uow.now,
        due_at=uow.now,
    )
