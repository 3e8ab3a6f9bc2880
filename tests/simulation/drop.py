"""A drop: work that has passed its time, or that nobody has."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.models import DroppedBallKind

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
