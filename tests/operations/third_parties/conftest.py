"""A parcel that DHL brings, and the calls by which its events come."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import httpx2
import pytest
import time_machine
from sqlmodel import col, select

from portal.database import Database
from portal.models import SYSTEM_ACTOR, DroppedBall, DroppedBallKind, ServiceRequest
from portal.operations import Operations
from tests.support.dropped_ball_helpers import DetectionDriver
from tests.support.factories import Organisation

PARCEL = """
key = "parcel"
name = "Parcel"
timezone = "America/New_York"

[departments.courier]
name = "Courier Desk"

[[stages]]
key = "sent"
department = "courier"
title = "Your parcel is on its way"
third_party = "DHL"
silent_after = "2d"
expected = "2d"
grace = "4h"

[[stages]]
key = "there"
department = "courier"
title = "Your parcel has been delivered"
delivered = "complete"
expected = "1d"

[[follow_ups]]
after_stage = "there"
question = "Has your parcel arrived? Reply YES or NO."
no = { send_back = "sent" }
"""

Tell = Callable[..., Awaitable[httpx2.Response]]
FindBalls = Callable[[DroppedBallKind], Awaitable[Sequence[DroppedBall]]]


@pytest.fixture
async def parcel(clock: time_machine.Traveller, organisation: Organisation) -> ServiceRequest:
    """Martin's parcel, expected on Thursday 5 June; nothing was reported of it yet."""
    await organisation.load(PARCEL)
    return await organisation.open("parcel", by=SYSTEM_ACTOR)


@pytest.fixture
def report(api: httpx2.AsyncClient, parcel: ServiceRequest) -> Tell:
    """Posts an event about the parcel to the API."""

    async def post(**body: Any) -> httpx2.Response:
        return await api.post(f"/requests/{parcel.reference}/third-party-events", json=body)

    return post


@pytest.fixture
def watch(
    operations: Operations, clock: time_machine.Traveller, database: Database
) -> DetectionDriver:
    """Detects dropped balls while a test moves the clock."""
    return DetectionDriver(operations, clock, database)


@pytest.fixture
def open_balls(organisation: Organisation) -> FindBalls:
    """The open dropped balls of a kind."""

    async def find(kind: DroppedBallKind) -> Sequence[DroppedBall]:
        query = select(DroppedBall).where(
            col(DroppedBall.kind) == kind, col(DroppedBall.resolved_at).is_(None)
        )
        async with organisation.database.reading() as session:
            return (await session.exec(query)).all()

    return find
