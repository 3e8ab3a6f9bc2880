"""What the status page shows: plain values, already the customer's, nothing of how they are kept.

All times are aware and UTC; `TimeFormatter` turns them into the customer's. The page is the same for every
viewer of a link, so that it can be drawn once and kept, and once more for browsers that have shown
a code: nothing here is about the one who looks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Literal

from portal.attachments.stored_file import StoredFile
from portal.branding.theme import DEFAULT_THEME, Theme
from portal.i18n.lazy_string import LazyString
from portal.messaging.wording.time_format import TimeFormatter
from portal.tracking.status_page.timeline_view import StepGroup, StepState, WaitingHandoff, state_of

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
class CurrentDepartment:
    """A department that has the request in hand."""

    department: str
    since: datetime


@dataclass(frozen=True, slots=True)
class NextStep:
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

    def is_overdue(self, now: datetime) -> bool:
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
    yes: str = LazyString("Yes")
    no: str = LazyString("No")
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
    """What was said (`previous_by`) has passed; or what we have said anew (`now_by`), and why."""

    previous_by: datetime | None = None
    now_by: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class DateEstimate:
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
class AttachmentLine:
    """A photo or paper that came with a message.

    Neither ``kept`` nor ``refused`` (the reason): it is still on its way. ``needs_code`` says what
    it is where a code is asked for first; then there is nothing else of it.
    """

    key: str
    kept: StoredFile | None = None
    refused: str = ""
    needs_code: Literal["", "photo", "paper"] = ""


@dataclass(frozen=True, slots=True)
class ConversationLine:
    """One message of the conversation. `author` is a department or the brand; None is the customer.

    `channel` is the way it came: by text, by e-mail, or written on this page.
    """

    key: str
    body: str
    at: datetime
    author: str | None
    channel: Literal["sms", "email", "web"] = "web"
    files: tuple[AttachmentLine, ...] = ()


@dataclass(frozen=True)
class StatusPage:
    """Everything that one request's page shows at the moment `now`.

    `title` names the matter, `headline` is the customer's title of where it stands. `path` is that
    of the tracking link. `levels` is the way in order; legs that run side by side share a level.
    `ask_after` is the last date that we believed in: after it the page offers to ask now.
    `hidden_message_count` counts what was said and is shown only to a browser that has shown a code.
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
    current_departments: tuple[CurrentDepartment, ...] = ()
    handoff: WaitingHandoff | None = None
    next_step: NextStep | None = None
    delay: Delay | None = None
    estimate: DateEstimate | None = None
    ask_after: datetime | None = None
    question: Question | None = None
    pause: Pause | None = None
    ending: Ending | None = None
    promises: tuple[PromiseLine, ...] = ()
    past_promises: tuple[PastPromise, ...] = ()
    appointments: tuple[Appointment, ...] = ()
    step_groups: tuple[StepGroup, ...] = ()
    conversation: tuple[ConversationLine, ...] = ()
    hidden_message_count: int = 0
    theme: Theme = DEFAULT_THEME
    draft: str = ""
    refusal: str | None = None

    @cached_property
    def words(self) -> TimeFormatter:
        """Times as this customer reads them."""
        return TimeFormatter(self.locale, self.timezone, self.now)

    def context(self) -> dict[str, Any]:
        """What the template is given."""
        return {
            "page": self,
            "words": self.words,
            "brand": self.brand,
            "support_contact": self.support_contact,
            "theme": self.theme,
            "locale": self.locale,
            "direction": self.words.direction,
        }

    @property
    def is_over(self) -> bool:
        """Nothing more comes, unless somebody opens it again."""
        return self.status in ("completed", "declined", "cancelled")

    @property
    def step_states(self) -> tuple[StepState, ...]:
        """Where each step of the way stands."""
        return tuple(state_of(level) for level in self.step_groups)

    @property
    def step(self) -> int:
        """The number of the step at hand, counted from one; 0 where none is."""
        at_hand = [
            n for n, state in enumerate(self.step_states, 1) if state in ("now", "passed", "paused")
        ]
        return 0 if self.is_over else min(at_hand, default=0)

    @property
    def current_step_by(self) -> datetime | None:
        """By when what is under way is done, where nothing is known to follow it."""
        under_way = [leg for level in self.step_groups for leg in level if leg.state == "now"]
        if self.next_step or len(under_way) != 1 or under_way[0].is_overdue(self.now):
            return None
        return under_way[0].expected_at

    @property
    def is_customers_turn(self) -> bool:
        """It waits for the customer, or they may ask for more than to be told."""
        waits = self.status == "waiting_on_customer" or self.question is not None
        return waits or self.may_ask_now

    @property
    def tone(self) -> str:
        """The light that all of it stands in: warm where it is the customer's turn, or is late."""
        if self.is_over:
            return "" if self.status == "completed" else "still"
        return "heed" if self.is_customers_turn or self.pause or self.delay else ""

    @property
    def is_long_over(self) -> bool:
        """It ended more than a month ago."""
        return self.ending is not None and self.now - self.ending.at > LONG_AGO

    @property
    def awaits_reply(self) -> bool:
        """They wrote, and we have said by when we answer."""
        return any(not promise.words for promise in self.promises)

    @property
    def may_ask_now(self) -> bool:
        """Past the last date that we believed in."""
        return self.ask_after is not None and self.now >= self.ask_after

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
        if self.ask_after is not None:
            yield self.ask_after
        if self.estimate is not None:
            yield self.estimate.usually_by
        for promise in self.promises:
            yield promise.due_at
        for appointment in self.appointments:
            yield appointment.at
        for leg in (leg for level in self.step_groups for leg in level):
            if leg.state in ("now", "passed") and leg.expected_at:
                yield leg.expected_at
            if leg.handoff and leg.handoff.accept_by:
                yield leg.handoff.accept_by
