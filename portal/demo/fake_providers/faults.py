"""Faults on request: rules set by a test or a demo, and phone numbers that always fail."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from random import Random
from threading import Lock
from typing import Any, Self

OPERATIONS = ("create", "fetch", "list", "account", "media")


class FaultKind(StrEnum):
    """Every fault by name. The first group spoils an answer, the second a delivery or its callbacks."""

    DROP_CONNECTION_BEFORE = "drop_connection_before"
    REFUSE_AFTER_ACCEPT = "refuse_after_accept"
    ACCEPT_LATE = "accept_late"
    STATUS_500 = "status_500"
    STATUS_502_HTML = "status_502_html"
    STATUS_429 = "status_429"
    TRUNCATE_201 = "truncate_201"
    HANG = "hang"
    ERROR = "error"
    CALLBACK_BEFORE_ANSWER = "callback_before_answer"

    UNDELIVERED = "undelivered"
    FAILED = "failed"
    NO_RECEIPT = "no_receipt"
    NO_CALLBACK = "no_callback"
    CALLBACK_TWICE = "callback_twice"
    CALLBACK_REVERSED = "callback_reversed"
    CALLBACK_DELAY = "callback_delay"

    MAIL_REFUSE = "mail_refuse"


DELIVERY_FAULTS = frozenset(
    {
        FaultKind.UNDELIVERED,
        FaultKind.FAILED,
        FaultKind.NO_RECEIPT,
        FaultKind.NO_CALLBACK,
        FaultKind.CALLBACK_TWICE,
        FaultKind.CALLBACK_REVERSED,
        FaultKind.CALLBACK_DELAY,
    }
)
MAIL_FAULTS = frozenset({FaultKind.MAIL_REFUSE})
ANSWER_FAULTS = frozenset(FaultKind) - DELIVERY_FAULTS - MAIL_FAULTS

ALWAYS_ACCEPTS = frozenset(
    {FaultKind.ACCEPT_LATE, FaultKind.TRUNCATE_201, FaultKind.CALLBACK_BEFORE_ANSWER}
)
ACCEPTS = ALWAYS_ACCEPTS | {FaultKind.REFUSE_AFTER_ACCEPT, FaultKind.HANG}
NEVER_ACCEPTS = frozenset({FaultKind.DROP_CONNECTION_BEFORE, FaultKind.STATUS_429, FaultKind.ERROR})
NEED_A_CODE = frozenset(
    {FaultKind.ERROR, FaultKind.UNDELIVERED, FaultKind.FAILED, FaultKind.MAIL_REFUSE}
)
NEED_SECONDS = frozenset({FaultKind.HANG, FaultKind.ACCEPT_LATE, FaultKind.CALLBACK_DELAY})


class UnknownFault(ValueError):
    """An invalid rule; the message names what is valid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One rule: what to do, to which recipient (None: any) and how many times (None: always)."""

    do: FaultKind
    to: str | None = None
    times: int | None = None
    on: str = "create"
    """Which call it spoils: create, fetch, list, account or media."""
    code: int | None = None
    """A Twilio error code, or an SMTP reply code for mail_refuse."""
    seconds: float | None = None
    accepted: bool | None = None
    """Whether the text is accepted anyway; None leaves it to the kind of fault."""
    chance: float = 1.0
    """How likely it acts on a call that it fits, from 0 to 1."""

    def __post_init__(self) -> None:
        if self.on not in OPERATIONS:
            raise UnknownFault(f"A fault works on one of {', '.join(OPERATIONS)}, not {self.on}.")
        if not 0 <= self.chance <= 1:
            raise UnknownFault(f"A fault's chance is from 0 to 1, not {self.chance:g}.")
        if self.do in NEED_A_CODE and self.code is None:
            raise UnknownFault(f'The fault {self.do} needs a "code".')
        if self.do in NEED_SECONDS and self.seconds is None:
            raise UnknownFault(f'The fault {self.do} needs "seconds".')
        if self.accepted and self.do in NEVER_ACCEPTS:
            raise UnknownFault(f"The fault {self.do} never accepts the text.")
        if self.accepted is False and self.do in ALWAYS_ACCEPTS:
            raise UnknownFault(f"The fault {self.do} always accepts the text.")

    @property
    def accepts(self) -> bool:
        """Whether the text is accepted although the answer is spoiled."""
        return self.do in ACCEPTS if self.accepted is None else self.accepted

    def fits(self, kinds: frozenset[FaultKind], on: str, to: str | None) -> bool:
        """Whether it acts on a call to `on` for the recipient `to`."""
        return self.do in kinds and self.on == on and self.to in (None, to)

    @classmethod
    def from_json(cls, rule: Mapping[str, Any]) -> Self:
        """Raises UnknownFault for a name, a field or a value that means nothing here."""
        unknown = set(rule) - set(cls.__slots__)
        if unknown:
            raise UnknownFault(f"A fault has no field called {', '.join(sorted(unknown))}.")
        try:
            do = FaultKind(rule.get("do", ""))
        except ValueError:
            raise UnknownFault(f'"do" is one of {", ".join(FaultKind)}.') from None
        number = (int, float)
        numbers = {
            "times": int, "code": int, "seconds": number, "accepted": bool, "to": str,
            "chance": number,
        }  # fmt: skip
        for name, kind in numbers.items():
            if rule.get(name) is not None and not isinstance(rule[name], kind):  # type: ignore[arg-type]
                raise UnknownFault(f'The value of "{name}" is of the wrong kind.')
        return cls(**{**rule, "do": do})

    def as_json(self) -> dict[str, Any]:
        """As `from_json` reads it."""
        return asdict(self)


MAGIC_NUMBERS = {
    # Twilio's own magic numbers for its test credentials
    "+15005550001": Fault(do=FaultKind.ERROR, code=21211),
    "+15005550002": Fault(do=FaultKind.ERROR, code=21612),
    "+15005550003": Fault(do=FaultKind.ERROR, code=21408),
    "+15005550004": Fault(do=FaultKind.ERROR, code=21610),
    "+15005550009": Fault(do=FaultKind.ERROR, code=21614),
    # ours: the last four digits name the delivery error, 3003 for 30003
    "+14155553003": Fault(do=FaultKind.UNDELIVERED, code=30003),
    "+14155553005": Fault(do=FaultKind.UNDELIVERED, code=30005),
    "+14155553006": Fault(do=FaultKind.UNDELIVERED, code=30006),
    "+14155553007": Fault(do=FaultKind.UNDELIVERED, code=30007),
    "+14155553008": Fault(do=FaultKind.UNDELIVERED, code=30008),
}


class FaultRules:
    """The rules in force, in the order in which they were set. Safe from any thread.

    ``dice`` decides where a rule acts by chance; seed it to have the same throws again.
    """

    def __init__(self) -> None:
        self.dice = Random()
        self.acted: Counter[FaultKind] = Counter()
        """How often each fault has acted."""
        self._rules: list[tuple[Fault, int | None]] = []
        self._lock = Lock()

    def add(self, fault: Fault) -> None:
        """Put a rule in force, after those that already are."""
        with self._lock:
            self._rules.append((fault, fault.times))

    def clear(self) -> None:
        """Remove every rule; numbers keep their meaning."""
        with self._lock:
            self._rules.clear()

    def rules(self) -> list[dict[str, Any]]:
        """The rules still in force; `times` says how often each will still act."""
        with self._lock:
            return [
                {**fault.as_json(), "times": remaining_uses}
                for fault, remaining_uses in self._rules
            ]

    def take(
        self, kinds: frozenset[FaultKind], *, on: str = "create", to: str | None = None
    ) -> Fault | None:
        """The first rule that fits, used up once; else what the number itself means; else None."""
        if self._rules:
            with self._lock:
                for index, (fault, remaining_uses) in enumerate(self._rules):
                    if not fault.fits(kinds, on, to) or not self._happens(fault):
                        continue
                    if remaining_uses is not None and remaining_uses <= 1:
                        del self._rules[index]
                    elif remaining_uses is not None:
                        self._rules[index] = (fault, remaining_uses - 1)
                    self.acted[fault.do] += 1
                    return fault
        fixed_fault = MAGIC_NUMBERS.get(to or "")
        return fixed_fault if fixed_fault and fixed_fault.fits(kinds, on, to) else None

    def _happens(self, fault: Fault) -> bool:
        return fault.chance >= 1 or self.dice.random() < fault.chance
