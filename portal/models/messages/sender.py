"""Who our words come from, as a provider knows it: its rest, its pace, its month."""

from datetime import datetime, timedelta

from sqlmodel import Field, SQLModel

from portal.models.columns import moment, words

SHORTEST_BURST = timedelta(milliseconds=100)


class Sender(SQLModel, table=True):
    """One number, messaging service or mail address: what all workers together may send by it."""

    __tablename__ = "sender"

    name: str = Field(primary_key=True, max_length=254)
    # The provider does not accept us: until then nothing is handed over, and nothing is lost.
    rests_until: datetime | None = moment(nullable=True)
    rest_reason: str = words(400)
    # The moment up to which the pace is used up by what has been handed over.
    paced_until: datetime | None = moment(nullable=True)
    # Text parts handed over in this month (UTC, "2026-11"): what the carrier bills.
    month: str = words(7)
    parts: int = 0

    @property
    def subject(self) -> str:
        """What a dropped ball about this sender is about."""
        return f"sender:{self.name}"[:64]

    def is_resting(self, now: datetime) -> bool:
        """Whether the provider refused us a moment ago."""
        return self.rests_until is not None and now < self.rests_until

    def rest(self, until: datetime, reason: str) -> None:
        """Hand nothing over before ``until``; ``reason`` is a sentence for staff."""
        self.rests_until, self.rest_reason = until, reason

    def wake(self) -> None:
        """The provider accepts us again."""
        self.rests_until, self.rest_reason = None, ""

    def room(self, now: datetime, rate: float) -> int:
        """How many messages may go now at ``rate`` a second, all workers together.

        The generic cell rate algorithm (ITU-T I.371): one moment in one row is the whole state,
        and no more than a tenth of a second is saved up.
        """
        free = (now - self._paced(now, rate)).total_seconds() * rate
        return int(free + 1e-6)

    def pace(self, now: datetime, rate: float, count: int) -> None:
        """Note that ``count`` messages were handed over."""
        self.paced_until = self._paced(now, rate) + timedelta(seconds=count / rate)

    def free_at(self, now: datetime, rate: float) -> datetime:
        """When there will be room for one more."""
        return self._paced(now, rate) + timedelta(seconds=1 / rate)

    def spend(self, now: datetime, parts: int) -> None:
        """Count text parts for this month; a negative number takes back what was not sent."""
        month = f"{now:%Y-%m}"
        if self.month != month:
            self.month, self.parts = month, 0
        self.parts = max(0, self.parts + parts)

    def spent(self, now: datetime) -> int:
        """Text parts handed over in the month of ``now``."""
        return self.parts if self.month == f"{now:%Y-%m}" else 0

    def _paced(self, now: datetime, rate: float) -> datetime:
        earliest = now - max(timedelta(seconds=1 / rate), SHORTEST_BURST)
        return max(self.paced_until or earliest, earliest)
