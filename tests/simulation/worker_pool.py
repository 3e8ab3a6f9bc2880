"""The workers: every duty as in production, in rounds; some are killed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import sqlalchemy as sa
from sqlmodel import col

from portal.messaging.email.smtp import SmtpClient
from portal.messaging.sms.twilio_client import TwilioClient
from portal.models import Channel, FollowUp, ServiceRequest
from tests.simulation.faults import Fault, WorkerKilled
from tests.simulation.next_event import Duty
from workers.delivery.claim import claim_due
from workers.delivery.deliver import ChannelSender
from workers.delivery.gateways import Gateway, Gateways, SmsGateway, SmtpGateway
from workers.detect_dropped_balls import DroppedBallDetector
from workers.measure_durations import DurationMeasurer
from workers.poll_receipts import ReceiptPoller
from workers.reconcile import Reconciler
from workers.sweep import Sweep

if TYPE_CHECKING:
    from tests.simulation.event_loop import Simulation

SEND_TIMEOUT = 30.0
CHANNELS = {Duty.TEXTS: Channel.SMS, Duty.MAILS: Channel.EMAIL}
MEASURE_EVERY = timedelta(days=1)
"""In production every ten minutes; what it measures changes more slowly than that."""


class WorkerPool:
    """One worker process, and another each time that one is killed."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.turns = 0
        self.rounds = 0
        self._last: dict[Duty, datetime] = {}
        self._back_at: datetime | None = None
        self._watched_at = simulation.now
        self._start()

    def _start(self) -> None:
        simulation = self.simulation
        self.gateways = Gateways(
            SmsGateway(
                cast(TwilioClient, simulation.carrier.gateway), simulation.settings.public_url
            ),
            SmtpGateway(
                cast(SmtpClient, simulation.mailer), simulation.database, simulation.settings
            ),
        )
        self.channel_senders = [
            ChannelSender(simulation.operations, door) for door in self.gateways.all()
        ]
        self.sweep = Sweep(simulation.operations, _wake_nobody, "simulation")
        self.watch = DroppedBallDetector(simulation.operations, _wake_nobody)
        self.reconciler = Reconciler(simulation.operations, self.gateways)
        self.receipt_poller = ReceiptPoller(simulation.operations, self.gateways)
        self.duration_measurer = DurationMeasurer(simulation.database)
        self._measured_at: datetime | None = None

    def next_run_at(self, due: Mapping[Duty, datetime]) -> datetime | None:
        """When the workers next find something to do in one of their rounds."""
        return min((self._when(duty, at) for duty, at in due.items()), default=None)

    def _when(self, duty: Duty, at: datetime) -> datetime:
        """A round comes every few seconds; a new message wakes the sending at once."""
        simulation = self.simulation
        if duty not in CHANNELS:
            every = simulation.settings.sweep_seconds
            at = datetime.fromtimestamp(math.ceil(at.timestamp() / every) * every, UTC)
        last = self._last.get(duty)
        if last is not None:
            at = max(at, last + timedelta(seconds=simulation.settings.sweep_seconds))
        at = max(at, simulation.now, self._back_at or at)
        return simulation.outage_end(at) or at

    async def do(self, due: Mapping[Duty, datetime]) -> None:
        """Run the duties that are due."""
        now = self.simulation.now
        for duty in Duty:
            if duty in due and self._when(duty, due[duty]) <= now and not self._is_gone():
                await self._do(duty)

    async def run_all(self) -> None:
        """Run the duties of every round; when a message is due to be sent is known exactly."""
        for duty in (Duty.SWEEP, Duty.WATCH):
            if not self._is_gone():
                await self._do(duty)
        now = self.simulation.now
        if self._measured_at is None or now - self._measured_at >= MEASURE_EVERY:
            self._measured_at = now
            await self.duration_measurer.once()

    async def restart(self) -> None:
        """After an outage: new processes, and no heartbeat for the time between."""
        self._start()
        await self.run_all()

    def kill(self, what: str) -> None:
        """Kill the worker with all that it is doing; another one starts some seconds later."""
        self.simulation.count(what)
        away = self.simulation.dice.of("restart", self.turns, self.rounds).randint(3, 40)
        self._back_at = self.simulation.now + timedelta(seconds=away)
        self._start()

    def _is_gone(self) -> bool:
        return self._back_at is not None and self.simulation.now < self._back_at

    async def _do(self, duty: Duty) -> None:
        simulation = self.simulation
        self._last[duty] = simulation.now
        self.rounds += 1
        operations = simulation.operations
        operations.can_be_killed = duty not in CHANNELS
        try:
            if duty == Duty.SWEEP:
                if not simulation.sends_updates:
                    await self._suppress_updates()
                await self.sweep.once()
            elif duty == Duty.WATCH:
                await self._watch()
            elif duty in CHANNELS:
                await self._send(CHANNELS[duty])
            elif duty == Duty.RECONCILE:
                await self.reconciler.once()
            else:
                await self.receipt_poller.once()
        except WorkerKilled:
            pass  # In the middle of a transaction.
        finally:
            operations.can_be_killed = False

    async def _watch(self) -> None:
        simulation = self.simulation
        if not simulation.detects_drops:
            return
        last, self._watched_at = self._watched_at, simulation.now
        if not any(last < end <= simulation.now for _, end in simulation.outages):
            await simulation.record_heartbeat()
        await self.watch.once()

    async def _send(self, channel: Channel) -> None:
        for courier, door in zip(self.channel_senders, self.gateways.all(), strict=True):
            if door.channel != channel:
                continue
            if self.simulation.dice.hit(Fault.KILLED, 0.01, "post", self.rounds):
                await self._kill_while_sending(door)
            else:
                await courier.once(SEND_TIMEOUT)
            return

    async def _kill_while_sending(self, door: Gateway) -> None:
        """Kill the worker between claiming messages and recording their outcome."""
        simulation = self.simulation
        async with simulation.database.transaction() as session:
            claimed = await claim_due(
                session, simulation.settings, simulation.now, channel=door.channel, sender=door.sender,
                most=simulation.dice.of("hands", self.rounds).randint(1, 8),
            )  # fmt: skip
        if not claimed.messages:
            return
        sent = simulation.dice.of("sent", self.rounds).random() < 0.5
        if sent:
            for message in claimed.messages:
                try:
                    await door.send(message, _wake_nobody)
                except Exception as problem:  # noqa: BLE001 (the worker that would handle it is killed)
                    simulation.count(f"not recorded: {type(problem).__name__}")
        self.kill("killed after sending" if sent else "killed before sending")

    async def _suppress_updates(self) -> None:
        """Remove the times of updates and follow-ups, for the comparison without them."""
        async with self.simulation.database.transaction() as session:
            updates = sa.update(ServiceRequest).where(
                col(ServiceRequest.next_update_at).is_not(None)
            )
            await session.exec(updates.values(next_update_at=None))
            questions = sa.update(FollowUp).where(
                col(FollowUp.next_at).is_not(None), ~col(FollowUp.during_stage)
            )
            await session.exec(questions.values(next_at=None))


def _wake_nobody() -> None:
    """Wake nobody: the next round comes by itself."""
