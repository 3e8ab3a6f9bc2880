"""What became of our messages: outcomes of sending, receipts, and what follows from failure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select

from portal.messaging.send_errors import FailureRule, NotSent, Refused, SendError
from portal.messaging.sms import twilio_codes
from portal.messaging.sms.twilio_client import Accepted
from portal.models import (
    SYSTEM_ACTOR,
    Channel,
    ConsentSource,
    DroppedBallKind,
    Message,
    MessageKind,
    MessageStatus,
    SendAttempt,
    Sender,
)
from portal.models.columns import saved_id
from portal.operations.conversation.consent import withdraw_consent
from portal.operations.delivery.channel_fallback import fall_back, invalidate_address
from portal.operations.dropped_balls.resolution import (
    message_subject,
    raise_dropped_ball,
    resolve_dropped_balls,
)
from portal.operations.unit_of_work import UnitOfWork

FIRST_RETRY = timedelta(milliseconds=100)
LONGEST_RETRY = timedelta(seconds=30)
RETRY_LATER = timedelta(minutes=10)
SENDER_PAUSE = timedelta(seconds=60)


class ClaimExpired(NotSent):
    """Certain: it was not sent, because the claim had grown too old."""


@dataclass(frozen=True)
class SendOutcome:
    """What became of one claimed message."""

    message_id: int
    claim_token: str
    result: Accepted | SendError


async def record_outcomes(uow: UnitOfWork, outcomes: Sequence[SendOutcome], sender: str) -> None:
    """Write each outcome to its message and its attempt; a stranger's claim is left alone.

    ``sender`` is the name of the Sender by which they went: what surely was not sent is not
    counted in its month, and a refusal of the sender itself lets it rest.
    """
    special = await _record_accepted(uow, outcomes)
    messages = await _lock(uow, [outcome.message_id for outcome in special])
    attempts = await _attempts(uow, [outcome.claim_token for outcome in special])
    unsent = 0
    for outcome in special:
        message, attempt = messages[outcome.message_id], attempts[outcome.claim_token]
        attempt.finished_at = uow.now
        await _record(uow, message, attempt, outcome.result)
        if isinstance(outcome.result, NotSent | Refused):
            unsent += message.segments
        if message.request_id is not None:
            uow.changed_requests.add(message.request_id)
    await uow.session.flush()
    await _tell_sender(uow, sender, [outcome.result for outcome in outcomes], unsent)


async def _tell_sender(
    uow: UnitOfWork, name: str, results: Sequence[Accepted | SendError], unsent: int
) -> None:
    """Let our sender rest when the provider refuses it, and wake it when it is accepted again.

    The one alert is about the sender: its messages all wait, and none is failed.
    """
    refused = [one for one in results if isinstance(one, Refused) and one.action == "pause_queue"]
    sender = await uow.session.get(Sender, name, with_for_update=bool(unsent or refused) or None)
    if sender is None:
        return
    if unsent:
        sender.add_segments(uow.now, -unsent)
    # During the rest nothing is handed over: an acceptance then is of what went before it.
    has_rested = bool(sender.pause_reason) and not sender.is_paused(uow.now)
    if refused:
        await _rest(uow, sender, refused[0].reason)
    elif has_rested and any(isinstance(one, Accepted) for one in results):
        sender.resume()
        await resolve_dropped_balls(uow, sender.subject, DroppedBallKind.SENDING_PAUSED)


async def _rest(uow: UnitOfWork, sender: Sender, reason: str) -> None:
    sender.pause(uow.now + SENDER_PAUSE, reason)
    detail = f"{reason} Messages wait until this is put right; none is lost."
    await raise_dropped_ball(uow, DroppedBallKind.SENDING_PAUSED, sender.subject, detail)


async def _record_accepted(uow: UnitOfWork, outcomes: Sequence[SendOutcome]) -> list[SendOutcome]:
    """Write down the ordinary ones by rows; give back those that want a closer look.

    Ordinary is what was accepted, and of which nothing has been heard meanwhile.
    """
    connection = await uow.session.connection()
    query = (
        sa.select(
            *(getattr(Message, name) for name in ("id", "claim_token", "request_id", "channel"))
        )
        .where(
            col(Message.id).in_([outcome.message_id for outcome in outcomes]),
            col(Message.status) == MessageStatus.SENDING,
            sa.or_(col(Message.channel) != Channel.SMS, col(Message.provider_sid).is_(None)),
        )
        .order_by(col(Message.id))
        .with_for_update()
    )
    sending = {row.claim_token: row for row in await connection.execute(query)}
    poll_at = uow.now + timedelta(seconds=uow.settings.receipt_poll_seconds)
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
        status = at_least_accepted(result.status)
        accepted.append(
            {"token": outcome.claim_token, "sid": result.sid, "now": uow.now, "heard": status,
             "counted": result.segments, "message": row.id,
             "ask": poll_at if row.channel == Channel.SMS else None}
        )  # fmt: skip
        if row.request_id is not None:
            uow.changed_requests.add(row.request_id)
    if accepted:
        await connection.execute(_ACCEPT_MESSAGE, accepted)
        await connection.execute(_ACCEPT_ATTEMPT, accepted)
    return special


async def record_receipt(
    uow: UnitOfWork, message_id: int, sid: str, status: MessageStatus, error_code: str | None
) -> None:
    """The provider's own word about a message, by our id: it proves acceptance, and more.

    Repeated or out of order it changes nothing; it never takes a status back.
    """
    message = (await _lock(uow, [message_id])).get(message_id)
    if message is None:
        return
    await record_provider_id(uow, message, sid)
    await apply_status(uow, message, status, error_code)


async def apply_status(
    uow: UnitOfWork,
    message: Message,
    status: MessageStatus,
    error_code: str | None,
    *,
    is_confirmed: bool = False,
) -> None:
    """What the provider says of a message, and all that follows from it.

    ``is_confirmed``: it was asked, so its word stands even against another last word.
    """
    if message.apply_status(status, uow.now, error_code, is_confirmed=is_confirmed):
        if status in (MessageStatus.UNDELIVERED, MessageStatus.FAILED):
            await _undelivered(uow, message)
        else:
            message.reason = ""
            await resolve_dropped_balls(
                uow, message_subject(message), DroppedBallKind.OUTCOME_UNKNOWN
            )
        if status == MessageStatus.DELIVERED:
            await resolve_dropped_balls(
                uow, message_subject(message), DroppedBallKind.MESSAGE_UNDELIVERED
            )
    if message.poll_at is None and message.waits_for_receipt(uow.now):
        message.poll_at = uow.now + timedelta(seconds=uow.settings.receipt_poll_seconds)
    if message.request_id is not None:
        uow.changed_requests.add(message.request_id)
    await uow.session.flush()


async def record_provider_id(uow: UnitOfWork, message: Message, sid: str) -> None:
    """Take the provider's id for this message; a second one means that it went twice: raised."""
    if message.provider_sid in (None, sid):
        message.provider_sid = sid
        return
    query = select(SendAttempt).where(col(SendAttempt.message_id) == message.id)
    attempts = (await uow.session.exec(query.order_by(col(SendAttempt.number)))).all()
    if any(attempt.provider_sid == sid for attempt in attempts):
        return
    lost = next((one for one in attempts if one.status == MessageStatus.UNKNOWN), None)
    if lost is not None and lost.provider_sid is None:
        lost.provider_sid, lost.status = sid, MessageStatus.ACCEPTED
    message.possible_duplicate = True
    await raise_dropped_ball(
        uow, DroppedBallKind.SENT_TWICE, message_subject(message), "The provider took this message twice.",
        request_id=message.request_id,
    )  # fmt: skip


