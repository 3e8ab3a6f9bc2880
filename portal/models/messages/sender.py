"""The sender of our messages, as a provider knows it: its pause, its rate, its month.

The pause is a circuit breaker. It opens when the provider refuses us, or fails ``OUTAGE_AFTER``
times in a row. When the provider answers a probe, one message is sent as a trial; when that is
accepted, all are.
"""

from datetime import datetime, timedelta

from sqlmodel import Field, SQLModel

from portal.models.columns import enum_column, text_column, timestamp_column
from portal.models.messages.delivery_reason import DeliveryReason

MIN_BURST = timedelta(milliseconds=100)
OUTAGE_AFTER = 5
"""Failures of the provider in a row after which nothing more is sent until it has recovered."""
PROBE_INTERVAL = timedelta(seconds=15)
"""Between two probes of a provider that is down."""
TRIAL_TIMEOUT = timedelta(seconds=25)
"""How long others wait for the outcome of a trial: sending ends 20 s after the claim."""


class Sender(SQLModel, table=True):
    """One number, messaging service or mail address, and what all workers may send by it."""

    __tablename__ = "sender"

    name: str = Field(primary_key=True, max_length=254)
    # The provider refuses us or is down: until then nothing is sent, and nothing is lost.
    paused_until: datetime | None = timestamp_column(nullable=True)
    pause_reason: DeliveryReason | None = enum_column(DeliveryReason, nullable=True)
    # Failures of the provider since it last answered.
    failures: int = 0
    # The outcome of a trial decides before anything else is sent, at the latest then.
    trial_until: datetime | None = timestamp_column(nullable=True)
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
        """Whether nothing is sent for now, because the provider refused us or is down."""
        return self.paused_until is not None and now < self.paused_until

    def pause(self, until: datetime, reason: DeliveryReason) -> None:
        """Send nothing before ``until``, because of ``reason``."""
        self.paused_until, self.pause_reason, self.trial_until = until, reason, None

    def resume(self) -> None:
        """Send again: the provider accepts us."""
        self.paused_until, self.pause_reason, self.trial_until = None, None, None
        self.failures = 0

    def needs_probe(self, now: datetime) -> bool:
        """Whether the provider, which was down, is to be asked whether it has recovered.

        Again PROBE_INTERVAL after a probe that no trial has followed, or whose trial has no
        outcome: where nothing is left to try, the next probe ends the pause.
        """
        trial_is_due = self.trial_until is not None and now < self.trial_until + PROBE_INTERVAL
        return (
            self.pause_reason == DeliveryReason.PROVIDER_DOWN
            and not self.is_paused(now)
            and not trial_is_due
        )

    def pass_probe(self, now: datetime) -> None:
        """The provider has answered a probe: one message may be sent as a trial from ``now`` on."""
        self.paused_until, self.trial_until = None, now

    def is_on_trial(self, now: datetime) -> bool:
        """Whether a trial is under way, so that nothing else is sent."""
        return self.trial_until is not None and now < self.trial_until

    @property
    def trial_size(self) -> int | None:
        """How many messages may be sent before an outcome is known; None where there is no limit.

        After a failure only as many as open the circuit: what fails has an unknown outcome, and is
        sent again at most once.
        """
        if self.pause_reason:
            return 1
        return max(OUTAGE_AFTER - self.failures, 1) if self.failures else None

    def begin_trial(self, now: datetime) -> None:
        """Let nothing else be sent until an outcome is known, where that is needed."""
        if self.trial_size is not None:
            self.trial_until = now + TRIAL_TIMEOUT

    def count_failure(self) -> bool:
        """Count a failure of the provider; True where the circuit is open, or opens."""
        self.failures += 1
        self.trial_until = None
        return self.failures >= OUTAGE_AFTER or self.pause_reason is not None

    def count_answer(self) -> None:
        """The provider has answered: its failures are no longer in a row."""
        self.failures, self.trial_until = 0, None

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
