"""What goes wrong, how often, and by what dice: the same seed throws the same."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from portal.errors import BadInput


class Fault(StrEnum):
    """One way in which lives go wrong; each may be left out."""

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


WORDS = {
    Fault.SLOW: "people who need longer than was said",
    Fault.FORGETFUL: "handoffs, stages, promises and messages that are left lying",
    Fault.RETURNS: "handoffs refused, work sent back, requests that bounce",
    Fault.ABSENT: "people who are away, with and without a deputy",
    Fault.LEAVING: "people who leave with work in hand",
    Fault.COURIERS: "third parties that go silent",
    Fault.UNDELIVERED: "landlines, dead numbers, phones that are off",
    Fault.CARRIER: "errors 500, lost answers, receipts missing, twice or out of order",
    Fault.REPLIES: "ambiguous replies, NO, and no answer at all",
    Fault.KILLED: "workers killed in the middle of their work",
    Fault.OUTAGE: "hours in which nothing of ours runs",
}


def read_faults(words: str) -> frozenset[Fault]:
    """The faults of `all`, `none` or "slow,absent". Raises BadInput with those there are."""
    if words.strip() in ("all", ""):
        return frozenset(Fault)
    if words.strip() == "none":
        return frozenset()
    names = [word.strip() for word in words.split(",") if word.strip()]
    known = {fault.value for fault in Fault}
    for name in names:
        if name not in known:
            raise BadInput(
                f"There is no fault {name[:40]!r}. There are all, none, {_listed(known)}."
            )
    return frozenset(Fault(name) for name in names)


@dataclass(frozen=True)
class SeededRandom:
    """Chance by name: the same question is answered alike, in whatever order it is asked."""

    seed: int
    faults: frozenset[Fault]

    def of(self, *names: object) -> Random:
        """Dice of their own for one thing."""
        return Random(":".join(map(str, (self.seed, *names))))

    def hit(self, fault: Fault, chance: float, *names: object) -> bool:
        """Whether this fault strikes here."""
        return fault in self.faults and self.of(fault.value, *names).random() < chance


def _listed(names: Iterable[str]) -> str:
    *some, last = sorted(names)
    return f"{', '.join(some)} and {last}"
