"""Mail that came in: a customer's own words are answered or owned, a machine's are set aside."""

import re
from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col, select

from portal.attachments.stored_file import KeptFile, RefusedFile
from portal.messaging.email.inbound import LONGEST, ReceivedMail
from portal.messaging.intents.classifier import Meaning, MeaningKind, understand
from portal.models import (
    Channel,
    ConsentSource,
    Direction,
    Message,
    MessageKind,
    MessageStatus,
    ServiceRequest,
    token_hash,
)
from portal.models.people.contact_address import LONGEST_EMAIL
from portal.operations.conversation.attachments import attach_files
from portal.operations.conversation.closed_requests import hear_about_closed
from portal.operations.conversation.consent import grant, withdraw
from portal.operations.conversation.intent_handlers import record_heard, route
from portal.operations.conversation.opt_out import leave_to_a_person
from portal.operations.unit_of_work import Turn
from portal.queries.consent import may_write
from portal.queries.conversations import find_by_sid
from portal.queries.requests import lock_by_id

MOST_ANSWERS = 3
"""Mails by which we answer of ourselves in an hour, about one request. Who writes faster than
that is a machine that does not say so: its words are kept and owned, and the loop ends."""
WITHIN = timedelta(hours=1)
OUR_MAIL = re.compile(r"\be-?mail|\bmail(?=ing (?:me|us)\b)", re.IGNORECASE)
NO_WORDS = "(An e-mail without words.)"


async def receive_email(
    turn: Turn,
    mail: ReceivedMail,
    request_id: int,
    files: Sequence[KeptFile | RefusedFile] = (),
) -> None:
    """Record a mailed reply once, and answer it or give it an owner.

    ``request_id`` comes from the reply address's own token. From proves nothing: what comes from
    another address than the customer's is for a person to judge, and answers no question.
    ``files`` are those of the mail, looked at before.
    """
    if await find_by_sid(turn.session, mail.message_id) is not None:
        return
    heard = _heard(turn, mail, MessageKind.CUSTOMER)
    turn.session.add(heard)
    request = await lock_by_id(turn.session, request_id)
    attach_files(turn, heard, files)
    is_theirs = mail.sender in {
        point.address for point in request.customer.contact_points if point.channel == Channel.EMAIL
    }
    heard.reason = _remark(mail, is_theirs=is_theirs)
    meaning = _understood(mail.words, request.customer.locale)
    if await _settle_consent(turn, request, heard, meaning, is_theirs=is_theirs):
        return
    if await _answers_too_often(turn, request):
        await leave_to_a_person(turn, heard, request)
        return
    if not is_theirs:
        meaning = Meaning(MeaningKind.OTHER, mail.words)
    if request.is_closed:
        await hear_about_closed(turn, request, heard, meaning)
    else:
        await route(turn, request, heard, meaning)


async def set_aside(
    turn: Turn, mail: ReceivedMail, request_id: int | None, sealed_id: int | None
) -> None:
    """Keep what a machine wrote where staff see it, once; it asks for nothing and gets nothing.

    Without a ``request_id`` it belongs to the request of the mail that it was returned for
    (``sealed_id``) or that it names; where there is none nothing is kept.
    """
    if await find_by_sid(turn.session, mail.message_id) is not None:
        return
    if request_id is None:
        request_id = await _named(turn, mail, sealed_id)
    if request_id is None:
        return
    request = await lock_by_id(turn.session, request_id)
    heard = _heard(turn, mail, MessageKind.AUTOMATIC)
    heard.request_id, heard.customer_id = request.id, request.customer_id
    heard.reason = "An automatic reply: nobody waits for an answer."
    turn.session.add(heard)
    turn.nudged.add(request_id)


def _understood(words: str, locale: str) -> Meaning:
    """By mail, "no more e-mails" asks for what "no more texts" asks for by text."""
    wish = understand(OUR_MAIL.sub("text", words), locale)
    if wish.kind in (MeaningKind.STOP, MeaningKind.START):
        return wish
    return understand(words, locale)


