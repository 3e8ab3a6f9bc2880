"""Delivering: claim what is due, hand it over, record what became of it; one batch after another.

No transaction is open while a provider is called. What is claimed is sent at once or given up.
"""

import asyncio
import time
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError

from portal import clock
from portal.messaging.outcomes import NotSent, OutcomeUnknown, Refused, SendProblem
from portal.messaging.sms import Accepted
from portal.models import KEPT, Channel, Message, MessageStatus
from portal.relay import Relay
from portal.relay.delivering import GivenUp, Outcome, record_outcomes
from workers.claim import Claimed, claim_due
from workers.doors import CONNECTIONS, Doors
from workers.letters import write_letter

log = structlog.get_logger()

BATCH = 100
"""Taken and recorded at a time. So many are claimed ahead, so that no connection waits for one."""
CLAIM_HOLDS = 10.0
"""Seconds after the claim in which sending must begin; later, another may have taken it over."""
PAUSE = 60.0
"""Seconds that the queue rests when the provider does not accept us at all."""


@dataclass(frozen=True)
class Parcel:
    """A claimed message, and when (monotonic seconds) it was claimed."""

    message: Claimed
    claimed: float


class Courier:
    """Sends what the outbox holds, as many at once as there are connections."""

    def __init__(self, relay: Relay, doors: Doors) -> None:
        self._relay = relay
        self._doors = doors
        self._woken = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()
        self._outcomes: list[Outcome] = []
        self._recorder: asyncio.Task[None] | None = None
        self._rests_until = 0.0
        self._allowance = 1.0
        self._counted_at = time.monotonic()

    def wake(self) -> None:
        """Something is due: look now rather than at the next sweep."""
        self._woken.set()

    async def run(self) -> None:
        """Deliver for ever."""
        while True:
            self._woken.clear()
            try:
                more = await self._deliver_batch()
            except (SQLAlchemyError, OSError) as error:
                log.warning("the outbox cannot be read; trying again", error=type(error).__name__)
                more = False
                await asyncio.sleep(1)
            if not more:
                await self._rest()

    async def finish(self, within: float) -> None:
        """Let what is under way come to its end, and record it; then give up what has none.

        What could not end is recorded as unknown: never as unsent.
        """
        if self._under_way:
            _, late = await asyncio.wait(self._under_way, timeout=within)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._recorder is not None:
            await asyncio.wait({self._recorder}, timeout=within)

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(self._relay.settings.sweep_every):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _deliver_batch(self) -> bool:
        """Take the next batch on its way; False when there is nothing to do until we are woken.

        While all connections are busy nothing is claimed: a full batch costs no more than one.
        """
        room = min(BATCH, self._allowed())
        if len(self._under_way) > CONNECTIONS or room <= 0:
            return False
        if time.monotonic() < self._rests_until or not self._doors.channels:
            return False
        claimed_at = time.monotonic()
        async with self._relay.database.transaction() as session:
            claimed = await claim_due(
                session,
                self._relay.settings,
                clock.now(),
                channels=self._doors.channels,
                most=room,
            )
        self._allowance -= len(claimed)
        for message in claimed:
            task = asyncio.create_task(self._deliver(Parcel(message, claimed_at)))
            self._under_way.add(task)
            task.add_done_callback(self._landed)
        return bool(claimed)

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self.wake()  # A connection is free.

    def _allowed(self) -> int:
        """How many the provider's rate lets go now; no limit until a setting names one."""
        rate = self._relay.settings.provider_rate
        now = time.monotonic()
        if rate is None:
            self._allowance = float(BATCH)
        else:
            grown = self._allowance + (now - self._counted_at) * rate
            self._allowance = min(grown, max(1.0, rate))
        self._counted_at = now
        return int(self._allowance)

    async def _deliver(self, parcel: Parcel) -> None:
        message = parcel.message
        try:
            result: Accepted | SendProblem = await self._send(parcel)
        except SendProblem as problem:
            result = problem
        except asyncio.CancelledError:
            result = OutcomeUnknown("The worker had to stop while it was being sent.")
        except Exception as error:  # One bad message must not stop the others.
            log.exception("a message could not be handed over", message=message.id)
            result = OutcomeUnknown(f"An unexpected error: {type(error).__name__}")
        if isinstance(result, Refused) and result.action == "pause_queue":
            self._rests_until = time.monotonic() + PAUSE
            log.error("the provider does not accept us; the queue rests", code=result.code)
        self._record(Outcome(message.id, message.claim_token, result))

    async def _send(self, parcel: Parcel) -> Accepted:
        message = parcel.message
        if message.channel == Channel.EMAIL:
            async with self._relay.database.reading() as session:
                written = await session.get_one(Message, message.id)
                letter = await write_letter(session, self._relay.settings, written)
            self._must_be_ours(parcel)
            if self._doors.mail is None:
                raise NotSent("There is no mail server.")
            await self._doors.mail.send(letter)
            return Accepted(message.provider_sid or "", MessageStatus.SENT, 0)
        if self._doors.sms is None:
            raise NotSent("There is no carrier.")
        self._must_be_ours(parcel)
        callback = f"{self._relay.settings.public_url}/hooks/twilio/status?m={message.id}"
        return await self._doors.sms.send(message.to_address, message.body, callback)

    def _must_be_ours(self, parcel: Parcel) -> None:
        """Frozen or starved past its claim, a worker must not send what another may have taken."""
        if time.monotonic() - parcel.claimed > CLAIM_HOLDS:
            raise GivenUp("The claim was too old by the time it could be sent.")

    def _record(self, outcome: Outcome) -> None:
        self._outcomes.append(outcome)
        if self._recorder is None or self._recorder.done():
            self._recorder = asyncio.create_task(self._record_all())

    async def _record_all(self) -> None:
        """Write outcomes down, all that have come in one transaction, until there are no more."""
        while self._outcomes:
            batch, self._outcomes = self._outcomes[:BATCH], self._outcomes[BATCH:]
            try:
                async with self._relay.turn(KEPT) as turn:
                    await record_outcomes(turn, batch)
                self.wake()  # The same person's next text may go now.
            except (SQLAlchemyError, OSError) as error:
                log.warning("outcomes wait for the database", error=type(error).__name__)
                self._outcomes[:0] = batch
                await asyncio.sleep(1)
