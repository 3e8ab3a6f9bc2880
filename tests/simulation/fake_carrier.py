"""The simulated carrier: which texts go wrong, and when each delivery is reported.

The audit at the end compares the product with what the account here says.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from itertools import count
from urllib.parse import parse_qs, urlsplit

from portal import business_time
from portal.demo.fake_providers import CarrierConfig, FaultKind, FaultRules
from portal.demo.fake_providers import Fault as CarrierFault
from portal.demo.fake_providers.account import Account, Step, delivery_steps
from portal.demo.fake_providers.faults import ANSWER_FAULTS
from portal.demo.fake_providers.sms import Text
from portal.messaging.sms import twilio_codes
from portal.operations import Receipt
from tests.simulation.faults import Fault, SeededRandom
from tests.support.fake_gateways import SENDER, InProcessCarrier

PHONE_OFF, NOT_IN_SERVICE, IS_LANDLINE, NO_TEXTS = 30003, 30005, 30006, 21614
REPEATED_AFTER = 2.0
"""Seconds between two callbacks where one comes late or twice."""
SPOILED_ANSWERS = {
    "429": (FaultKind.STATUS_429, "answers 429, nothing accepted"),
    "500": (FaultKind.STATUS_500, "answers 500, nothing accepted"),
    "lost": (FaultKind.REFUSE_AFTER_ACCEPT, "texts accepted, answer lost"),
}
SPOILED_CALLBACKS = {
    "none": FaultKind.NO_CALLBACK, "reversed": FaultKind.CALLBACK_REVERSED, "twice": FaultKind.CALLBACK_TWICE,
}  # fmt: skip


class PhoneKind(Enum):
    """What a customer's number belongs to."""

    MOBILE = auto()
    NOT_IN_SERVICE = auto()
    LANDLINE = auto()


@dataclass(order=True)
class DeliveryUpdate:
    """A step of a text's delivery at its moment."""

    at: datetime
    number: int
    text: Text = field(compare=False)
    step: Step = field(compare=False)

    @property
    def receipt(self) -> Receipt:
        """The update as our webhook passes it on."""
        code = str(self.step.error_code) if self.step.error_code else None
        status = twilio_codes.status(self.step.status)
        return Receipt(message_id_of(self.text), self.text.sid, status, code)


class SimulatedFaults(FaultRules):
    """Spoils answers by the seed; ``acts`` counts each fault in words."""

    def __init__(self, seeded: SeededRandom) -> None:
        super().__init__()
        self.seeded = seeded
        self.phones: dict[str, PhoneKind] = {}
        self.tries: Counter[str] = Counter()
        self.acts: Counter[str] = Counter()

    def take(
        self, kinds: frozenset[FaultKind], *, on: str = "create", to: str | None = None
    ) -> CarrierFault | None:
        """See ``FaultRules.take``; a fault of a delivery is drawn with its times instead."""
        if on != "create" or kinds is not ANSWER_FAULTS or to is None:
            return None
        self.tries[to] += 1
        names = (to, self.tries[to])
        if self.seeded.hit(Fault.CARRIER, 0.02, *names):
            choice = self.seeded.of("trouble", *names).choice(("500", "429", "lost", "lost"))
            do, words = SPOILED_ANSWERS[choice]
            self.acts[words] += 1
            return CarrierFault(do=do)
        if self.phones.get(to) == PhoneKind.LANDLINE and self.tries[to] % 2:
            self.acts["refused: cannot receive texts"] += 1
            return CarrierFault(do=FaultKind.ERROR, code=NO_TEXTS)
        return None


class SimulatedCarrier:
    """The fake carrier on simulated time; ``schedule`` receives each step of a delivery."""

    def __init__(self, dice: SeededRandom, schedule: Callable[[DeliveryUpdate], None]) -> None:
        self.dice, self._schedule = dice, schedule
        self.faults = SimulatedFaults(dice)
        sids, self._numbers = count(1), count(1)
        self.account = Account(
            CarrierConfig(from_number=SENDER),
            self.faults,
            now=business_time.now,
            new_sid=lambda: f"SM{next(sids):032x}",
        )
        self.gateway = InProcessCarrier(self.account, self._plan)

    def _plan(self, text: Text) -> None:
        """Draw what becomes of an accepted text, and which of the callbacks come."""
        names = (text.to, self.faults.tries[text.to])
        chance = self.dice.of("delivery", *names)
        sent_after = chance.randint(1, 4)
        delivered_after = sent_after + chance.randint(2, 25)
        faults = (
            [CarrierFault(do=FaultKind.UNDELIVERED, code=code)]
            if (code := self._error(names))
            else []
        )
        reported = {"sent", "end"}
        if self.dice.hit(Fault.CARRIER, 0.06, "receipts", *names):
            odd = chance.choice(("none", "no end", "reversed", "twice"))
            self.faults.acts[f"receipts: {odd}"] += 1
            if odd in SPOILED_CALLBACKS:
                faults.append(CarrierFault(do=SPOILED_CALLBACKS[odd]))
            else:
                reported = {"sent"}
        elif chance.random() < 0.7:
            reported = {"end"}  # Most phones answer so fast that there is one callback.
        text.faults = tuple(faults)
        for step in delivery_steps(text.faults, sent_after, delivered_after, REPEATED_AFTER):
            if step.status == "queued":
                continue
            is_reported = (
                step.is_reported and ("sent" if step.status == "sent" else "end") in reported
            )
            at = text.created_at + timedelta(seconds=step.after)
            update = replace(step, is_reported=is_reported)
            self._schedule(DeliveryUpdate(at, next(self._numbers), text, update))

    def _error(self, names: tuple[str, int]) -> int | None:
        """The error code of a delivery that fails."""
        kind = self.faults.phones.get(names[0], PhoneKind.MOBILE)
        if kind != PhoneKind.MOBILE:
            self.faults.acts["not delivered: not a mobile in service"] += 1
            return NOT_IN_SERVICE if kind == PhoneKind.NOT_IN_SERVICE else IS_LANDLINE
        if self.dice.hit(Fault.UNDELIVERED, 0.02, "off", *names):
            self.faults.acts["not delivered: the phone is off"] += 1
            return PHONE_OFF
        return None


def draw_phone_kind(number: int, dice: SeededRandom) -> PhoneKind:
    """What the phone number of a simulated request belongs to."""
    if dice.hit(Fault.UNDELIVERED, 0.03, "phone", number):
        return dice.of("which phone", number).choice((PhoneKind.NOT_IN_SERVICE, PhoneKind.LANDLINE))
    return PhoneKind.MOBILE


def message_id_of(text: Text) -> int:
    """Our own id, from the address of the callback."""
    return int(parse_qs(urlsplit(text.status_callback or "").query)["m"][0])
