"""What the status page shows: plain values in the customer's language, without table rows.

All times are aware and UTC; `TimeFormatter` turns them into the customer's timezone. The page is
the same for every viewer of a link until `redact` removes what this browser may not see; it is
cached for each such visibility.
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
from portal.rules.stage_timeline import StepState
from portal.tracking.status_page.timeline_view import (
    CurrentDepartment,
    DateEstimate,
    Delay,
    NextStep,
    StepGroup,
    WaitingHandoff,
    state_of,
)

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
class PromiseLine:
    """An open promise, as in "Pia will answer you". `text` has no time in it.

    With an `owner` the text is that person's own; without text, it is to answer.
    """

    key: str
    text: str
    due_at: datetime
    moved_reason: str | None = None
    owner: str | None = None

    def is_overdue(self, now: datetime) -> bool:
        """True from its due time on."""
        return now >= self.due_at


@dataclass(frozen=True, slots=True)
class PastPromise:
    """A closed promise and when it was kept; without `kept_at` it was missed."""

    text: str
    owner: str
    kept_at: datetime | None


@dataclass(frozen=True, slots=True)
class Question:
    """An open question to the customer, with a label for each answer; ``asks_time``: for a time."""

    follow_up: str
    text: str
    yes: str = LazyString("Yes")
    no: str = LazyString("No")
    asks_time: bool = False


@dataclass(frozen=True, slots=True)
class Appointment:
    """A future time at which our staff come, or call (`is_call`, without a title).

    `key` stays the same when the time changes.
    """

    key: str
    title: str
    at: datetime
    is_call: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """Why the request is on hold, and until when if that is known."""

    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How the request ended: confirmed by the customer, closed by staff, or `unconfirmed`."""

    at: datetime
    reason: str | None = None
    confirmed: bool = False
    unconfirmed: bool = False


@dataclass(frozen=True, slots=True)
class AttachmentLine:
    """A photo or document that came with a message.

    Without ``stored_file`` and ``rejected`` (the reason) it is still being fetched. ``needs_code``
    is its kind where a code must be shown first; the other fields are then empty.
    """

    key: str
    stored_file: StoredFile | None = None
    rejected: str = ""
    needs_code: Literal["", "photo", "paper"] = ""


@dataclass(frozen=True, slots=True)
class ConversationLine:
    """One message of the conversation. `author` is a person or the brand; None is the customer.

    `channel` is how it came: by text, by e-mail, or written on this page.
    """

    key: str
    body: str
    at: datetime
    author: str | None
    channel: Literal["sms", "email", "web"] = "web"
    files: tuple[AttachmentLine, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """A document that staff gave to the customer, and when."""

    file: AttachmentLine
    at: datetime


@dataclass(frozen=True)
class StatusPage:
    """Everything that the page of one request shows at `now`.

    `title` names the request, `headline` is the customer's title of its current stage. `path` is
    that of the tracking link. `step_groups` is the timeline in order; parallel steps share a group.
    After `ask_after`, the last promised date, the page offers to ask now.
    `hidden_message_count` counts the messages that only a browser that has shown a code may see.
    `draft` and `refusal` repeat a message that could not be sent, with the reason.
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
    documents: tuple[DocumentLine, ...] = ()
    may_withdraw: bool = False
    theme: Theme = DEFAULT_THEME
    draft: str = ""
    refusal: str | None = None

    @cached_property
    def times(self) -> TimeFormatter:
        """Formats times in this customer's language and timezone."""
        return TimeFormatter(self.locale, self.timezone, self.now)

    def context(self) -> dict[str, Any]:
        """The values of the template."""
        return {
            "page": self,
            "times": self.times,
            "brand": self.brand,
            "support_contact": self.support_contact,
            "theme": self.theme,
            "locale": self.locale,
            "direction": self.times.direction,
        }

    @property
    def is_over(self) -> bool:
        """True once the request is closed."""
        return self.status in ("completed", "declined", "cancelled")

    @property
    def step_states(self) -> tuple[StepState, ...]:
        """The state of each group of steps."""
        return tuple(state_of(level) for level in self.step_groups)

    @property
    def step(self) -> int:
        """The number of the first step under way, counted from one; 0 where none is."""
        under_way = [
            number
            for number, state in enumerate(self.step_states, 1)
            if state in ("current", "handed_off", "paused")
        ]
        return 0 if self.is_over else min(under_way, default=0)

    @property
    def current_step_by(self) -> datetime | None:
        """By when the only current step is done, where no step is known to follow it."""
        under_way = [
            step for group in self.step_groups for step in group if step.state == "current"
        ]
        if self.next_step or len(under_way) != 1 or under_way[0].is_overdue(self.now):
            return None
        return under_way[0].expected_at

    @property
    def is_customers_turn(self) -> bool:
        """True while we wait for the customer, or they may ask now."""
        waits = self.status == "waiting_on_customer" or self.question is not None
        return waits or self.may_ask_now

    @property
    def tone(self) -> str:
        """The colours of the page: `attention` on the customer's turn, a hold or a delay."""
        if self.is_over:
            return "" if self.status == "completed" else "muted"
        return "attention" if self.is_customers_turn or self.pause or self.delay else ""

    @property
    def is_long_over(self) -> bool:
        """True when it ended more than LONG_AGO ago."""
        return self.ending is not None and self.now - self.ending.at > LONG_AGO

    @property
    def awaits_reply(self) -> bool:
        """True while we owe the customer a reply."""
        return any(not promise.text for promise in self.promises)

    @property
    def may_ask_now(self) -> bool:
        """True from the last promised date on."""
        return self.ask_after is not None and self.now >= self.ask_after

    @property
    def live_url(self) -> str:
        """The stream of the changes after this page was rendered."""
        return f"{self.path}/live?since={self.last_event_id}"

    @property
    def valid_until(self) -> datetime:
        """Until when the page may be shown without a change of the request.

        That is the customer's midnight, or an earlier moment at which something becomes late.
        """
        return min(moment for moment in self._moments() if moment > self.now)

    def _moments(self) -> Iterator[datetime]:
        yield self.times.next_midnight()
        if self.ask_after is not None:
            yield self.ask_after
        if self.estimate is not None:
            yield self.estimate.usually_by
        for promise in self.promises:
            yield promise.due_at
        for appointment in self.appointments:
            yield appointment.at
        for step in (step for group in self.step_groups for step in group):
            if step.state in ("current", "handed_off") and step.expected_at:
                yield step.expected_at
            if step.handoff and step.handoff.accept_by:
                yield step.handoff.accept_by
