"""What became of our messages: outcomes of sending, receipts, and what follows from failure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select

from portal.messaging.send_errors import NotSent, Refused, SendProblem, Verdict
from portal.messaging.sms import twilio_codes
from portal.messaging.sms.twilio_client import Accepted
from portal.models import (
    KEPT,
    BallKind,
    Channel,
    ConsentSource,
    Message,
    MessageKind,
    MessageStatus,
    SendAttempt,
    Sender,
)
from portal.operations.conversation.consent import withdraw
from portal.operations.delivery.channel_fallback import fall_back, retire
from portal.operations.dropped_balls.resolution import about, raise_ball, resolve_balls
from portal.operations.unit_of_work import Turn

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


async def record_outcomes(turn: Turn, outcomes: Sequence[Outcome], sender: str) -> None:
    """Write each outcome to its message and its attempt; a stranger's claim is left alone.

    ``sender`` is the name of the Sender by which they went: what surely was not sent is not
    counted in its month, and a refusal of the sender itself lets it rest.
    """
    special = await _record_accepted(turn, outcomes)
    messages = await _lock(turn, [outcome.message_id for outcome in special])
    attempts = await _attempts(turn, [outcome.claim_token for outcome in special])
    unsent = 0
    for outcome in special:
        message, attempt = messages[outcome.message_id], attempts[outcome.claim_token]
        attempt.finished_at = turn.now
        await _record(turn, message, attempt, outcome.result)
        if isinstance(outcome.result, NotSent | Refused):
            unsent += message.segments
        if message.request_id is not None:
            turn.nudged.add(message.request_id)
    await turn.session.flush()
    await _tell_sender(turn, sender, [outcome.result for outcome in outcomes], unsent)


async def _tell_sender(
    turn: Turn, name: str, results: Sequence[Accepted | SendProblem], unsent: int
) -> None:
    """Let our sender rest when the provider refuses it, and wake it when it is accepted again.

    The one alert is about the sender: its messages all wait, and none is failed.
    """
    refused = [one for one in results if isinstance(one, Refused) and one.action == "pause_queue"]
    sender = await turn.session.get(Sender, name, with_for_update=bool(unsent or refused) or None)
    if sender is None:
        return
    if unsent:
        sender.spend(turn.now, -unsent)
    # During the rest nothing is handed over: an acceptance then is of what went before it.
    has_rested = bool(sender.rest_reason) and not sender.is_resting(turn.now)
    if refused:
        await _rest(turn, sender, refused[0].reason)
    elif has_rested and any(isinstance(one, Accepted) for one in results):
        sender.wake()
        await resolve_balls(turn, sender.subject, BallKind.SENDING_PAUSED)


async def _rest(turn: Turn, sender: Sender, reason: str) -> None:
    sender.rest(turn.now + PAUSE, reason)
    detail = f"{reason} Messages wait until this is put right; none is lost."
    await raise_ball(turn, BallKind.SENDING_PAUSED, sender.subject, detail)


async def _record_accepted(turn: Turn, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Write down the ordinary ones by rows; give back those that want a closer look.

    Ordinary is what was accepted, and of which nothing has been heard meanwhile.
    """
    connection = await turn.session.connection()
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
    ask_at = turn.now + timedelta(seconds=turn.settings.poll_after)
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
             "counted": result.segments, "message": row.id,
             "ask": ask_at if row.channel == Channel.SMS else None}
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
    message = (await _lock(turn, [message_id])).get(message_id)
    if message is None:
        return
    await adopt(turn, message, sid)
    await learn(turn, message, status, error_code)


async def learn(
    turn: Turn,
    message: Message,
    status: MessageStatus,
    error_code: str | None,
    *,
    for_certain: bool = False,
) -> None:
    """What the provider says of a message, and all that follows from it.

    ``for_certain``: it was asked, so its word stands even against another last word.
    """
    if message.hear(status, turn.now, error_code, for_certain=for_certain):
        if status in (MessageStatus.UNDELIVERED, MessageStatus.FAILED):
            await _undelivered(turn, message)
        else:
            message.reason = ""
            await resolve_balls(turn, about(message), BallKind.OUTCOME_UNKNOWN)
        if status == MessageStatus.DELIVERED:
            await resolve_balls(turn, about(message), BallKind.MESSAGE_UNDELIVERED)
    if message.ask_at is None and message.waits_for_receipt(turn.now):
        message.ask_at = turn.now + timedelta(seconds=turn.settings.poll_after)
    if message.request_id is not None:
        turn.nudged.add(message.request_id)
    await turn.session.flush()


