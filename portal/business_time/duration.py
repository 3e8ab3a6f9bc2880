"""A duration as workflow files write it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal, get_args

Unit = Literal["s", "m", "h", "d", "bh", "bd"]

_LONGEST: Final = timedelta(days=3660)
_LENGTHS: Final[dict[Unit, timedelta]] = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "bh": timedelta(hours=1),
    "bd": timedelta(days=1),
}


@dataclass(frozen=True)
class Duration:
    """`90s 15m 4h 2d` always run; `4bh 2bd` run in the department's opening hours.

    `str()` returns the text that was parsed.
    """

    amount: int
    unit: Unit

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Read "4bh". Raises ValueError with a sentence for anything else, and past ten years."""
        match = re.fullmatch(r"([0-9]{1,9})(bh|bd|s|m|h|d)", text.strip())
        if not match:
            raise ValueError(
                f'"{text}" is not a duration. Write a whole number and a unit, '
                f"such as {', '.join(f'4{unit}' for unit in get_args(Unit))}."
            )
        amount = int(match[1])
        unit = next(unit for unit in get_args(Unit) if unit == match[2])
        if amount * _LENGTHS[unit] > _LONGEST:
            raise ValueError(f'"{text}" is longer than ten years.')
        return cls(amount, unit)

    def __str__(self) -> str:
        return f"{self.amount}{self.unit}"

    def __bool__(self) -> bool:
        return self.amount > 0

    @property
    def in_opening_hours(self) -> bool:
        """Whether the time is paused while the department is closed (`bh`, `bd`)."""
        return self.unit in ("bh", "bd")

    @property
    def length(self) -> timedelta:
        """The duration as if the department never closed; a business day counts as 24 hours."""
        return self.amount * _LENGTHS[self.unit]
