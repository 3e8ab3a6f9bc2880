"""What the page shows of the items that are needed from the customer: plain values."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

MAX_HEADLINE_LENGTH = 140
"""Letters of a reason that is a headline; a longer one stands below a headline of ours."""


@dataclass(frozen=True, slots=True)
class NeededItem:
    """An item that the customer sends, and what became of it.

    `sent_at` is when it came. While it is `sent`, `owner` checks it by `due_at`. `file` is the name
    of a file, where it may be shown.
    """

    key: str
    title: str
    state: Literal["needed", "sent", "checking", "accepted", "correction"]
    help: str = ""
    file: str = ""
    sent_at: datetime | None = None
    owner: str = ""
    due_at: datetime | None = None

    @property
    def is_to_send(self) -> bool:
        """True while the customer has something to send for it."""
        return self.state in ("needed", "correction")


@dataclass(frozen=True, slots=True)
class Correction:
    """What the customer is asked to correct, and by whom (empty: by another system)."""

    reason: str
    asked_by: str = ""

    @property
    def is_short(self) -> bool:
        """True where the reason fits a headline."""
        return len(self.reason) <= MAX_HEADLINE_LENGTH


@dataclass(frozen=True, slots=True)
class Needs:
    """The items of a request, and what is to be corrected of them or of the stage."""

    entries: tuple[NeededItem, ...] = ()
    correction: Correction | None = None

    @property
    def are_to_send(self) -> bool:
        """True while the customer has something to send."""
        return any(need.is_to_send for need in self.entries)

    @property
    def are_sent(self) -> bool:
        """True while all that the customer was to send has come, until their stage is done."""
        has_come = any(need.state in ("sent", "accepted") for need in self.entries)
        return has_come and not self.are_to_send

    def without_files(self) -> "Needs":
        """The same without the names of files, which may be private."""
        return replace(self, entries=tuple(replace(need, file="") for need in self.entries))


NO_NEEDS = Needs()