async def _record(
    uow: UnitOfWork, message: Message, attempt: SendAttempt, result: Accepted | SendError
) -> None:
    if isinstance(result, Accepted):
        if message.channel == Channel.SMS:
            await record_provider_id(uow, message, result.sid)
            message.segments = result.segments or message.segments
        attempt.status = MessageStatus.ACCEPTED
        attempt.provider_sid = result.sid
        await apply_status(uow, message, at_least_accepted(result.status), None)
        return
    attempt.error = str(result)[:400]
    if message.status != MessageStatus.SENDING or message.claim_token != attempt.claim_token:
        # A callback has spoken meanwhile, or another worker took over: theirs is the newer word.
        attempt.status = MessageStatus.UNKNOWN
        return
    if isinstance(result, Refused):
        attempt.status, attempt.error_code = MessageStatus.FAILED, str(result.code)
        await _refused(uow, message, result)
    elif isinstance(result, NotSent):
        attempt.status = MessageStatus.QUEUED
        _again(message, uow.now + _pause_before(message.attempts, result))
    else:
        attempt.status = message.status = MessageStatus.UNKNOWN
        message.reason = "We do not know yet whether this was sent."


async def _refused(uow: UnitOfWork, message: Message, refusal: Refused) -> None:
    """The provider said no at once, so it has nothing of ours: this very message may go again."""
    message.error_code = str(refusal.code)
    message.reason = refusal.reason
    if refusal.action == "pause_queue":
        # Our own account is at fault: nothing is failed for good.
        _again(message, uow.now + SENDER_PAUSE)
    elif _has_retry(message, refusal.verdict):
        _again(message, uow.now + RETRY_LATER)
    else:
        message.status = MessageStatus.FAILED
        await _take_to_heart(uow, message, refusal.verdict)
        await fall_back(uow, message)


