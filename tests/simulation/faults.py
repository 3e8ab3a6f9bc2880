"""What goes wrong, and how often: the same seed draws the same."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from portal.errors import BadInput


class WorkerKilled(BaseException):
    """A worker was killed: its transaction is rolled back, and nothing after it happens.

    No Exception: no handler of the product may catch it and go on.
    """


class Fault(StrEnum):
    """One kind of fault; each may be switched off."""

    SLOW = "slow"
    FORGETFUL = "forgetful"
    RETURNS = "returns"
    ABSENT = "absent"
    LEAVING = "leaving"
    COURIERS = "couriers"
    UNDELIVERED = "undelivered"
    CARRIER = "carrier"
    REPLIES = "replies"
    KILLED = "killed"
    OUTAGE = "outage"


DESCRIPTIONS = {
    Fault.SLOW: "people who need longer than expected",
    Fault.FORGETFUL: "handoffs, stages, promises and messages that nobody does",
    Fault.RETURNS: "handoffs refused, work sent back, requests that bounce",
    Fault.ABSENT: "people who are away, with and without a deputy",
    Fault.LEAVING: "people who leave with work in hand",
    Fault.COURIERS: "third parties that go silent",
    Fault.UNDELIVERED: "landlines, dead numbers, phones that are off",
    Fault.CARRIER: "errors 500, lost answers, receipts missing, twice or out of order",
    Fault.REPLIES: "ambiguous replies, NO, and no answer at all",
    Fault.KILLED: "workers killed at work",
    Fault.OUTAGE: "hours in which the product does not run",
}


def read_faults(text: str) -> frozenset[Fault]:
    """The faults that `all`, `none` or "slow,absent" name. Raises BadInput for another name."""
    if text.strip() in ("all", ""):
        return frozenset(Fault)
    if text.strip() == "none":
        return frozenset()
    names = [word.strip() for word in text.split(",") if word.strip()]
    known = {fault.value for fault in Fault}
    for name in names:
        if name not in known:
            raise BadInput(
                f"There is no fault {name[:40]!r}. There are all, none, {_listed(known)}."
            )
    return frozenset(Fault(name) for name in names)


@dataclass(frozen=True)
class SeededRandom:
    """Seeded chance by name: the same name draws the same, in whatever order names are drawn."""

    seed: int
    faults: frozenset[Fault]

    def of(self, *names: object) -> Random:
        """A random generator for one name."""
        return Random(":".join(map(str, (self.seed, *names))))

    def hit(self, fault: Fault, chance: float, *names: object) -> bool:
        """Whether this fault happens here."""
        return fault in self.faults and self.of(fault.value, *names).random() < chance


def _listed(names: Iterable[str]) -> str:
    *some, last = sorted(names)
    return f"{', '.join(some)} and {last}"
