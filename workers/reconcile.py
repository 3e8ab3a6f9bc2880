"""Settles messages with an unknown outcome by asking the provider, never by sending again.

A claim that was never closed (a worker was killed) has an unknown outcome too. What the provider
does not know after two checks was not sent: a milestone is sent once more, marked as a possible
duplicate; a message that would confuse when repeated waits for a person. Receipts settle most
before the first check.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlmodel import col, select

from portal import business_time
from portal.database_errors import is_database_away
from portal.messaging.code_masking import reveal_code
from portal.messaging.send_errors import SendError
from portal.messaging.sms.sender_address import read_sender, read_transport
from portal.messaging.sms.twilio_client import TwilioMessage
from portal.messaging.wording.delivery_reasons import message_reason
from portal.models import (
    SYSTEM_ACTOR,
    Channel,
    DeliveryReason,
    DroppedBallKind,
    Message,
    MessageKind,
    MessageStatus,
    SendAttempt,
    Transport,
)
from portal.operations import Operations, UnitOfWork
from portal.operations.delivery.outcomes import apply_status, record_provider_id
from portal.operations.dropped_balls.resolution import message_subject, raise_dropped_ball
from workers.delivery.gateways import Gateways
from workers.failing_rows import FailingRows

log = structlog.get_logger()

CLAIM_LOST_AFTER = timedelta(seconds=21)
"""A claim this old has nobody behind it: sending must begin within 10 s and end within 10 more."""
FIRST_CHECK_AFTER = timedelta(seconds=5)
CLOCK_MARGIN = timedelta(seconds=5)
"""The provider's clock is not ours, and it counts whole seconds."""
BATCH_SIZE = 500

LOOKED_UP = ("id", "channel", "to_address", "claimed_at")
"""The columns that a look-up needs; the others of a message may be unreadable."""

RESENDABLE_KINDS = frozenset({MessageKind.MILESTONE, MessageKind.LINK, MessageKind.NOTICE})
"""Kinds that do no harm when they come twice."""


