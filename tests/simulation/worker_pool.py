"""The workers: every duty as in production, in rounds; now and then one of them is killed."""

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
from tests.simulation.faults import Fault
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
    from tests.simulation.event_loop import EventLoop

FINISH_TIMEOUT_SECONDS = 30.0
DELIVERY_CHANNELS = {Duty.TEXTS: Channel.SMS, Duty.MAILS: Channel.EMAIL}
MEASURE_EVERY = timedelta(days=1)
"""In production every ten minutes; what it measures changes more slowly than that."""


class WorkerPool:
    """One worker process, and its successor each time that it is killed."""

    def __init__(self, world: EventLoop) -> None:
        self.world = world
        self.turns = 0
        self.rounds = 0
        self._last: dict[Duty, datetime] = {}
        self._back_at: datetime | None = None
        self._watched_at = world.now
        self._hire()

    def _hire(self) -> None:
        world = self.world
        self.gateways = Gateways(
            SmsGateway(cast(TwilioClient, world.carrier), world.settings.public_url),
            SmtpGateway(cast(SmtpClient, world.mail), world.database, world.settings),
        )
        self.channel_senders = [
            ChannelSender(world.operations, door) for door in self.gateways.all()
        ]
        self.sweep = Sweep(world.operations, _nobody, "simulation")
        self.watch = DroppedBallDetector(world.operations, _nobody)
        self.reconciler = Reconciler(world.operations, self.gateways)
        self.receipt_poller = ReceiptPoller(world.operations, self.gateways)
        self.duration_measurer = DurationMeasurer(world.database)
        self._measured_at: datetime | None = None

    def next_run_at(self, due: Mapping[Duty, datetime]) -> datetime | None:
        """When the workers next find something to do, at the pace of their rounds."""
        return min((self._when(duty, at) for duty, at in due.items()), default=None)

    def _when(self, duty: Duty, at: datetime) -> datetime:
        """Rounds come every few seconds; only the post is woken by whoever has written."""
        world = self.world
        if duty not in DELIVERY_CHANNELS:
            every = world.settings.sweep_seconds
            at = datetime.fromtimestamp(math.ceil(at.timestamp() / every) * every, UTC)
        last = self._last.get(duty)
        if last is not None:
            at = max(at, last + timedelta(seconds=world.settings.sweep_seconds))
        at = max(at, world.now, self._back_at or at)
        return world.outage_end(at) or at

    async def do(self, due: Mapping[Duty, datetime]) -> None:
        """Do the duties whose time has come."""
        now = self.world.now
        for duty in Duty:
            if duty in due and self._when(duty, due[duty]) <= now and not self._is_gone():
                await self._do(duty)

    async def run_all(self) -> None:
        """What is looked at in each round, due or not; what waits to be sent is exactly known."""
        for duty in (Duty.SWEEP, Duty.WATCH):
            if not self._is_gone():
                await self._do(duty)
        now = self.world.now
        if self._measured_at is None or now - self._measured_at >= MEASURE_EVERY:
            self._measured_at = now
            await self.duration_measurer.once()

    async def restart(self) -> None:
        """After an outage: new processes, and no sign of life for the time between."""
        self._hire()
        await self.run_all()

    def kill(self, how: str) -> None:
        """The worker is gone at once, with all that it had in hand; another is started."""
        self.world.count(how)
        away = self.world.dice.of("restart", self.turns, self.rounds).randint(3, 40)
        self._back_at = self.world.now + timedelta(seconds=away)
        self._hire()

    def _is_gone(self) -> bool:
        return self._back_at is not None and self.world.now < self._back_at

    async def _do(self, duty: Duty) -> None:
        world = self.world
        self._last[duty] = world.now
        self.rounds += 1
        operations = world.operations
        operations.can_be_killed = duty not in DELIVERY_CHANNELS
        try:
            if duty == Duty.SWEEP:
                if not world.sends_updates:
                    await self._keep_silent()
                await self.sweep.once()
            elif duty == Duty.WATCH:
                await self._watch()
            elif duty in DELIVERY_CHANNELS:
                await self._post(DELIVERY_CHANNELS[duty])
            elif duty == Duty.RECONCILE:
                await self.reconciler.once()
            else:
                await self.receipt_poller.once()
        finally:
            operations.can_be_killed = False

    async def _watch(self) -> None:
        world = self.world
        if not world.detects_drops:
            return
        last, self._watched_at = self._watched_at, world.now
        if not any(last < end <= world.now for _, end in world.down):
            await world.write_heartbeat()
        await self.watch.once()

    async def _post(self, channel: Channel) -> None:
        for courier, door in zip(self.channel_senders, self.gateways.all(), strict=True):
            if door.channel != channel:
                continue
            if self.world.dice.hit(Fault.KILLED, 0.01, "post", self.rounds):
                await self._die_at_the_door(door)
            else:
                await courier.once(FINISH_TIMEOUT_SECONDS)
            return

    async def _die_at_the_door(self, door: Gateway) -> None:
        """Killed between the claim and the record: nobody knows what became of those messages."""
        world = self.world
        async with world.database.transaction() as session:
            taken = await claim_due(
                session, world.settings, world.now, channel=door.channel, sender=door.sender,
                most=world.dice.of("hands", self.rounds).randint(1, 8),
            )  # fmt: skip
        if not taken.messages:
            return
        sent = world.dice.of("sent", self.rounds).random() < 0.5
        if sent:
            for message in taken.messages:
                try:
                    await door.send(message, _nobody)
                except Exception as problem:  # noqa: BLE001 (whoever would hear of it is dead)
                    world.count(f"unheard: {type(problem).__name__}")
        self.kill("killed after sending" if sent else "killed before sending")

    async def _keep_silent(self) -> None:
        """The same world without tellings and follow-ups: their times never come."""
        async with self.world.database.transaction() as session:
            told = sa.update(ServiceRequest).where(col(ServiceRequest.next_update_at).is_not(None))
            await session.exec(told.values(next_update_at=None))
            asked = sa.update(FollowUp).where(
                col(FollowUp.next_at).is_not(None), ~col(FollowUp.during_stage)
            )
            await session.exec(asked.values(next_at=None))


def _nobody() -> None:
    """Nobody needs to be woken: the next round is on the way."""