async def _undelivered(uow: UnitOfWork, message: Message) -> None:
    """The provider had it and it did not arrive, as a receipt or its own word says.

    What is worth another try goes as a message of its own: late receipts about this one cannot
    touch it, and no status goes back.
    """
    code = message.error_code or ""
    verdict = twilio_codes.verdict(int(code)) if code.isdecimal() else twilio_codes.UNKNOWN
    if message.channel == Channel.SMS:
        message.reason = verdict.reason
        await _take_to_heart(uow, message, verdict)
        if _has_retry(message, verdict):
            uow.session.add(message.retry_copy(uow.now, RETRY_LATER))
            message.mark_handled(SYSTEM_ACTOR.name, uow.now)
            return
    await fall_back(uow, message)


async def _take_to_heart(uow: UnitOfWork, message: Message, verdict: FailureRule) -> None:
    """What a refusal says about the address itself."""
    if verdict.action == "opted_out":
        evidence = f"The carrier's code {message.error_code}"
        await withdraw_consent(
            uow, message.channel, message.to_address, ConsentSource.CARRIER, evidence=evidence
        )
    if verdict.action in ("bad_number", "bad_address"):
        await invalidate_address(uow, message.channel, message.to_address)


def _has_retry(message: Message, verdict: FailureRule) -> bool:
    if verdict.action != "retry_later" or message.kind == MessageKind.CODE:
        return False
    return verdict.retries is None or message.attempts <= verdict.retries


def _again(message: Message, due_at: datetime) -> None:
    message.status, message.claim_token, message.due_at = MessageStatus.QUEUED, None, due_at


def _pause_before(attempts: int, problem: NotSent) -> timedelta:
    """100 ms doubling to 30 s (Twilio's advice for 429); at once for what was only given up."""
    if isinstance(problem, ClaimExpired):
        return timedelta()
    doublings: int = min(max(attempts - 1, 0), 10)
    return min(FIRST_RETRY * (1 << doublings), LONGEST_RETRY)


async def _lock(uow: UnitOfWork, ids: Sequence[int]) -> dict[int, Message]:
    query = (
        select(Message).where(col(Message.id).in_(ids)).order_by(col(Message.id)).with_for_update()
    )
    return {saved_id(message): message for message in (await uow.session.exec(query)).all()}


async def _attempts(uow: UnitOfWork, tokens: Sequence[str]) -> dict[str, SendAttempt]:
    query = select(SendAttempt).where(col(SendAttempt.claim_token).in_(tokens))
    return {attempt.claim_token: attempt for attempt in (await uow.session.exec(query)).all()}


def at_least_accepted(status: MessageStatus) -> MessageStatus:
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
        poll_at=sa.bindparam("ask"),
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