async def adopt(turn: Turn, message: Message, sid: str) -> None:
    """Take the provider's id for this message; a second one means that it went twice: raised."""
    if message.provider_sid in (None, sid):
        message.provider_sid = sid
        return
    query = select(SendAttempt).where(col(SendAttempt.message_id) == message.id)
    attempts = (await turn.session.exec(query.order_by(col(SendAttempt.number)))).all()
    if any(attempt.provider_sid == sid for attempt in attempts):
        return
    lost = next((one for one in attempts if one.status == MessageStatus.UNKNOWN), None)
    if lost is not None and lost.provider_sid is None:
        lost.provider_sid, lost.status = sid, MessageStatus.ACCEPTED
    message.possible_duplicate = True
    await raise_ball(
        turn, BallKind.SENT_TWICE, about(message), "The provider took this message twice.",
        request_id=message.request_id,
    )  # fmt: skip


async def _record(
    turn: Turn, message: Message, attempt: SendAttempt, result: Accepted | SendProblem
) -> None:
    if isinstance(result, Accepted):
        if message.channel == Channel.SMS:
            await adopt(turn, message, result.sid)
            message.segments = result.segments or message.segments
        attempt.status = MessageStatus.ACCEPTED
        attempt.provider_sid = result.sid
        await learn(turn, message, max_status(result.status), None)
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
    """The provider said no at once, so it has nothing of ours: this very message may go again."""
    message.error_code = str(refusal.code)
    message.reason = refusal.reason
    if refusal.action == "pause_queue":
        # Our own account is at fault: nothing is failed for good.
        _again(message, turn.now + PAUSE)
    elif _has_retry(message, refusal.verdict):
        _again(message, turn.now + RETRY_LATER)
    else:
        message.status = MessageStatus.FAILED
        await _take_to_heart(turn, message, refusal.verdict)
        await fall_back(turn, message)


async def _undelivered(turn: Turn, message: Message) -> None:
    """The provider had it and it did not arrive, as a receipt or its own word says.

    What is worth another try goes as a message of its own: late receipts about this one cannot
    touch it, and no status goes back.
    """
    code = message.error_code or ""
    verdict = twilio_codes.verdict(int(code)) if code.isdecimal() else twilio_codes.UNKNOWN
    if message.channel == Channel.SMS:
        message.reason = verdict.reason
        await _take_to_heart(turn, message, verdict)
        if _has_retry(message, verdict):
            turn.session.add(message.once_more(turn.now, RETRY_LATER))
            message.settle(KEPT.name, turn.now)
            return
    await fall_back(turn, message)


async def _take_to_heart(turn: Turn, message: Message, verdict: Verdict) -> None:
    """What a refusal says about the address itself."""
    if verdict.action == "opted_out":
        evidence = f"The carrier's code {message.error_code}"
        await withdraw(
            turn, message.channel, message.to_address, ConsentSource.CARRIER, evidence=evidence
        )
    if verdict.action in ("bad_number", "bad_address"):
        await retire(turn, message.channel, message.to_address)


def _has_retry(message: Message, verdict: Verdict) -> bool:
    if verdict.action != "retry_later" or message.kind == MessageKind.CODE:
        return False
    return verdict.retries is None or message.attempts <= verdict.retries


def _again(message: Message, due_at: datetime) -> None:
    message.status, message.claim_token, message.due_at = MessageStatus.QUEUED, None, due_at


def _pause_before(attempts: int, problem: NotSent) -> timedelta:
    """100 ms doubling to 30 s (Twilio's advice for 429); at once for what was only given up."""
    if isinstance(problem, GivenUp):
        return timedelta()
    doublings: int = min(max(attempts - 1, 0), 10)
    return min(FIRST_RETRY * (1 << doublings), LONGEST_RETRY)


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
        ask_at=sa.bindparam("ask"),
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
