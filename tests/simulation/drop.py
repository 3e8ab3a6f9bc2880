"""A drop: work that has passed its time, or that nobody has."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from portal.models import ContactPoint, DroppedBall, DroppedBallKind, ServiceRequest

Key = tuple[DroppedBallKind, str]
FIX_WITHIN = timedelta(seconds=60)
"""What is resolved sooner need not be raised."""


@dataclass
class ActualDrop:
    """A drop: since when, when it was raised, when it was resolved."""

    kind: DroppedBallKind
    subject: str
    request_id: int
    at: datetime
    raised_at: datetime | None = None
    last_seen_open_at: datetime | None = None
    ended_at: datetime | None = None
    grace_until: datetime | None = None

    @property
    def due_at(self) -> datetime:
        """When it could be raised first: after an outage staff may catch up."""
        return max(self.at, self.grace_until or self.at)

    @property
    def seconds(self) -> float | None:
        """Seconds after that until it was raised; None while it is not."""
        if self.raised_at is None:
            return None
        return max(0.0, (self.raised_at - self.due_at).total_seconds())

    @property
    def counts(self) -> bool:
        """False where it was resolved before it could be raised."""
        stood = (
            self.last_seen_open_at is not None and self.last_seen_open_at > self.due_at + FIX_WITHIN
        )
        return self.raised_at is not None or stood


async def unreachable_customers(connection: AsyncConnection, now: datetime) -> list[ActualDrop]:
    """Open requests of customers whose every address was given up a day ago, unless dismissed."""
    kind, ended_at = (
        DroppedBallKind.CUSTOMER_UNREACHABLE,
        sa.func.max(col(ContactPoint.valid_until)),
    )
    dismissed = sa.select(col(DroppedBall.request_id)).where(
        col(DroppedBall.kind) == kind, col(DroppedBall.dismissed_by) != ""
    )
    query: Any = (
        sa.select(col(ServiceRequest.id), ended_at)
        .join(ContactPoint, col(ContactPoint.customer_id) == col(ServiceRequest.customer_id))
        .where(col(ServiceRequest.closed_at).is_(None), col(ServiceRequest.id).not_in(dismissed))
        .group_by(col(ServiceRequest.id))
        .having(sa.func.count() == sa.func.count(col(ContactPoint.valid_until)))
    )
    return [
        ActualDrop(kind, f"request:{request_id}", request_id, at)
        for request_id, given_up_at in (await connection.execute(query)).all()
        if (at := given_up_at + timedelta(days=1)) <= now
    ]
