"""A card that is delivered, and whose receipt the customer is asked to confirm."""

from datetime import timedelta

import time_machine

from portal.models import SYSTEM_ACTOR, MessageKind, ServiceRequest
from portal.operations import accept, advance
from tests.support.factories import Organisation
from tests.support.twilio_client import CustomerPhone
from workers.sweep import Sweep

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Receipt:
    """A card that is delivered, and whatever comes of it; time passes with a sweep at its end."""

    def __init__(
        self, organisation: Organisation, clock: time_machine.Traveller, texts: CustomerPhone
    ) -> None:
        self.organisation, self.clock, self.texts = organisation, clock, texts
        self.sweep = Sweep(organisation.operations, lambda: None, "sweep")
        self.card: ServiceRequest

    async def deliver(self, workflow: str = "card") -> None:
        """From Telesales to the courier's word that it is there."""
        self.card = await self.organisation.open(workflow, by=self.organisation.people.tess.actor)
        for name in ("uma", "pia", "carl"):
            await self.do(advance, by=SYSTEM_ACTOR)
            await self.do(accept, by=getattr(self.organisation.people, name).actor)
        await self.finish()

    async def finish(self) -> None:
        for _ in range(2):
            await self.do(advance, by=self.organisation.people.carl.actor)

    async def do(self, verb, *args, by, **words) -> None:
        self.card = await self.organisation.run(verb, self.card, *args, by=by, **words)

    async def advance_clock(self, length: timedelta) -> None:
        self.clock.shift(length)
        await self.sweep.once()
        self.card = await self.organisation.reload(self.card)

    async def says(self, words: str) -> None:
        """Martin texts."""
        await self.texts(words)
        self.card = await self.organisation.reload(self.card)

    async def said(self, *kinds: MessageKind) -> list[str]:
        """What Martin was told, of these kinds."""
        told = await self.organisation.outbound_messages(self.card)
        return [message.body for message in told if message.kind in (kinds or tuple(MessageKind))]

    async def questions(self) -> int:
        return len(await self.said(MessageKind.FOLLOW_UP, MessageKind.REMINDER))