async def _settle_consent(
    turn: Turn, request: ServiceRequest, heard: Message, meaning: Meaning, *, is_theirs: bool
) -> bool:
    """A wish about mail: of all of it from their own address, else of this request's; True if so.

    Whoever has our mail in hand may end it, as by the link at its foot.
    """
    if meaning.kind not in (MeaningKind.STOP, MeaningKind.START):
        return False
    wishes_stop = meaning.kind == MeaningKind.STOP
    own = heard.from_address if is_theirs else request.customer.address(Channel.EMAIL, turn.now)
    if own is None or (not wishes_stop and not is_theirs):
        return False
    was_welcome = await may_write(turn.session, Channel.EMAIL, own, request.id)
    if was_welcome and not wishes_stop:
        return False
    await (withdraw if wishes_stop else grant)(
        turn, Channel.EMAIL, own, ConsentSource.MAIL,
        evidence=f"{heard.provider_sid} {heard.from_address}: {heard.body}",
        request_id=None if is_theirs else request.id,
    )  # fmt: skip
    if meaning.cancel or meaning.has_more:
        await leave_to_a_person(turn, heard, request)
    else:
        await record_heard(turn, request, heard, meaning)
        await turn.settle(request)
    if was_welcome != wishes_stop or await _answers_too_often(turn, request):
        return True  # They have been told.
    name = ("mail_stop" if is_theirs else "mail_stop_request") if wishes_stop else "mail_start"
    told = await turn.outbox.answer_address(
        MessageKind.CONSENT,
        f"message:{heard.id}",
        (await turn.teller(request)).say(name),
        channel=Channel.EMAIL,
        address=own,
    )
    told.request_id, told.customer_id = request.id, request.customer_id
    told.subject = request.title_in(request.customer.locale)
    return True


async def _answers_too_often(turn: Turn, request: ServiceRequest) -> bool:
    query = select(sa.func.count()).where(
        col(Message.request_id) == request.id,
        col(Message.channel) == Channel.EMAIL,
        col(Message.direction) == Direction.OUT,
        col(Message.cause).like("message:%"),
        col(Message.created_at) > turn.now - WITHIN,
    )
    return (await turn.session.exec(query)).one() >= MOST_ANSWERS


async def _named(turn: Turn, mail: ReceivedMail, sealed_id: int | None) -> int | None:
    """The request of the first mail of ours that this one is about."""
    query = (
        select(Message.request_id)
        .where(
            sa.or_(col(Message.id) == sealed_id, col(Message.provider_sid).in_(mail.our_ids)),
            col(Message.direction) == Direction.OUT,
            col(Message.request_id).is_not(None),
        )
        .order_by(col(Message.id))
        .limit(1)
    )
    return (await turn.session.exec(query)).first()


def _remark(mail: ReceivedMail, *, is_theirs: bool) -> str:
    """What staff should know before they believe or answer it."""
    said = []
    if not is_theirs:
        said.append(f"Sent from {mail.sender or 'nobody'}, which is not an address of theirs.")
    if len(mail.words or mail.whole) > LONGEST:
        said.append("It was longer than this.")
    return " ".join(said)[:400]


def _heard(turn: Turn, mail: ReceivedMail, kind: MessageKind) -> Message:
    return Message(
        direction=Direction.IN,
        channel=Channel.EMAIL,
        kind=kind,
        cause=f"inbound:{token_hash(mail.message_id)}",
        provider_sid=mail.message_id,
        # Where nothing is surely theirs, a person reads all of it.
        body=(mail.words or mail.whole or NO_WORDS)[:LONGEST],
        from_address=mail.sender[:LONGEST_EMAIL],
        to_address=mail.recipients[:LONGEST_EMAIL],
        status=MessageStatus.RECEIVED,
        author="Customer",
        created_at=turn.now,
        due_at=turn.now,
    )
