"""Who our words come from, as a provider knows it: its rest, its pace, its month."""

from datetime import datetime, timedelta

from sqlmodel import Field, SQLModel

from portal.models.columns import text_column, timestamp_column

MIN_BURST = timedelta(milliseconds=100)


class Sender(SQLModel, table=True):
    """One number, messaging service or mail address: what all workers together may send by it."""

    __tablename__ = "sender"

    name: str = Field(primary_key=True, max_length=254)
    # The provider does not accept us: until then nothing is handed over, and nothing is lost.
    paused_until: datetime | None = timestamp_column(nullable=True)
    pause_reason: str = text_column(400)
    # The moment up to which the pace is used up by what has been handed over.
    rate_used_until: datetime | None = timestamp_column(nullable=True)
    # Text parts handed over in this month (UTC, "2026-11"): what the carrier bills.
    month: str = text_column(7)
    segments: int = 0

    @property
    def subject(self) -> str:
        """What a dropped ball about this sender is about."""
        return f"sender:{self.name}"[:64]

    def is_paused(self, now: datetime) -> bool:
        """Whether the provider refused us a moment ago."""
        return self.paused_until is not None and now < self.paused_until

    def pause(self, until: datetime, reason: str) -> None:
        """Hand nothing over before ``until``; ``reason`` is a sentence for staff."""
        self.paused_until, self.pause_reason = until, reason

    def resume(self) -> None:
        """The provider accepts us again."""
        self.paused_until, self.pause_reason = None, ""

    def available_capacity(self, now: datetime, rate: float) -> int:
        """How many messages may go now at ``rate`` a second, all workers together.

        The generic cell rate algorithm (ITU-T I.371): one moment in one row is the whole state,
        and no more than a tenth of a second is saved up.
        """
        free = (now - self._paced(now, rate)).total_seconds() * rate
        return int(free + 1e-6)

    def use_capacity(self, now: datetime, rate: float, count: int) -> None:
        """Note that ``count`` messages were handed over."""
        self.rate_used_until = self._paced(now, rate) + timedelta(seconds=count / rate)

    def next_capacity_at(self, now: datetime, rate: float) -> datetime:
        """When there will be room for one more."""
        return self._paced(now, rate) + timedelta(seconds=1 / rate)

    def add_segments(self, now: datetime, segments: int) -> None:
        """Count text parts for this month; a negative number takes back what was not sent."""
        month = f"{now:%Y-%m}"
        if self.month != month:
            self.month, self.segments = month, 0
        self.segments = max(0, self.segments + segments)

    def segments_used(self, now: datetime) -> int:
        """Text parts handed over in the month of ``now``."""
        return self.segments if self.month == f"{now:%Y-%m}" else 0

    def _paced(self, now: datetime, rate: float) -> datetime:
        earliest = now - max(timedelta(seconds=1 / rate), MIN_BURST)
        return max(self.rate_used_until or earliest, earliest)
