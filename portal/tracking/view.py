"""What the status page shows: plain values, already the customer's, nothing of how they are kept.

All times are aware and UTC; `Words` turns them into the customer's. The page is the same for every
viewer of a link, so that it can be drawn once and kept: nothing here is about the one who looks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Literal

from portal.files.kept import KeptFile
from portal.messaging.times import Words

Status = Literal[
    "open",
    "waiting_on_customer",
    "on_hold",
    "awaiting_confirmation",
    "completed",
    "declined",
    "cancelled",
]
LegState = Literal["done", "now", "passed", "paused", "to", "ended", "skipped"]


@dataclass(frozen=True, slots=True)
class WaitingHandoff:
    """Sent to a department that has not taken it up yet."""

    department: str
    sent_at: datetime
    accept_by: datetime | None


@dataclass(frozen=True, slots=True)
class Heard:
    """The latest word of a third party that does a leg for us, and its number for the customer."""

    by: str
    words: str
    at: datetime
    number: str = ""


@dataclass(frozen=True, slots=True)
class Leg:
    """One department's part of the way.

    `now` is being worked on, `passed` is sent to the department and not taken up yet, `paused`
    waits on the customer or on a hold, `to` lies ahead and is expected to begin at `expected_at`,
    `ended` was under way when the request ended, `skipped` was not needed.
    """

    key: str
    title: str
    department: str
    state: LegState
    began_at: datetime | None = None
    ended_at: datetime | None = None
    expected_at: datetime | None = None
    handoff: WaitingHandoff | None = None
    note: str | None = None
    heard: Heard | None = None
    again: bool = False

    @property
    def took(self) -> timedelta | None:
        """From beginning to end, by the wall clock."""
        if self.began_at is None or self.ended_at is None:
            return None
        return self.ended_at - self.began_at

    def is_late(self, now: datetime) -> bool:
        """Under way past the time that was said. A paused leg is never late: its clock stands."""
        under_way = self.state in ("now", "passed")
        return under_way and self.expected_at is not None and now >= self.expected_at


@dataclass(frozen=True, slots=True)
class Holder:
    """A department that has the request in hand."""

    department: str
    since: datetime


@dataclass(frozen=True, slots=True)
class NextUp:
    """What comes after what is now, and the day it was promised for."""

    title: str
    by: datetime | None


@dataclass(frozen=True, slots=True)
class PromiseLine:
    """Somebody's word to the customer, as in "Pia will answer you". `words` has no time in it.

    With an `owner` the words are that person's own; without words, it is to answer.
    """

    key: str
    words: str
    due_at: datetime
    moved_because: str | None = None
    owner: str | None = None

    def is_late(self, now: datetime) -> bool:
        """Not kept by the time that was given."""
        return now >= self.due_at


@dataclass(frozen=True, slots=True)
class PastPromise:
    """Our word that was kept, and when; with no `kept_at` the request ended without it."""

    words: str
    owner: str
    kept_at: datetime | None


@dataclass(frozen=True, slots=True)
class Question:
    """A question put to the customer, with a label for each answer; ``asks_time``: for a time."""

    follow_up: str
    words: str
    yes: str = "Yes"
    no: str = "No"
    asks_time: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """Why the clock stands, and until when if that is known."""

    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Delay:
    """What was said (`was_by`) has passed; or what we have said anew (`now_by`), and why."""

    was_by: datetime | None = None
    now_by: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Likely:
    """By when half of its like are done, and by when we say that this one is."""

    usually_by: datetime
    latest_by: datetime


@dataclass(frozen=True, slots=True)
class Ending:
    """How it ended: the customer's word where they gave it, ours, or neither (`unconfirmed`)."""

    at: datetime
    reason: str | None = None
    confirmed: bool = False
    unconfirmed: bool = False


