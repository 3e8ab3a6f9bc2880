"""The sender of our messages, as a provider knows it: its pause, its rate, its month."""

from datetime import datetime, timedelta

from sqlmodel import Field, SQLModel

from portal.models.columns import enum_column, text_column, timestamp_column
from portal.models.messages.delivery_reason import DeliveryReason

MIN_BURST = timedelta(milliseconds=100)


class Sender(SQLModel, table=True):
    """One number, messaging service or mail address, and what all workers may send by it."""

    __tablename__ = "sender"

    name: str = Field(primary_key=True, max_length=254)
    # The provider refuses us: until then nothing is sent, and nothing is lost.
    paused_until: datetime | None = timestamp_column(nullable=True)
    pause_reason: DeliveryReason | None = enum_column(DeliveryReason, nullable=True)
    # The moment up to which the rate is used up by what has been sent.
    rate_used_until: datetime | None = timestamp_column(nullable=True)
    # SMS segments sent in this month (UTC, "2026-11"): what the carrier bills.
    month: str = text_column(7)
    segments: int = 0

    @property
    def subject(self) -> str:
        """The subject of a dropped ball about this sender."""
        return f"sender:{self.name}"[:64]

    def is_paused(self, now: datetime) -> bool:
        """Whether nothing is sent for now, because the provider refused us."""
        return self.paused_until is not None and now < self.paused_until

    def pause(self, until: datetime, reason: DeliveryReason) -> None:
        """Send nothing before ``until``, because the provider refuses us for ``reason``."""
        self.paused_until, self.pause_reason = until, reason

    def resume(self) -> None:
        """Send again: the provider accepts us."""
        self.paused_until, self.pause_reason = None, None

    def available_capacity(self, now: datetime, rate: float) -> int:
        """How many messages may be sent now at ``rate`` a second by all workers together.

        The generic cell rate algorithm (ITU-T I.371): one timestamp in one row is the whole state,
        and unused capacity of at most a tenth of a second is saved.
        """
        free = (now - self._next_send_base(now, rate)).total_seconds() * rate
        return int(free + 1e-6)

    def use_capacity(self, now: datetime, rate: float, count: int) -> None:
        """Use the capacity of ``count`` messages."""
        self.rate_used_until = self._next_send_base(now, rate) + timedelta(seconds=count / rate)

    def next_capacity_at(self, now: datetime, rate: float) -> datetime:
        """When there is capacity for one more message."""
        return self._next_send_base(now, rate) + timedelta(seconds=1 / rate)

    def add_segments(self, now: datetime, segments: int) -> None:
        """Count SMS segments for this month; a negative number removes those that were not sent."""
        month = f"{now:%Y-%m}"
        if self.month != month:
            self.month, self.segments = month, 0
        self.segments = max(0, self.segments + segments)

    def segments_used(self, now: datetime) -> int:
        """SMS segments sent in the month of ``now`` (UTC)."""
        return self.segments if self.month == f"{now:%Y-%m}" else 0

    def _next_send_base(self, now: datetime, rate: float) -> datetime:
        earliest = now - max(timedelta(seconds=1 / rate), MIN_BURST)
        return max(self.rate_used_until or earliest, earliest)
