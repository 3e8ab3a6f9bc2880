"""What became of our messages: outcomes of sending, receipts, and what follows from failure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select

from portal.messaging.outcomes import NotSent, Refused, SendProblem
from portal.messaging.sms import Accepted
from portal.models import (
    BallKind,
    Channel,
    ConsentSource,
    ContactPoint,
    DroppedBall,
    Message,
    MessageStatus,
    SendAttempt,
)
from portal.queries.requests import lock_by_id
from portal.relay.consenting import withdraw
from portal.relay.turn import Turn

FIRST_RETRY = timedelta(milliseconds=100)
LONGEST_RETRY = timedelta(seconds=30)
RETRY_LATER = timedelta(minutes=10)
PAUSE = timedelta(seconds=60)


class GivenUp(NotSent):
    """Certain: it was not sent, because the claim had grown too old."""


@dataclass(frozen=True)
class Outcome:
    """What became of one claimed message."""

    message_id: int
    claim_token: str
    result: Accepted | SendProblem


async def record_outcomes(turn: Turn, outcomes: Sequence[Outcome]) -> None:
    """Write each outcome to its message and its attempt; a stranger's claim is left alone."""
    special = await _record_accepted(turn, outcomes)
    if not special:
        return
    messages = await _lock(turn, [outcome.message_id for outcome in special])
    attempts = await _attempts(turn, [outcome.claim_token for outcome in special])
    for outcome in special:
        message, attempt = messages[outcome.message_id], attempts[outcome.claim_token]
        attempt.finished_at = turn.now
        await _record(turn, message, attempt, outcome.result)
        if message.request_id is not None:
            turn.nudged.add(message.request_id)
    await turn.session.flush()