@dataclass(frozen=True, slots=True)
class FileLine:
    """A photo or paper that came with a message.

    Neither ``kept`` nor ``refused`` (the reason): it is still on its way.
    """

    key: str
    kept: KeptFile | None = None
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One message of the conversation. `author` is a department or the brand; None is the customer.

    `channel` is the way it came: by text, by e-mail, or written on this page.
    """

    key: str
    body: str
    at: datetime
    author: str | None
    channel: Literal["sms", "email", "web"] = "web"
    files: tuple[FileLine, ...] = ()


@dataclass(frozen=True)
class StatusPage:
    """Everything that one request's page shows at the moment `now`.

    `title` names the matter, `headline` is the customer's title of where it stands. `path` is that
    of the tracking link. `levels` is the way in order; legs that run side by side share a level.
    `ask_from` is the last date that we believed in: after it the page offers to ask now.
    `draft` and `refusal` bring back words that could not be sent, with the reason.
    """

    now: datetime
    brand: str
    support_contact: str | None
    reference: str
    title: str
    first_name: str
    locale: str
    timezone: str
    status: Status
    headline: str
    write_to: str
    path: str
    last_event_id: int
    holders: tuple[Holder, ...] = ()
    handoff: WaitingHandoff | None = None
    next_up: NextUp | None = None
    delay: Delay | None = None
    likely: Likely | None = None
    ask_from: datetime | None = None
    question: Question | None = None
    pause: Pause | None = None
    ending: Ending | None = None
    promises: tuple[PromiseLine, ...] = ()
    past_promises: tuple[PastPromise, ...] = ()
    levels: tuple[tuple[Leg, ...], ...] = ()
    conversation: tuple[Line, ...] = ()
    draft: str = ""
    refusal: str | None = None

    @cached_property
    def words(self) -> Words:
        """Times as this customer reads them."""
        return Words(self.locale, self.timezone, self.now)

    def context(self) -> dict[str, Any]:
        """What the template is given."""
        return {
            "page": self,
            "words": self.words,
            "brand": self.brand,
            "support_contact": self.support_contact,
            "locale": self.locale,
            "direction": self.words.direction,
        }

    @property
    def is_over(self) -> bool:
        """Nothing more comes, unless somebody opens it again."""
        return self.status in ("completed", "declined", "cancelled")

    @property
    def offers_to_ask(self) -> bool:
        """Past the last date that we believed in."""
        return self.ask_from is not None and self.now >= self.ask_from

    @property
    def live_url(self) -> str:
        """The stream of what changes after this page was drawn."""
        return f"{self.path}/live?since={self.last_event_id}"

    @property
    def valid_until(self) -> datetime:
        """When these words stop being true by themselves.

        That is the reader's midnight, or sooner the next moment at which something becomes late.
        """
        return min(moment for moment in self._moments() if moment > self.now)

    def _moments(self) -> Iterator[datetime]:
        yield self.words.next_midnight()
        if self.ask_from is not None:
            yield self.ask_from
        if self.likely is not None:
            yield self.likely.usually_by
        for promise in self.promises:
            yield promise.due_at
        for leg in (leg for level in self.levels for leg in level):
            if leg.state in ("now", "passed") and leg.expected_at:
                yield leg.expected_at
            if leg.handoff and leg.handoff.accept_by:
                yield leg.handoff.accept_by


@dataclass(frozen=True, slots=True)
class Channel:
    """A way to write to the customer; `address` is masked, enough to know one's own.

    `stopped` says whether they want nothing by it about this request, or nothing at all.
    """

    kind: Literal["sms", "email"]
    address: str
    stopped: Literal["", "request", "all"] = ""


@dataclass(frozen=True, slots=True)
class PreferencesPage:
    """How the customer wants to hear from us, and whether at all."""

    reference: str
    locale: str
    path: str
    channels: tuple[Channel, ...]
    chosen: Literal["sms", "email"]
    languages: tuple[tuple[str, str], ...]
    saved: bool = False
    refusal: str | None = None

    @property
    def stopped_all(self) -> bool:
        """Nothing is written to them at all, by whichever way."""
        return all(channel.stopped == "all" for channel in self.channels)


@dataclass(frozen=True, slots=True)
class UnsubscribePage:
    """Whether mail about this request is stopped, and the ways to stop it."""

    reference: str
    locale: str
    path: str
    stopped: bool
