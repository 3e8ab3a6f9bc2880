"""The workers: every round as in production; some are killed."""

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
from tests.simulation.next_event import Round
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
CHANNELS = {Round.TEXTS: Channel.SMS, Round.MAILS: Channel.EMAIL}
MEASURE_EVERY = timedelta(days=1)
"""In production every ten minutes; what it measures changes more slowly than that."""


class WorkerPool:
    """One worker process, and another each time that one is killed."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.turns = 0
        self.rounds = 0
        self._last: dict[Round, datetime] = {}
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
            ChannelSender(simulation.operations, gateway) for gateway in self.gateways.all()
        ]
        self.sweep = Sweep(simulation.operations, _wake_nobody, "simulation")
        self.watch = DroppedBallDetector(simulation.operations, _wake_nobody)
        self.reconciler = Reconciler(simulation.operations, self.gateways)
        self.receipt_poller = ReceiptPoller(simulation.operations, self.gateways)
        self.duration_measurer = DurationMeasurer(simulation.database)
        self._measured_at: datetime | None = None

    def next_run_at(self, due: Mapping[Round, datetime]) -> datetime | None:
        """When the workers next find something to do in one of their rounds."""
        return min((self._when(round_, at) for round_, at in due.items()), default=None)

    def _when(self, round_: Round, at: datetime) -> datetime:
        """A round comes every few seconds; a new message wakes the sending at once."""
        simulation = self.simulation
        if round_ not in CHANNELS:
            every = simulation.settings.sweep_seconds
            at = datetime.fromtimestamp(math.ceil(at.timestamp() / every) * every, UTC)
        last = self._last.get(round_)
        if last is not None:
            at = max(at, last + timedelta(seconds=simulation.settings.sweep_seconds))
        at = max(at, simulation.now, self._back_at or at)
        return simulation.outage_end(at) or at

    async def do(self, due: Mapping[Round, datetime]) -> None:
        """Run the rounds that are due."""
        now = self.simulation.now
        for round_ in Round:
            if round_ in due and self._when(round_, due[round_]) <= now and not self._is_gone():
                await self._do(round_)

    async def run_all(self) -> None:
        """Run the sweep and the detection; when a message is due to be sent is known exactly."""
        for round_ in (Round.SWEEP, Round.WATCH):
            if not self._is_gone():
                await self._do(round_)
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

    async def _do(self, round_: Round) -> None:
        simulation = self.simulation
        self._last[round_] = simulation.now
        self.rounds += 1
        operations = simulation.operations
        operations.can_be_killed = round_ not in CHANNELS
        try:
            if round_ == Round.SWEEP:
                if not simulation.sends_updates:
                    await self._suppress_updates()
                await self.sweep.once()
            elif round_ == Round.WATCH:
                await self._watch()
            elif round_ in CHANNELS:
                await self._send(CHANNELS[round_])
            elif round_ == Round.RECONCILE:
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
        for channel_sender, gateway in zip(self.channel_senders, self.gateways.all(), strict=True):
            if gateway.channel != channel:
                continue
            if self.simulation.dice.hit(Fault.KILLED, 0.01, "post", self.rounds):
                await self._kill_while_sending(gateway)
            else:
                await channel_sender.once(SEND_TIMEOUT)
            return

    async def _kill_while_sending(self, gateway: Gateway) -> None:
        """Kill the worker between claiming messages and recording their outcome."""
        simulation = self.simulation
        async with simulation.database.transaction() as session:
            claimed = await claim_due(
                session, simulation.settings, simulation.now, channel=gateway.channel, sender=gateway.sender,
                most=simulation.dice.of("hands", self.rounds).randint(1, 8),
            )  # fmt: skip
        if not claimed.messages:
            return
        sent = simulation.dice.of("sent", self.rounds).random() < 0.5
        if sent:
            for message in claimed.messages:
                try:
                    await gateway.send(message, _wake_nobody)
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
