"""What the status page shows: plain values, already the customer's, nothing of how they are kept.

All times are aware and UTC; `Words` turns them into the customer's. The page is the same for every
viewer of a link, so that it can be drawn once and kept, and once more for browsers that have shown
a code: nothing here is about the one who looks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Literal

from portal.attachments.stored_file import KeptFile
from portal.branding.theme import PLAIN, Livery
from portal.i18n.lazy_string import Sentence
from portal.messaging.wording.time_format import Words
from portal.tracking.status_page.timeline_view import LegState, Level, WaitingHandoff, state_of

Status = Literal[
    "open",
    "waiting_on_customer",
    "on_hold",
    "awaiting_confirmation",
    "completed",
    "declined",
    "cancelled",
]
LONG_AGO = timedelta(days=30)


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
    yes: str = Sentence("Yes")
    no: str = Sentence("No")
    asks_time: bool = False


@dataclass(frozen=True, slots=True)
class Appointment:
    """A time ahead at which somebody of ours comes, or calls (`is_call`, without a title).

    `key` stays the same when the time changes.
    """

    key: str
    title: str
    at: datetime
    is_call: bool = False


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

    Neither ``kept`` nor ``refused`` (the reason): it is still on its way. ``behind_code`` says what
    it is where a code is asked for first; then there is nothing else of it.
    """

    key: str
    kept: KeptFile | None = None
    refused: str = ""
    behind_code: Literal["", "photo", "paper"] = ""


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
    `lines_behind_code` counts what was said and is shown only to a browser that has shown a code.
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
    appointments: tuple[Appointment, ...] = ()
    levels: tuple[Level, ...] = ()
    conversation: tuple[Line, ...] = ()
    lines_behind_code: int = 0
    livery: Livery = PLAIN
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
            "livery": self.livery,
            "locale": self.locale,
            "direction": self.words.direction,
        }

    @property
    def is_over(self) -> bool:
        """Nothing more comes, unless somebody opens it again."""
        return self.status in ("completed", "declined", "cancelled")

    @property
    def track(self) -> tuple[LegState, ...]:
        """Where each step of the way stands."""
        return tuple(state_of(level) for level in self.levels)

    @property
    def step(self) -> int:
        """The number of the step at hand, counted from one; 0 where none is."""
        at_hand = [
            n for n, state in enumerate(self.track, 1) if state in ("now", "passed", "paused")
        ]
        return 0 if self.is_over else min(at_hand, default=0)

    @property
    def this_step_by(self) -> datetime | None:
        """By when what is under way is done, where nothing is known to follow it."""
        under_way = [leg for level in self.levels for leg in level if leg.state == "now"]
        if self.next_up or len(under_way) != 1 or under_way[0].is_late(self.now):
            return None
        return under_way[0].expected_at

    @property
    def is_yours(self) -> bool:
        """It waits for the customer, or they may ask for more than to be told."""
        waits = self.status == "waiting_on_customer" or self.question is not None
        return waits or self.offers_to_ask

    @property
    def tone(self) -> str:
        """The light that all of it stands in: warm where it is the customer's turn, or is late."""
        if self.is_over:
            return "" if self.status == "completed" else "still"
        return "heed" if self.is_yours or self.pause or self.delay else ""

    @property
    def was_long_ago(self) -> bool:
        """It ended more than a month ago."""
        return self.ending is not None and self.now - self.ending.at > LONG_AGO

    @property
    def is_owed_an_answer(self) -> bool:
        """They wrote, and we have said by when we answer."""
        return any(not promise.words for promise in self.promises)

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
        for appointment in self.appointments:
            yield appointment.at
        for leg in (leg for level in self.levels for leg in level):
            if leg.state in ("now", "passed") and leg.expected_at:
                yield leg.expected_at
            if leg.handoff and leg.handoff.accept_by:
                yield leg.handoff.accept_by
