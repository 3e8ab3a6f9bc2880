"""One passage of a request through a stage."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel

from portal.business_time import Duration, business_calendar
from portal.models.columns import (
    BigId,
    enum_column,
    foreign_key_column,
    json_column,
    partial_index,
    primary_key,
    text_column,
    timestamp_column,
)
from portal.models.monitoring.stage_duration import StageDuration
from portal.models.people.department import Department
from portal.models.requests.third_party_code import ThirdPartyCode
from portal.workflows import StageDefinition


class RunState(StrEnum):
    """Open while the work is to be done; superseded when a send-back made it void."""

    OPEN = "open"
    COMPLETED = "completed"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"


PAUSABLE_TIMES = ("due_at", "overdue_at", "last_promised_at", "p50_at", "silence_overdue_at")
"""The times that move by a pause; silence of a third party that is waited for only by a hold."""


class StageRun(SQLModel, table=True):
    """Opened when it is its turn, reached when the department accepts it, completed when done.

    Its clock runs from the opening. While it is paused (on hold, or waiting on the customer) its
    due time does not come nearer: it moves by the open time lost when the run resumes.
    """

    __tablename__ = "stage_run"
    __table_args__ = (
        # Serves: the board of a department, soonest due first, by key.
        partial_index(
            "ix_stage_run_board", "department_id", "due_at", "id", where="state = 'open'"
        ),
        # Serves: a person's open runs (roster, leaving).
        partial_index("ix_stage_run_assignee", "assignee_id", where="state = 'open'"),
        # Serves: the stages that a provider's call about a tracking number is for.
        partial_index("ix_stage_run_tracking_key", "tracking_key", where="tracking_key <> ''"),
        # Serves: holds that end by themselves (the sweep).
        partial_index("ix_stage_run_hold_until", "hold_until", where="hold_until IS NOT NULL"),
    )

    id: int | None = primary_key()
    # Serves: the timeline of one request.
    request_id: int = foreign_key_column("service_request.id", index=True)
    stage_id: int = foreign_key_column("stage.id", index=True)
    stage_key: str = Field(max_length=64)
    department_id: int = foreign_key_column("department.id")
    state: RunState = enum_column(RunState, RunState.OPEN)
    passage: int = 1
    assignee_id: int = foreign_key_column("staff_member.id")
    opened_at: datetime = timestamp_column()
    reached_at: datetime | None = timestamp_column(nullable=True)
    completed_at: datetime | None = timestamp_column(nullable=True)
    closed_at: datetime | None = timestamp_column(nullable=True)
    completed_by: str = text_column(120)
    # By when it is done, as the customer knows it.
    due_at: datetime = timestamp_column()
    # From when on it is a dropped ball, whatever date the customer was given since.
    overdue_at: datetime = timestamp_column()
    # From when on the page offers to ask: the last date promised by a measured or a person's date.
    last_promised_at: datetime = timestamp_column()
    # By when half of comparable runs are done, where that has been measured.
    p50_at: datetime | None = timestamp_column(nullable=True)
    # The date that the customer was given before this one, where it has moved.
    previous_due_at: datetime | None = timestamp_column(nullable=True)
    # How often Kept itself has announced a delay, and the reason it last gave.
    delays_announced: int = 0
    delay_reason: str = text_column()
    # The department that sent it back, where this run is a return.
    returned_by_id: int | None = foreign_key_column("department.id", nullable=True)
    # A third party does it (a courier): its name, its tracking number as given and as compared,
    # the code of its last report and when that was, its last update, and from when on it has been
    # silent too long.
    third_party: str = text_column(120)
    tracking_number: str = text_column(64)
    tracking_key: str = text_column(64)
    third_party_code: ThirdPartyCode | None = enum_column(ThirdPartyCode, nullable=True)
    third_party_code_at: datetime | None = timestamp_column(nullable=True)
    third_party_updated_at: datetime | None = timestamp_column(nullable=True)
    silence_overdue_at: datetime | None = timestamp_column(nullable=True)
    # Whether the due time was counted in the department's hours (`4bh`) or always runs (`4h`).
    in_business_hours: bool = False
    note: str = text_column()
    # The values of the fields of its question, given before it is reached.
    fields: dict[str, str] = json_column()
    # What the customer is asked to correct, and who asks, where this run is a return to them.
    correction: str = text_column()
    correction_by_id: int | None = Field(default=None, nullable=True, sa_type=BigId)
    waits_on_customer: bool = False
    # It waits for a third party that the workflow names, such as a landowner.
    waits_on_third_party: bool = False
    held_at: datetime | None = timestamp_column(nullable=True)
    hold_reason: str = text_column()
    hold_until: datetime | None = timestamp_column(nullable=True)
    paused_at: datetime | None = timestamp_column(nullable=True)
    # The time that did not count because the run was paused, in seconds of open time:
    # a hold outside the department's hours takes none.
    paused_seconds: int = 0
    # How long it took, in seconds of open time, once completed: a sample of the durations.
    duration_seconds: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether the run is open."""
        return self.state == RunState.OPEN

    @property
    def is_paused(self) -> bool:
        """Whether its clock is stopped."""
        return self.paused_at is not None

    def is_overdue(self, now: datetime) -> bool:
        """Whether it is past its due time and grace while its clock runs."""
        return self.is_open and not self.is_paused and now > self.overdue_at

    def can_ask_now(self, now: datetime) -> bool:
        """Whether it is past the last promised date while its clock runs: the customer may ask."""
        return self.is_open and not self.is_paused and now >= self.last_promised_at

    @property
    def is_date_unlikely(self) -> bool:
        """Whether the date given is earlier than half of comparable runs are done."""
        return self.is_open and self.p50_at is not None and self.due_at < self.p50_at

    def start(
        self,
        stage: StageDefinition,
        department: Department,
        now: datetime,
        stage_duration: StageDuration | None = None,
    ) -> None:
        """Start the clock at the opening, in the department's hours where the stage says so.

        The date is a realistic one: where four in five comparable runs take longer than expected,
        it is theirs.
        """
        self.opened_at = now
        self.in_business_hours = stage.expected.in_opening_hours
        expected_at = department.calendar.add_to_open_day(now, stage.expected)
        self.overdue_at = department.calendar.add(expected_at, stage.grace)
        self._estimate_from(stage, department, now, stage_duration)
        self.last_promised_at = max(self.overdue_at, self.due_at)

    def accept_late(
        self,
        stage: StageDefinition,
        department: Department,
        now: datetime,
        stage_duration: StageDuration | None,
    ) -> None:
        """Accepted after its time: the customer's date is counted from now, as for a new run.

        By its own clock the department stays as late as it is.
        """
        self._add_pause(now, department)
        promised_at = self.due_at
        self._estimate_from(stage, department, now, stage_duration)
        self.due_at = max(self.due_at, promised_at)
        self.last_promised_at = max(self.last_promised_at, self.due_at)
        self.delays_announced, self.delay_reason, self.previous_due_at = 0, "", None

    def _estimate_from(
        self,
        stage: StageDefinition,
        department: Department,
        now: datetime,
        stage_duration: StageDuration | None,
    ) -> None:
        self.due_at = department.calendar.add_to_open_day(now, stage.expected)
        if stage_duration is not None:
            calendar = department.calendar.calendar_for(stage.expected)
            self.p50_at = calendar.add_open_time(now, stage_duration.p50)
            p80_at = calendar.add_open_time(now, stage_duration.p80)
            self.due_at = max(self.due_at, department.calendar.on_open_day(p80_at))

    def reach(
        self, stage: StageDefinition, department: Department, now: datetime, assignee_id: int
    ) -> None:
        """The department has accepted it, and the customer is notified.

        From now on a third party that does it may be silent for so long and no longer.
        """
        self.reached_at = now
        self.assignee_id = assignee_id
        self.third_party = self.third_party or stage.third_party
        is_delivered = self.third_party_code == ThirdPartyCode.DELIVERED
        if stage.silent_after is not None and not is_delivered:
            self.silence_overdue_at = department.calendar.add(now, stage.silent_after)
        if stage.pauses_clock:
            self._wait(now, on_third_party=stage.third_party_awaited is not None)

    def set_due_at(
        self, moment_: datetime, grace: Duration, department: Department, now: datetime
    ) -> None:
        """A person sets the due time; of a pause, only the rest of it counts."""
        self._add_pause(now, department)
        self.due_at = moment_
        self.overdue_at = self.last_promised_at = department.calendar.add(moment_, grace)

    def keep_known_date(self, known: datetime, now: datetime) -> None:
        """The customer knows this earlier date: before it passes they get the new one."""
        self.due_at = known if now < known < self.due_at else self.due_at

    def complete(self, now: datetime, by: str, department: Department) -> None:
        """The work of this stage is done."""
        self._end(RunState.COMPLETED, now, department)
        calendar = department.calendar if self.in_business_hours else business_calendar()
        open_seconds = int(calendar.elapsed(self.opened_at, now).total_seconds())
        self.duration_seconds = max(0, open_seconds - self.paused_seconds)
        self.completed_at = now
        self.completed_by = by

    def supersede(self, now: datetime, department: Department) -> None:
        """A send-back made this run void; what was completed stays in the history."""
        self._end(RunState.SUPERSEDED, now, department)

    def undo_end(self, *, is_waiting: bool, on_third_party: bool = False) -> None:
        """Open it again as if it had never ended; its clock has run on, unless it waits."""
        if is_waiting and self.closed_at is not None:
            self._wait(self.closed_at, on_third_party=on_third_party)
        self.state = RunState.OPEN
        self.closed_at = self.completed_at = self.duration_seconds = None
        self.completed_by = ""

    def cancel(self, now: datetime, department: Department) -> None:
        """The request was closed while this run was open."""
        self._end(RunState.CANCELLED, now, department)

    def hold(self, now: datetime, reason: str, until: datetime | None) -> None:
        """Staff put it on hold with a reason; its clock stops."""
        self.held_at, self.hold_reason, self.hold_until = now, reason, until
        self.paused_at = self.paused_at or now

    def resume(self, now: datetime, department: Department) -> None:
        """Staff resume it; while it waits for somebody too, its clock stays stopped."""
        self.held_at, self.hold_reason, self.hold_until = None, "", None
        if not (self.waits_on_customer or self.waits_on_third_party):
            self._restart_clock(now, department)

    def wait_on_customer(self, now: datetime) -> None:
        """It waits on the customer; its clock stops."""
        self._wait(now, on_third_party=False)

    def stop_waiting(self, now: datetime, department: Department) -> None:
        """The customer has answered; the clock runs again unless staff hold it."""
        self.waits_on_customer = False
        if self.held_at is None:
            self._restart_clock(now, department)

    def _wait(self, now: datetime, *, on_third_party: bool) -> None:
        if on_third_party:
            self.waits_on_third_party = True
        else:
            self.waits_on_customer = True
        self.paused_at = self.paused_at or now

    def _end(self, state: RunState, now: datetime, department: Department) -> None:
        self._restart_clock(now, department)
        self.state = state
        self.closed_at = now
        self.held_at, self.hold_until = None, None
        self.waits_on_customer = self.waits_on_third_party = False

    def _restart_clock(self, now: datetime, department: Department) -> None:
        self._add_pause(now, department)
        self.paused_at = None

    def _add_pause(self, now: datetime, department: Department) -> None:
        """Add the open time that the pause has taken until now to the due times.

        A pause outside the department's hours has taken none.
        """
        if self.paused_at is None:
            return
        calendar = department.calendar if self.in_business_hours else business_calendar()
        paused_time = calendar.elapsed(self.paused_at, now)
        for name in PAUSABLE_TIMES:
            time: datetime | None = getattr(self, name)
            is_running = name == "silence_overdue_at" and self.waits_on_third_party
            if time is not None and self.paused_at < time and not is_running:
                setattr(self, name, max(calendar.add_open_time(time, paused_time), now))
        self.paused_seconds += int(paused_time.total_seconds())
        self.paused_at = now
