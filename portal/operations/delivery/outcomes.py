"""The outcomes of sending, receipts, and what follows from a failure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from sqlmodel import col, select

from portal.messaging.push import PUSH_ID_PREFIX
from portal.messaging.send_errors import FailureRule, NotSent, Refused, SendError
from portal.messaging.sms import twilio_codes
from portal.messaging.sms.twilio_client import Accepted
from portal.models import (
    FAILED_STATUSES,
    SYSTEM_ACTOR,
    Channel,
    ConsentSource,
    DeliveryReason,
    DroppedBallKind,
    Message,
    MessageKind,
    MessageStatus,
    SendAttempt,
    Transport,
)
from portal.models.columns import saved_id
from portal.operations.conversation.consent import withdraw_consent
from portal.operations.delivery.accepted import (
    ClaimExpired,
    SendOutcome,
    at_least_accepted,
    record_accepted,
)
from portal.operations.delivery.channel_fallback import fall_back, invalidate_address, send_by_sms
from portal.operations.delivery.provider_outage import SENDER_PAUSE, update_sender
from portal.operations.dropped_balls.resolution import (
    message_subject,
    raise_dropped_ball,
    resolve_dropped_balls,
)
from portal.operations.unit_of_work import UnitOfWork

log = structlog.get_logger()

FIRST_RETRY = timedelta(milliseconds=100)
LONGEST_RETRY = timedelta(seconds=30)
RETRY_LATER = timedelta(minutes=10)
NO_CODE = 0
"""No error code of Twilio's."""


async def record_outcomes(uow: UnitOfWork, outcomes: Sequence[SendOutcome], sender: str) -> None:
    """Write each outcome to its message and its attempt; another worker's claim stays as it is.

    ``sender`` is the name of the Sender: segments that surely were not sent are not counted in
    its month, and it is paused where the provider refuses the sender itself.
    """
    special = await record_accepted(uow, outcomes)
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
    await update_sender(uow, sender, [outcome.result for outcome in outcomes], unsent)


async def record_receipt(
    uow: UnitOfWork, message_id: int, sid: str, status: MessageStatus, error_code: str | None
) -> None:
    """Record what the provider reports of the message with our id ``message_id``.

    A repeated or late receipt changes nothing; a status never goes back, and a delivered message
    stays delivered. The caller has made sure that ``sid`` is no other message's.
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
    """Apply the provider's status to a message, with all that follows from it.

    ``is_confirmed``: the provider was asked, so "delivered" overrides a failure. A failure that is
    reported after the delivery is logged and changes nothing.
    """
    if message.status == MessageStatus.DELIVERED and status in FAILED_STATUSES:
        log.info(
            "a failure was reported after the delivery",
            message=message.id, status=status.value, code=error_code,
        )  # fmt: skip
        return
    if message.apply_status(status, uow.now, error_code, is_confirmed=is_confirmed):
        if status in FAILED_STATUSES:
            await _undelivered(uow, message)
        else:
            message.reason = None
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
    """Store the provider's id of this message; a second id raises a ball: it was sent twice."""
    if message.provider_sid in (None, sid):
        message.provider_sid = sid
        return
    query = select(SendAttempt).where(col(SendAttempt.message_id) == message.id)
    attempts = (await uow.session.exec(query.order_by(col(SendAttempt.number)))).all()
    if any(attempt.provider_sid == sid for attempt in attempts):
        return
    lost = next((item for item in attempts if item.status == MessageStatus.UNKNOWN), None)
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
            is_notification = result.sid.startswith(PUSH_ID_PREFIX)
            message.segments = 0 if is_notification else result.segments or message.segments
            if is_notification:
                message.transport, message.template_sid = None, ""
        attempt.status = MessageStatus.ACCEPTED
        attempt.provider_sid = result.sid
        await apply_status(uow, message, at_least_accepted(result.status), None)
        return
    attempt.error = str(result)[:400]
    if message.status != MessageStatus.SENDING or message.claim_token != attempt.claim_token:
        # A receipt has come meanwhile, or another worker has claimed it: theirs is newer.
        attempt.status = MessageStatus.UNKNOWN
        return
    if isinstance(result, Refused):
        attempt.status, attempt.error_code = MessageStatus.FAILED, str(result.code)
        attempt.reason = result.reason
        await _refused(uow, message, result)
    elif isinstance(result, NotSent):
        attempt.status = MessageStatus.QUEUED
        _requeue(message, uow.now + _retry_delay(message.attempts, result))
    else:
        attempt.status = message.status = MessageStatus.UNKNOWN
        message.reason = DeliveryReason.OUTCOME_UNKNOWN


async def _refused(uow: UnitOfWork, message: Message, refusal: Refused) -> None:
    """The provider refused the message at once: it has none of it, and the message may go again."""
    message.error_code = str(refusal.code)
    message.reason = refusal.reason
    if refusal.action == "by_sms" and message.transport == Transport.WHATSAPP:
        message.status = MessageStatus.FAILED
        send_by_sms(uow, message)
    elif refusal.action == "pause_queue":
        # Our own account is at fault: no message fails.
        _requeue(message, uow.now + SENDER_PAUSE)
    elif _has_retry(message, refusal.verdict):
        _requeue(message, uow.now + RETRY_LATER)
    else:
        message.status = MessageStatus.FAILED
        await _apply_rule(uow, message, refusal.verdict)
        await fall_back(uow, message)


async def _undelivered(uow: UnitOfWork, message: Message) -> None:
    """The provider had the message and did not deliver it.

    Where another attempt is worthwhile a copy is sent, which late receipts of this one cannot
    change.
    """
    code = message.error_code or ""
    verdict = twilio_codes.transport_verdict(
        int(code) if code.isdecimal() else NO_CODE, message.transport
    )
    if message.channel == Channel.SMS:
        message.reason = verdict.reason
        is_settled = message.handled_at is not None  # A person has seen to it meanwhile.
        is_refused = verdict.action == "by_sms" and message.transport == Transport.WHATSAPP
        if is_refused and not is_settled:
            send_by_sms(uow, message)
            return
        await _apply_rule(uow, message, verdict)
        if _has_retry(message, verdict) and not is_settled:
            uow.session.add(message.retry_copy(uow.now, RETRY_LATER))
            message.mark_handled(SYSTEM_ACTOR.name, uow.now)
            return
    await fall_back(uow, message)


async def _apply_rule(uow: UnitOfWork, message: Message, verdict: FailureRule) -> None:
    """Withdraw the consent or retire the address, as the rule says."""
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


def _requeue(message: Message, due_at: datetime) -> None:
    message.status, message.claim_token, message.due_at = MessageStatus.QUEUED, None, due_at


def _retry_delay(attempts: int, problem: NotSent) -> timedelta:
    """100 ms doubling to 30 s (Twilio's advice for HTTP 429); none where only the claim expired."""
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