class Reconciler:
    """Reconciles messages that may have been sent."""

    def __init__(self, operations: Operations, gateways: Gateways) -> None:
        self._operations = operations
        self._gateways = gateways
        self._failing_rows = FailingRows(operations)
        self._is_answered = True

    async def once(self) -> None:
        """Mark lost claims as unknown, then check all unknown messages that are due."""
        now = business_time.now()
        await self._mark_lost(now)
        doubtful = await self._doubtful(now)
        if not doubtful:
            return
        try:
            known = await self._listing(doubtful, now)
        except SendError as problem:
            if self._is_answered:  # One line for an outage, however long it is.
                log.warning("the provider could not be asked", error=problem.summary)
            self._is_answered = False
            return
        self._is_answered = True
        ids = sorted(row.id for row in doubtful)
        try:
            await self._settle_all(ids, known)
        except Exception as error:
            if is_database_away(error):
                raise
            for message_id in ids:
                try:
                    await self._settle_all([message_id], known)
                except Exception as failure:  # noqa: BLE001 (a row may hold anything)
                    await self._failing_rows.set_message_aside(message_id, failure)

    async def _settle_all(self, ids: Sequence[int], known: Sequence[TwilioMessage]) -> None:
        async with self._operations.begin(SYSTEM_ACTOR) as uow:
            for message_id in ids:
                await self._settle(uow, message_id, known)

    async def _mark_lost(self, now: datetime) -> None:
        async with self._operations.database.transaction() as session:
            await session.exec(
                sa.update(Message)
                .where(
                    col(Message.status) == MessageStatus.SENDING,
                    col(Message.claimed_at) < now - CLAIM_LOST_AFTER,
                )
                .values(
                    status=MessageStatus.UNKNOWN,
                    reason=DeliveryReason.WORKER_STOPPED,
                )
            )

    async def _doubtful(self, now: datetime) -> Sequence[Any]:
        again = timedelta(seconds=self._operations.settings.reconcile_seconds)
        first = min(FIRST_CHECK_AFTER, again)
        query = (
            sa.select(*(getattr(Message, name) for name in LOOKED_UP))
            .where(
                col(Message.status) == MessageStatus.UNKNOWN,
                sa.or_(
                    sa.and_(
                        col(Message.reconciled_at).is_(None), col(Message.claimed_at) < now - first
                    ),
                    col(Message.reconciled_at) < now - again,
                ),
            )
            .order_by(col(Message.id))
            .limit(BATCH_SIZE)
        )
        async with self._operations.database.reading() as session:
            return (await (await session.connection()).execute(query)).all()

    async def _listing(self, doubtful: Sequence[Any], now: datetime) -> list[TwilioMessage]:
        """One listing serves all texts; there is none for mail."""
        texts = [message for message in doubtful if message.channel == Channel.SMS]
        if not texts or self._gateways.texts is None:
            return []
        since = min(message.claimed_at or now for message in texts) - CLOCK_MARGIN
        recipients = {message.to_address for message in texts}
        gateway = self._gateways.texts.gateway
        # A messaging service may have sent to "whatsapp:..." or "rcs:...", which Twilio lists apart.
        is_listed = len(recipients) == 1 and not gateway.sends_by_service
        to = recipients.pop() if is_listed else None
        return await gateway.find_sent(to, since, now + CLOCK_MARGIN)

    async def _settle(
        self, uow: UnitOfWork, message_id: int, known: Sequence[TwilioMessage]
    ) -> None:
        query = select(Message).where(col(Message.id) == message_id).with_for_update()
        message = (await uow.session.exec(query)).one()
        if message.status != MessageStatus.UNKNOWN:
            return  # A callback was quicker.
        found = await self._match(uow, message, known)
        if found is not None:
            await record_provider_id(uow, message, found.sid)
            await apply_status(uow, message, found.status, found.code)
        elif message.reconciled_at is None:
            message.reconciled_at = uow.now
        else:
            await self._decide(uow, message)
        if message.request_id is not None:
            uow.changed_requests.add(message.request_id)
        await uow.session.flush()

    async def _match(
        self, uow: UnitOfWork, message: Message, known: Sequence[TwilioMessage]
    ) -> TwilioMessage | None:
        """The provider's record of this text: same number, same body, not before the claim.

        Of a template Twilio has its own words; one text at a time goes to a number, so the first
        by WhatsApp since the claim is this one.
        """
        since = (message.claimed_at or uow.now) - CLOCK_MARGIN
        words = reveal_code(self._operations.settings, message.kind, message.cause, message.body)
        for text in known:
            is_same = text.body == words
            if message.template_sid:
                is_same = read_transport(text.to) == Transport.WHATSAPP
            fits = read_sender(text.to) == message.to_address and is_same
            if not fits or (text.created_at is not None and text.created_at < since):
                continue
            taken = [
                select(Message.id).where(col(Message.provider_sid) == text.sid),
                select(SendAttempt.id).where(col(SendAttempt.provider_sid) == text.sid),
            ]
            if not any([(await uow.session.exec(item)).first() for item in taken]):
                return text
        return None

    async def _decide(self, uow: UnitOfWork, message: Message) -> None:
        """Two checks found nothing."""
        if message.kind in RESENDABLE_KINDS and not message.possible_duplicate:
            message.possible_duplicate = True
            message.status, message.claim_token = MessageStatus.QUEUED, None
            message.due_at = uow.now
            message.reason = DeliveryReason.SENT_AGAIN
            uow.outbox.written.append(message)
            return
        if message.kind == MessageKind.CODE:
            message.status = MessageStatus.FAILED  # The customer asks for another code.
            message.mark_handled(SYSTEM_ACTOR.name, uow.now)
            return
        message.status = MessageStatus.REVIEW
        if message.kind == MessageKind.NOTICE:
            # The desk shows what it is about; a ball about it would only make another mail.
            message.reason = DeliveryReason.NEVER_KNOWN
            message.mark_handled(SYSTEM_ACTOR.name, uow.now)
            return
        message.reason = DeliveryReason.ASK_CUSTOMER
        await raise_dropped_ball(
            uow, DroppedBallKind.OUTCOME_UNKNOWN, message_subject(message), message_reason(message),
            request_id=message.request_id,
        )  # fmt: skip
