"""A customer's phone at our webhook, and requests at the points where a customer replies."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import httpx2
import pytest
import time_machine
from sqlmodel import col, select

from portal.models import (
    SYSTEM_ACTOR,
    Direction,
    DroppedBall,
    DroppedBallKind,
    MessageKind,
    ServiceRequest,
)
from portal.operations import accept, advance, run_due_follow_ups
from tests.support.factories import CARD, Organisation
from tests.support.twilio_client import TwilioClient
from tests.tracking.page_requests import link


class Phone:
    """Martin's phone; each text has a sid of its own."""

    def __init__(self, twilio: TwilioClient, organisation: Organisation) -> None:
        self._twilio, self._organisation = twilio, organisation
        self._sent = 0

    async def __call__(self, body: str, **more: str) -> None:
        """Text us, signed by Twilio."""
        self._sent += 1
        assert await self._twilio.text(body, sid=f"IN{self._sent}", **more) == 200

    async def replies(self) -> list[str]:
        """Our automatic replies by text or on the page, oldest first."""
        kinds = {
            MessageKind.ACKNOWLEDGEMENT, MessageKind.ANSWER, MessageKind.WHICH_REQUEST,
            MessageKind.REOPEN_OFFER, MessageKind.CONSENT,
        }  # fmt: skip
        return [
            message.body.replace("\u200f", "")
            for message in await self._organisation.messages()
            if message.direction == Direction.OUT and message.kind in kinds
        ]

    async def texts_of(self, request: ServiceRequest) -> list[str]:
        """What the customer has written about this request."""
        return [
            message.body
            for message in await self._organisation.messages()
            if message.direction == Direction.IN and message.request_id == request.id
        ]


@pytest.fixture
def phone(clock: time_machine.Traveller, twilio: TwilioClient, organisation: Organisation) -> Phone:
    return Phone(twilio, organisation)


Open = Callable[..., Awaitable[ServiceRequest]]


@pytest.fixture
async def delivered(clock: time_machine.Traveller, organisation: Organisation) -> Open:
    """Opens a card that is delivered; the customer is asked whether it has arrived."""

    async def deliver(**more: Any) -> ServiceRequest:
        people = organisation.people
        card = await organisation.open(by=people.tess.actor, **more)
        for taker in (people.uma, people.pia, people.carl):
            await organisation.run(advance, card, by=SYSTEM_ACTOR)
            await organisation.run(accept, card, by=taker.actor)
        for _ in range(2):
            await organisation.run(advance, card, by=people.carl.actor)
        return await organisation.run(run_due_follow_ups, card, by=SYSTEM_ACTOR)

    return deliver


@pytest.fixture
async def waiting_to_be_asked(clock: time_machine.Traveller, organisation: Organisation) -> Open:
    """Opens a card that is delivered; the customer is asked whether it has arrived in two days."""

    async def deliver(**more: Any) -> ServiceRequest:
        people = organisation.people
        later = CARD.replace('question = "Has', 'wait = "2d"\nquestion = "Has')
        await organisation.load(later)
        card = await organisation.open(by=people.tess.actor, **more)
        for taker in (people.uma, people.pia, people.carl):
            await organisation.run(advance, card, by=SYSTEM_ACTOR)
            await organisation.run(accept, card, by=taker.actor)
        for _ in range(2):
            card = await organisation.run(advance, card, by=people.carl.actor)
        return card

    return deliver


@pytest.fixture
async def quoted(clock: time_machine.Traveller, organisation: Organisation) -> Open:
    """Opens a repair; the customer is asked whether to go ahead for 80 dollars."""

    async def quote(**more: Any) -> ServiceRequest:
        repair = await organisation.open("repair", by=organisation.people.ben.actor, **more)
        await organisation.run(advance, repair, by=SYSTEM_ACTOR)
        return await organisation.run(run_due_follow_ups, repair, by=SYSTEM_ACTOR)

    return quote


@pytest.fixture
def press(client: httpx2.AsyncClient) -> Callable[[ServiceRequest, str], Awaitable[int]]:
    """Press Yes or No on the page of a request; gives the HTTP status."""

    async def press(request: ServiceRequest, answer: str) -> int:
        form = {"follow_up": str(request.follow_ups[-1].id), "answer": answer}
        return (await client.post(f"{link(request)}/answers", data=form)).status_code

    return press


@pytest.fixture
def balls(organisation: Organisation) -> Callable[[DroppedBallKind], Awaitable[Sequence[Any]]]:
    """The open dropped balls of a kind."""

    async def find(kind: DroppedBallKind) -> Sequence[DroppedBall]:
        query = select(DroppedBall).where(
            col(DroppedBall.kind) == kind, col(DroppedBall.resolved_at).is_(None)
        )
        async with organisation.database.reading() as session:
            return (await session.exec(query)).all()

    return find
