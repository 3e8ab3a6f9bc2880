"""Delivers messages: claims what is due, sends it, records the outcome; batch after batch.

No transaction is open while a provider is called. A claimed message is sent at once or given up.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from portal import business_time
from portal.database_errors import describe, is_database_away
from portal.messaging.send_errors import OutcomeUnknown, SendError
from portal.messaging.sms.twilio_client import Accepted
from portal.models import SYSTEM_ACTOR, DroppedBallKind
from portal.operations import Operations
from portal.operations.delivery.accepted import ClaimExpired, SendOutcome
from portal.operations.delivery.outcomes import record_outcomes
from portal.operations.delivery.provider_outage import record_probe
from portal.operations.dropped_balls.resolution import raise_dropped_ball
from workers.delivery.claim import ClaimResult, claim_due, due_parameters
from workers.delivery.due_messages import due_message_ids
from workers.delivery.gateways import Gateway
from workers.delivery.sending_limits import LimitNotice
from workers.delivery.stored_claims import OutgoingMessage
from workers.failing_rows import FailingRows

log = structlog.get_logger()

BATCH = 100
"""Messages claimed and recorded at a time, so that no connection waits for one."""
CLAIM_SECONDS = 10.0
"""Seconds after the claim within which sending begins; later another worker may claim it."""


@dataclass(frozen=True)
class ClaimedMessage:
    """A claimed message, and when (monotonic seconds) it was claimed."""

    message: OutgoingMessage
    claimed_at_monotonic: float

    def check_claim(self) -> None:
        """A worker that was delayed past its claim must not send what another may have claimed."""
        if time.monotonic() - self.claimed_at_monotonic > CLAIM_SECONDS:
            raise ClaimExpired("The claim was too old by the time it could be sent.")


class ChannelSender:
    """Sends the due messages of one channel, as many at once as its gateway allows.

    Each gateway has a sender of its own: a slow carrier delays no mail.
    """

    def __init__(self, operations: Operations, gateway: Gateway) -> None:
        self._operations = operations
        self._gateway = gateway
        self._failing_rows = FailingRows(operations)
        self._woken = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()
        self._outcomes: list[SendOutcome] = []
        self._recorder: asyncio.Task[None] | None = None
        self._not_before = 0.0

    def wake(self) -> None:
        """Look for due messages now rather than at the next sweep."""
        self._woken.set()

    async def run(self, ending: asyncio.Event) -> None:
        """Deliver until ``ending`` is set; a batch that has been begun is claimed to its end."""
        while not ending.is_set():
            self._woken.clear()
            try:
                more = await self._deliver_batch()
            except Exception as error:
                is_away = is_database_away(error)
                log.warning(
                    "the outbox cannot be read; trying again",
                    reason=describe(error) if is_away else type(error).__name__,
                    exc_info=None if is_away else error,
                )
                more = False
                await asyncio.sleep(1)
            if not more:
                await self._rest(ending)

    async def once(self, within: float) -> None:
        """Deliver one batch of due messages, within ``within`` seconds."""
        if await self._deliver_batch():
            await self.finish(within)

    async def finish(self, within: float) -> None:
        """Finish and record what is being sent, then give up what does not end.

        What does not end is recorded as unknown, never as unsent.
        """
        if self._under_way:
            _, late = await asyncio.wait(self._under_way, timeout=within)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._recorder is not None:
            await asyncio.wait({self._recorder}, timeout=within)

    async def _rest(self, ending: asyncio.Event) -> None:
        """Wait until something is due, at most until the next sweep, or until there is capacity."""
        longest, event = self._operations.settings.sweep_seconds, self._woken
        pause = self._not_before - time.monotonic()
        if pause > 0:
            longest, event = min(pause, longest), ending
        if not ending.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(longest):
                    await event.wait()

    async def _deliver_batch(self) -> bool:
        """Send the next batch; False when there is nothing to do until woken.

        While all connections are busy nothing is claimed: a full batch takes as long as one message.
        """
        if (
            len(self._under_way) > self._gateway.max_concurrent
            or time.monotonic() < self._not_before
        ):
            return False
        claim = await self._claim()
        if claim.notices:
            await self._raise_dropped_balls(claim.notices)
        if claim.needs_probe:
            return await self._probe()
        return claim.more

    async def _claim(self) -> ClaimResult:
        """Claim what is due and begin to send it."""
        now = business_time.now()
        try:
            claim = await self._claim_and_send(now)
        except Exception as error:
            if is_database_away(error):
                raise
            claim = await self._claim_each(now)
        if claim.not_before is not None:
            self._not_before = time.monotonic() + (claim.not_before - now).total_seconds()
        return claim

    async def _claim_and_send(self, now: datetime, only: int | None = None) -> ClaimResult:
        """Claim messages in one transaction, and begin to send them once it is committed."""
        claimed_at = time.monotonic()
        claim = await self._claim_due(now, only)
        for message in claim.messages:
            task = asyncio.create_task(self._deliver(ClaimedMessage(message, claimed_at)))
            self._under_way.add(task)
            task.add_done_callback(self._finished)
        return claim

    async def _claim_due(self, now: datetime, only: int | None = None) -> ClaimResult:
        async with self._operations.database.transaction() as session:
            return await claim_due(
                session,
                self._operations.settings,
                now,
                channel=self._gateway.channel,
                sender=self._gateway.sender,
                most=min(BATCH, self._gateway.max_concurrent),
                only=only,
            )

    async def _claim_each(self, now: datetime) -> ClaimResult:
        """Claim each due message by itself; one that cannot be claimed is left to a person.

        What is claimed is sent at once, so none is lost where the database goes away half way.
        """
        most = min(BATCH, self._gateway.max_concurrent)
        parameters = due_parameters(now, self._gateway.channel, most)
        async with self._operations.database.transaction() as session:
            connection = await session.connection()
            due = (await connection.execute(due_message_ids(), parameters)).scalars().all()
        notices: list[LimitNotice] = []
        for message_id in due:
            try:
                # Each at its own time: a hundred commits may take longer than a claim is valid.
                claim = await self._claim_and_send(business_time.now(), only=message_id)
            except Exception as error:  # noqa: BLE001 (a row may hold anything)
                if is_database_away(error):
                    log.warning("the other messages wait for the database", reason=describe(error))
                    return ClaimResult(notices=notices)
                await self._failing_rows.set_message_aside(message_id, error)
                continue
            notices += claim.notices
            if claim.not_before is not None or claim.needs_probe:
                return replace(claim, notices=notices)
        return ClaimResult(notices=notices, more=bool(due))

    async def _probe(self) -> bool:
        """Ask the provider whether it has recovered; True where it has."""
        problem: SendError | None = None
        try:
            await self._gateway.probe()
        except SendError as error:
            problem = error
        async with self._operations.begin(SYSTEM_ACTOR) as uow:
            await record_probe(uow, self._gateway.sender, self._gateway.channel, problem)
        return problem is None

    async def _raise_dropped_balls(self, notices: Sequence[LimitNotice]) -> None:
        async with self._operations.begin(SYSTEM_ACTOR) as uow:
            for notice in notices:
                await raise_dropped_ball(
                    uow,
                    DroppedBallKind.SENDING_LIMIT,
                    notice.subject,
                    notice.detail,
                    request_id=notice.request_id,
                )

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self.wake()  # A connection is free.

    async def _deliver(self, claimed: ClaimedMessage) -> None:
        message = claimed.message
        try:
            result: Accepted | SendError = await self._gateway.send(message, claimed.check_claim)
        except SendError as problem:
            result = problem
        except asyncio.CancelledError:
            result = OutcomeUnknown("The worker had to stop while it was being sent.")
        except Exception as error:  # One failing message must not stop the others.
            log.exception("a message could not be sent", message=message.id)
            result = OutcomeUnknown(f"An unexpected error: {type(error).__name__}")
        self._record(SendOutcome(message.id, message.claim_token, result))

    def _record(self, outcome: SendOutcome) -> None:
        self._outcomes.append(outcome)
        if self._recorder is None or self._recorder.done():
            self._recorder = asyncio.create_task(self._record_all())

    async def _record_all(self) -> None:
        """Record outcomes, all waiting ones in one transaction, until there are no more."""
        while self._outcomes:
            batch, self._outcomes = self._outcomes[:BATCH], self._outcomes[BATCH:]
            try:
                await self._record_batch(batch)
            except Exception as error:
                if is_database_away(error):
                    log.warning("outcomes wait for the database", reason=describe(error))
                    self._outcomes[:0] = batch
                    await asyncio.sleep(1)
                elif len(batch) == 1:
                    # Its outcome is looked up at the provider.
                    log.exception("an outcome cannot be recorded", message=batch[0].message_id)
                else:
                    await self._record_each(batch)

    async def _record_batch(self, batch: Sequence[SendOutcome]) -> None:
        async with self._operations.begin(SYSTEM_ACTOR) as uow:
            await record_outcomes(uow, batch, self._gateway.sender)
        self.wake()  # The next text to the same person may be sent now.

    async def _record_each(self, batch: Sequence[SendOutcome]) -> None:
        """Record each outcome by itself: one that cannot be recorded is looked up at the provider."""
        for outcome in batch:
            try:
                await self._record_batch([outcome])
            except Exception as error:
                if is_database_away(error):
                    self._outcomes.append(outcome)
                else:
                    log.exception("an outcome cannot be recorded", message=outcome.message_id)
