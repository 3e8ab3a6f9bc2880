"""What the status page shows: plain values in the customer's language, without table rows.

All times are aware and UTC; `TimeFormatter` turns them into the customer's timezone. The page is
the same for every viewer of a link until `redact` removes what this browser may not see; it is
cached for each such visibility.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Literal

from portal.branding.theme import DEFAULT_THEME, Theme
from portal.messaging.wording.time_format import TimeFormatter
from portal.rules.stages.stage_timeline import StepState
from portal.tracking.status_page.appointment_view import Appointment
from portal.tracking.status_page.conversation_view import (
    ConversationLine,
    DocumentLine,
    ShownLine,
    show_lines,
)
from portal.tracking.status_page.needs_view import NO_NEEDS, Needs
from portal.tracking.status_page.promises_view import PastPromise, PromiseLine
from portal.tracking.status_page.question_view import Question
from portal.tracking.status_page.timeline_view import (
    ArrivalLine,
    CurrentDepartment,
    DateEstimate,
    Delay,
    Ending,
    FoldedSteps,
    LastReport,
    NextStep,
    Pause,
    PlaceToCome,
    StepGroup,
    ThirdPartyUpdate,
    WaitingHandoff,
    state_of,
)
from portal.workflows import CustomerAction

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
OFFER_AGE = timedelta(minutes=5)
"""How old the windows of a visit on the page may be: other customers book too."""


@dataclass(frozen=True)
class StatusPage:
    """Everything that the page of one request shows at `now`.

    `title` names the request, `headline` says where it stands: the customer's title of its current
    stage (`stage_headline`), or what is looked into. `path` is that of the tracking link. `step_groups` is the timeline in order; parallel steps share a group.
    `arrival` is when all of it should be done. While it waits for the customer, `action` is what they
    do, if that is known, and `place` where they come. `last_report` is how far the third party of
    the only open stage is, `third_party_update` what it said last, `parcel_links` the carriers'
    pages by tracking number. After `ask_after`, the last promised date, the page offers to ask now.
    `hidden_message_count` counts the messages that only a browser that has shown a code may see.
    `text_number` is the number that our texts come from, where it is always the same.
    `asks_which`: a text waits for the customer's answer to which request it is about.
    `question_waits`: the last question comes once the customer has the answer that is owed.
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
    stage_headline: str = ""
    current_departments: tuple[CurrentDepartment, ...] = ()
    handoff: WaitingHandoff | None = None
    next_step: NextStep | None = None
    arrival: ArrivalLine | None = None
    action: CustomerAction | None = None
    place: PlaceToCome | None = None
    delay: Delay | None = None
    last_report: LastReport | None = None
    third_party_update: ThirdPartyUpdate | None = None
    parcel_links: Mapping[str, str] = field(default_factory=dict)
    estimate: DateEstimate | None = None
    ask_after: datetime | None = None
    question: Question | None = None
    question_waits: bool = False
    asks_which: bool = False
    needs: Needs = NO_NEEDS
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
    text_number: str | None = None
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
    def visit(self) -> Appointment | None:
        """The booked visit, until its end."""
        return next((it for it in self.appointments if it.until and not it.is_call), None)

    @property
    def is_over(self) -> bool:
        """True once the request is closed."""
        return self.status in ("completed", "declined", "cancelled")

    @property
    def step_states(self) -> tuple[StepState, ...]:
        """The state of each group of steps."""
        return tuple(state_of(level) for level in self.step_groups)

    group_state = staticmethod(state_of)

    @property
    def folded_steps(self) -> FoldedSteps:
        """The timeline with the parts that are folded."""
        return FoldedSteps.of(self.step_groups)

    @property
    def conversation_lines(self) -> tuple[ShownLine, ...]:
        """The conversation, with where it says how a message came and when."""
        return show_lines(self.conversation, self.timezone)

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
        """By when the only current step is done, where nothing else has a date."""
        under_way = [
            step for group in self.step_groups for step in group if step.state == "current"
        ]
        if (
            self.next_step
            or self.arrival
            or len(under_way) != 1
            or under_way[0].is_overdue(self.now)
        ):
            return None
        return under_way[0].expected_at

    @property
    def is_customers_turn(self) -> bool:
        """True while we wait for the customer, or they may ask now."""
        waits = self.status == "waiting_on_customer" or self.question is not None
        return waits or self.may_ask_now or self.is_ready_for_pickup or self.needs.are_to_send

    @property
    def is_ready_for_pickup(self) -> bool:
        """True while a carrier has it ready for the customer, and no question is open."""
        is_ready = self.last_report is not None and self.last_report.is_pickup
        return is_ready and self.status == "open" and self.question is None

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
        yield from (need.due_at for need in self.needs.entries if need.due_at)
        for appointment in self.appointments:
            yield appointment.at
            if appointment.until is not None:
                yield appointment.until
        if self.question is not None and self.question.windows:
            yield self.now + OFFER_AGE
        for step in (step for group in self.step_groups for step in group):
            if step.state in ("current", "handed_off") and step.expected_at:
                yield step.expected_at
            if step.handoff and step.handoff.accept_by:
                yield step.handoff.accept_by
