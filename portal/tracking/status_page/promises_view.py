"""The promises on the status page: plain values in the customer's language. Times are UTC."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PromiseLine:
    """An open promise, as in "Pia will answer you". `text` has no time in it.

    `window` is when a call is wanted, as the customer named it. With an `owner` the text is that person's own; without text, it is to answer.
    """

    key: str
    text: str
    due_at: datetime
    moved_reason: str | None = None
    owner: str | None = None
    window: str = ""

    def is_overdue(self, now: datetime) -> bool:
        """True from its due time on."""
        return now >= self.due_at


@dataclass(frozen=True, slots=True)
class PastPromise:
    """A closed promise and when it was kept; without `kept_at` it was missed.

    `is_moot`: the request ended before it was due.
    """

    text: str
    owner: str
    kept_at: datetime | None
    is_moot: bool = False
