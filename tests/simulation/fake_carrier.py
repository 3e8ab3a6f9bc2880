"""A carrier and a mail server in this process: the doors are the product's, the far side is ours.

They keep their own record of what they took and what became of it. It is what the reckoning is
made by, whatever the product says.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from enum import Enum, auto
from random import Random
from urllib.parse import parse_qs, urlsplit

from portal import business_time
from portal.messaging.send_errors import OutcomeUnknown, Refused, Throttled
from portal.messaging.sms import twilio_codes as meaning
from portal.messaging.sms.twilio_client import Accepted, TwilioMessage
from portal.models import MessageStatus
from portal.operations import Receipt
from tests.simulation.faults import Fault, SeededRandom

OFF, DEAD, LANDLINE = 30003, 30005, 30006


class Phone(Enum):
    """What there is at the other end of a number."""

    GOOD = auto()
    DEAD = auto()
    LANDLINE = auto()


@dataclass
class Text:
    """One text that the carrier took, and what it says of it."""

    sid: str
    to: str
    body: str
    message_id: int
    taken_at: datetime
    status: MessageStatus = MessageStatus.ACCEPTED
    error_code: int | None = None
    ended_at: datetime | None = None


@dataclass(order=True)
class StatusChange:
    """What happens to a text at a moment, and whether the product is told of it."""

    at: datetime
    number: int
    text: Text = field(compare=False)
    status: MessageStatus = field(compare=False)
    error_code: int | None = field(compare=False, default=None)
    is_reported: bool = field(compare=False, default=True)

    @property
    def receipt(self) -> Receipt:
        """As it is posted to our hook."""
        code = str(self.error_code) if self.error_code else None
        return Receipt(self.text.message_id, self.text.sid, self.status, code)


@dataclass
class FakeCarrier:
    """Speaks as the product's gateway to Twilio does.

    ``schedule_status`` takes what is to happen to a text later; ``phones`` knows the numbers that are no
    good.
    """

    dice: SeededRandom
    schedule_status: Callable[[StatusChange], None]
    phones: dict[str, Phone] = field(default_factory=dict)
    sender: str = "+15005550006"
    texts: dict[str, Text] = field(default_factory=dict)
    tried: Counter[str] = field(default_factory=Counter)
    injected: Counter[str] = field(default_factory=Counter)
    _news: int = 0

    async def send(
        self, to: str, body: str, status_callback: str, validity_seconds: int | None = None
    ) -> Accepted:
        """Take a text, or not; see ``TwilioClient.send``."""
        del validity_seconds
        self.tried[to] += 1
        names = (to, self.tried[to])
        if self.dice.hit(Fault.CARRIER, 0.02, *names):
            trouble = self.dice.of("trouble", *names).choice(("500", "429", "lost", "lost"))
            if trouble == "429":
                self.injected["told to slow down"] += 1
                raise Throttled("Twilio asks us to slow down.")
            if trouble == "500":
                self.injected["error 500, nothing taken"] += 1
                raise OutcomeUnknown("Twilio answered with HTTP 500.")
            self.injected["text taken, answer lost"] += 1
            self._take(to, body, status_callback, names)
            raise OutcomeUnknown("No sure answer from Twilio: the connection was lost.")
        if self.phones.get(to) == Phone.LANDLINE and names[1] % 2:
            self.injected["refused: cannot receive texts"] += 1
            raise Refused(21614, meaning.verdict(21614))
        text = self._take(to, body, status_callback, names)
        return Accepted(text.sid, MessageStatus.ACCEPTED, 1)

    async def fetch(self, sid: str) -> TwilioMessage | None:
        """What became of one text."""
        text = self.texts.get(sid)
        return _as_sent(text) if text else None

    async def find_sent(
        self, to: str | None, since: datetime, until: datetime
    ) -> list[TwilioMessage]:
        """What was taken between two moments, oldest first."""
        return [
            _as_sent(text)
            for text in self.texts.values()
            if since <= text.taken_at < until and to in (None, text.to)
        ]

    async def close(self) -> None:
        """Nothing is open."""

    def hear(self, news: StatusChange) -> None:
        """It has happened."""
        news.text.status, news.text.error_code = news.status, news.error_code
        news.text.ended_at = news.at

    def _take(self, to: str, body: str, status_callback: str, names: tuple[str, int]) -> Text:
        message_id = int(parse_qs(urlsplit(status_callback).query)["m"][0])
        text = Text(f"SM{len(self.texts) + 1:032x}", to, body, message_id, business_time.now())
        self.texts[text.sid] = text
        self._plan(text, self.dice.of("delivery", *names), names)
        return text

    def _plan(self, text: Text, chance: Random, names: tuple[str, int]) -> None:
        """What will become of it, and which of the receipts come."""
        sent_at = text.taken_at + timedelta(seconds=chance.randint(1, 4))
        end_at = sent_at + timedelta(seconds=chance.randint(2, 25))
        status, code = self._end(text.to, names)
        told = ["sent", "end"]
        if self.dice.hit(Fault.CARRIER, 0.06, "receipts", *names):
            odd = chance.choice(("none", "no end", "reversed", "twice"))
            self.injected[f"receipts: {odd}"] += 1
            told = {
                "none": [], "no end": ["sent"], "reversed": ["end", "sent"],
                "twice": ["sent", "end", "end"],
            }[odd]  # fmt: skip
        elif chance.random() < 0.7:
            told = ["end"]  # Most phones answer so fast that there is but one.
        self._say(text, sent_at, MessageStatus.SENT, None, is_reported=told[:1] == ["sent"])
        self._say(text, end_at, status, code, is_reported="end" in told)
        if told[1:] == ["sent"]:
            late = end_at + timedelta(seconds=3)
            self._say(text, late, MessageStatus.SENT, None, happens=False)
        if told.count("end") > 1:
            self._say(text, end_at + timedelta(seconds=2), status, code)

    def _end(self, to: str, names: tuple[str, int]) -> tuple[MessageStatus, int | None]:
        phone = self.phones.get(to, Phone.GOOD)
        if phone != Phone.GOOD:
            self.injected["not delivered: a number that is no good"] += 1
            return MessageStatus.UNDELIVERED, DEAD if phone == Phone.DEAD else LANDLINE
        if self.dice.hit(Fault.UNDELIVERED, 0.02, "off", *names):
            self.injected["not delivered: the phone is off"] += 1
            return MessageStatus.UNDELIVERED, OFF
        return MessageStatus.DELIVERED, None

    def _say(
        self,
        text: Text,
        at: datetime,
        status: MessageStatus,
        code: int | None,
        *,
        is_reported: bool = True,
        happens: bool = True,
    ) -> None:
        self._news += 1
        news = StatusChange(at, self._news, text, status, code, is_reported)
        if not happens:
            news.text = Text(text.sid, text.to, text.body, text.message_id, text.taken_at)
        self.schedule_status(news)


@dataclass
class FakeMailServer:
    """Takes mails; ``arrived`` is called with the Message-ID of each new one."""

    arrived: Callable[[str, str], None]
    mails: Counter[str] = field(default_factory=Counter)

    async def send(self, message: EmailMessage, envelope_from: str = "") -> None:
        """See ``SmtpClient.send``. The same mail twice is one mail on a reader's screen."""
        del envelope_from
        message_id = str(message["Message-ID"])
        self.mails[message_id] += 1
        if self.mails[message_id] == 1:
            self.arrived(message_id, message["To"].addresses[0].addr_spec)


def _as_sent(text: Text) -> TwilioMessage:
    return TwilioMessage(
        text.sid, text.status, text.to, "", text.body, text.taken_at, text.error_code, segments=1
    )