async def _record_accepted(turn: Turn, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Write down the ordinary ones by rows; give back those that want a closer look.

    Ordinary is what was accepted, and of which nothing has been heard meanwhile.
    """
    connection = await turn.session.connection()
    query = (
        sa.select(*(getattr(Message, name) for name in ("id", "claim_token", "request_id")))
        .where(
            col(Message.id).in_([outcome.message_id for outcome in outcomes]),
            col(Message.status) == MessageStatus.SENDING,
            sa.or_(col(Message.channel) != Channel.SMS, col(Message.provider_sid).is_(None)),
        )
        .order_by(col(Message.id))
        .with_for_update()
    )
    sending = {row.claim_token: row for row in await connection.execute(query)}
    accepted, special = [], []
    for outcome in outcomes:
        result, row = outcome.result, sending.get(outcome.claim_token)
        if (
            row is None
            or not isinstance(result, Accepted)
            or result.status == MessageStatus.DELIVERED
        ):
            special.append(outcome)
            continue
        status = max_status(result.status)
        accepted.append(
            {"token": outcome.claim_token, "sid": result.sid, "now": turn.now, "heard": status,
             "counted": result.segments, "message": row.id}
        )  # fmt: skip
        if row.request_id is not None:
            turn.nudged.add(row.request_id)
    if accepted:
        await connection.execute(_ACCEPT_MESSAGE, accepted)
        await connection.execute(_ACCEPT_ATTEMPT, accepted)
    return special


async def record_receipt(
    turn: Turn, message_id: int, sid: str, status: MessageStatus, error_code: str | None
) -> None:
    """The provider's own word about a message, by our id: it proves acceptance, and more.

    Repeated or out of order it changes nothing; it never takes a status back.
    """
    messages = await _lock(turn, [message_id])
    message = messages.get(message_id)
    if message is None:
        return
    await adopt(turn, message, sid)
    if message.hear(status, turn.now, error_code) and status in (
        MessageStatus.UNDELIVERED,
        MessageStatus.FAILED,
    ):
        await fall_back(turn, message)
    if message.request_id is not None:
        turn.nudged.add(message.request_id)
    await turn.session.flush()


async def adopt(turn: Turn, message: Message, sid: str) -> None:
    """Take the provider's id for this message; an unplanned second one is raised with a person."""
    if message.provider_sid in (None, sid):
        message.provider_sid = sid
        return
    query = select(SendAttempt.id).where(col(SendAttempt.provider_sid) == sid)
    if (await turn.session.exec(query)).first() is not None:
        return  # One of our own attempts, sent once more on purpose and marked so.
    if not message.possible_duplicate:
        message.possible_duplicate = True
        await raise_ball(
            turn, message, BallKind.SENT_TWICE, "The provider took this message twice."
        )


async def fall_back(turn: Turn, message: Message) -> None:
    """It did not get through: try the other channel, else put it before a person."""
    if message.request_id is None:
        return
    request = await lock_by_id(turn.session, message.request_id)
    if message.channel == Channel.SMS and request.customer.address(Channel.EMAIL, turn.now):
        written = await turn.outbox.tell(
            request,
            message.kind,
            message.cause,
            message.body,
            subject=message.subject,
            channels=[Channel.EMAIL],
            author=message.author,
            author_id=message.author_id,
            event_id=message.event_id,
        )
        if written.status == MessageStatus.QUEUED:
            return
    await raise_ball(
        turn, message, BallKind.MESSAGE_UNDELIVERED, message.reason or "It was not delivered."
    )


async def raise_ball(turn: Turn, message: Message, kind: BallKind, detail: str) -> None:
    """Put it before the request's owner, once."""
    subject = f"message:{message.id}"
    query = select(DroppedBall.id).where(
        col(DroppedBall.kind) == kind,
        col(DroppedBall.subject) == subject,
        col(DroppedBall.resolved_at).is_(None),
    )
    if (await turn.session.exec(query)).first() is not None:
        return
    owner_id = None
    if message.request_id is not None:
        owner_id = (await lock_by_id(turn.session, message.request_id)).owner_id
    turn.session.add(
        DroppedBall(
            kind=kind,
            subject=subject,
            request_id=message.request_id,
            owner_id=owner_id,
            detail=detail,
            raised_at=turn.now,
        )
    )


async def _record(
    turn: Turn, message: Message, attempt: SendAttempt, result: Accepted | SendProblem
) -> None:
    if isinstance(result, Accepted):
        attempt.status = MessageStatus.ACCEPTED
        attempt.provider_sid = result.sid
        if message.channel == Channel.SMS:
            await adopt(turn, message, result.sid)
            message.segments = result.segments or message.segments
        message.hear(max_status(result.status), turn.now)
        return
    attempt.error = str(result)[:400]
    if message.status != MessageStatus.SENDING or message.claim_token != attempt.claim_token:
        # A callback has spoken meanwhile, or another worker took over: theirs is the newer word.
        attempt.status = MessageStatus.UNKNOWN
        return
    if isinstance(result, Refused):
        attempt.status, attempt.error_code = MessageStatus.FAILED, str(result.code)
        await _refused(turn, message, result)
    elif isinstance(result, NotSent):
        attempt.status = MessageStatus.QUEUED
        _again(message, turn.now + _pause_before(message.attempts, result))
    else:
        attempt.status = message.status = MessageStatus.UNKNOWN
        message.reason = "We do not know yet whether this was sent."


async def _refused(turn: Turn, message: Message, refusal: Refused) -> None:
    message.error_code = str(refusal.code)
    message.reason = refusal.reason
    if refusal.action == "pause_queue":
        # Our own account is at fault: nothing is failed for good.
        _again(message, turn.now + PAUSE)
        return
    if refusal.action == "retry_later" and _has_retry(message, refusal):
        _again(message, turn.now + RETRY_LATER)
        return
    message.status = MessageStatus.FAILED
    if refusal.action == "opted_out":
        await withdraw(
            turn,
            message.channel,
            message.to_address,
            ConsentSource.CARRIER,
            evidence=f"{refusal.code}",
        )
    if refusal.action in ("bad_number", "bad_address"):
        await _retire(turn, message.channel, message.to_address)
    await fall_back(turn, message)


def _has_retry(message: Message, refusal: Refused) -> bool:
    retries = refusal.verdict.retries
    return retries is None or message.attempts <= retries


def _again(message: Message, due_at: datetime) -> None:
    message.status, message.claim_token, message.due_at = MessageStatus.QUEUED, None, due_at


def _pause_before(attempts: int, problem: NotSent) -> timedelta:
    """100 ms doubling to 30 s (Twilio's advice for 429); at once for what was only given up."""
    if isinstance(problem, GivenUp):
        return timedelta()
    doublings: int = min(max(attempts - 1, 0), 10)
    return min(FIRST_RETRY * (1 << doublings), LONGEST_RETRY)


async def _retire(turn: Turn, channel: Channel, address: str) -> None:
    """The address is no good: nobody is reached there any more."""
    query = select(ContactPoint).where(
        col(ContactPoint.channel) == channel, col(ContactPoint.address) == address
    )
    for point in (await turn.session.exec(query)).all():
        point.valid_until = turn.now


async def _lock(turn: Turn, ids: Sequence[int]) -> dict[int, Message]:
    query = (
        select(Message).where(col(Message.id).in_(ids)).order_by(col(Message.id)).with_for_update()
    )
    return {message.id or 0: message for message in (await turn.session.exec(query)).all()}


async def _attempts(turn: Turn, tokens: Sequence[str]) -> dict[str, SendAttempt]:
    query = select(SendAttempt).where(col(SendAttempt.claim_token).in_(tokens))
    return {attempt.claim_token: attempt for attempt in (await turn.session.exec(query)).all()}


def max_status(status: MessageStatus) -> MessageStatus:
    """Whatever word the provider's first answer uses, the message is accepted at least."""
    known = (MessageStatus.ACCEPTED, MessageStatus.SENT, MessageStatus.DELIVERED)
    return status if status in known else MessageStatus.ACCEPTED


_ACCEPT_MESSAGE = (
    sa.update(Message)
    .where(col(Message.id) == sa.bindparam("message"))
    .values(
        status=sa.bindparam("heard"),
        provider_sid=sa.func.coalesce(col(Message.provider_sid), sa.bindparam("sid")),
        segments=sa.func.coalesce(
            sa.func.nullif(sa.bindparam("counted", type_=sa.Integer), 0), col(Message.segments)
        ),
        sent_at=sa.func.coalesce(col(Message.sent_at), sa.bindparam("now")),
    )
)
_ACCEPT_ATTEMPT = (
    sa.update(SendAttempt)
    .where(col(SendAttempt.claim_token) == sa.bindparam("token"))
    .values(
        status=MessageStatus.ACCEPTED,
        provider_sid=sa.bindparam("sid"),
        finished_at=sa.bindparam("now"),
    )
)
