"""A span of time between two moments: a visit's window, or that of a call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, order=True)
class TimeWindow:
    """From ``start`` until before ``end``, both aware."""

    start: datetime
    end: datetime

    def has(self, at: datetime) -> bool:
        """Whether this moment is in it; its end is not."""
        return self.start <= at < self.end

    def contains(self, other: TimeWindow) -> bool:
        """Whether the other window lies wholly in it."""
        return self.start <= other.start and other.end <= self.end

    def overlaps(self, other: TimeWindow) -> bool:
        """Whether the two have a moment in common."""
        return self.start < other.end and other.start < self.end

    def intersect(self, other: TimeWindow) -> TimeWindow | None:
        """What the two have in common; None where that is nothing."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return TimeWindow(start, end) if start < end else None
