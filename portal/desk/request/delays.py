"""Due dates at the desk: stages due soon or overdue, and estimates of when they are done."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from portal.messaging.wording.delays import default_delay_reason
from portal.messaging.wording.renderer import MessageRenderer
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import RunState, StageDuration, StageDurations, StageRun
from portal.rules.proactive_updates import ContactSchedule, delay_question_from, estimate_due_at


@dataclass(frozen=True, slots=True)
class DelayCard:
    """A stage whose due date can be changed, with a suggested date and reason.

    The page asks for it while `is_due_soon`, which includes overdue; before, it offers it among the
    other actions. `estimate` says when such stages are usually done, and `date_warning` that the
    current date is unlikely.
    """

    stage: str
    name: str
    is_due_soon: bool
    is_overdue: bool
    question: str
    expected_by: str
    reason: str
    estimate: str = ""
    date_warning: str = ""


@dataclass(frozen=True, slots=True)
class DelayPresenter:
    """Builds the cards of one request, in the zone of its department."""

    renderer: MessageRenderer
    stage_durations: StageDurations
    contact_schedule: ContactSchedule
    times: TimeFormatter

    def cards(self) -> list[DelayCard]:
        """One for each stage in progress; those due soon come first."""
        return sorted(self._cards(), key=lambda card: not card.is_due_soon)

    def estimate_next(self, stage: str) -> str:
        """The estimate for the next stage if it starts now; empty without measurements."""
        request, now = self.renderer.request, self.times.now
        completed = {run.stage_key for run in request.runs if run.state == RunState.COMPLETED}
        opened = request.definition.opened_by(stage, completed) if stage else []
        stage_duration = self.stage_durations.of(opened[0].key) if len(opened) == 1 else None
        if stage_duration is None:
            return ""
        calendar = self.renderer.roster.department(opened[0].department).calendar
        calendar = calendar.calendar_for(opened[0].expected)
        return self._estimate_text(
            calendar.add_open_time(now, stage_duration.p50),
            calendar.add_open_time(now, stage_duration.p80),
        )

    def _cards(self) -> Iterator[DelayCard]:
        request = self.renderer.request
        for run in request.open_runs:
            if run.is_paused:
                continue
            stage_duration = self.stage_durations.of(run.stage_key)
            estimate = self._estimate(run, stage_duration) if stage_duration else ""
            yield DelayCard(
                stage=run.stage_key,
                name=request.definition.stage(run.stage_key).name,
                is_overdue=run.due_at <= self.times.now,
                is_due_soon=self.times.now
                >= delay_question_from(request, run, self.contact_schedule),
                question=self._question(run),
                expected_by=self._field(self._suggested_date(run, stage_duration)),
                reason=default_delay_reason(self.renderer, run),
                estimate=estimate,
                date_warning=f"By {self.times.day(run.due_at)} only few of its like are done. {estimate}"
                if run.is_date_unlikely
                else "",
            )

    def _question(self, run: StageRun) -> str:
        by = self.times.by(run.due_at)
        if run.due_at <= self.times.now:
            return f"Overdue since {by}: when will it be done?"
        return f"Due soon: will it be done by {by}?"

    def _suggested_date(self, run: StageRun, stage_duration: StageDuration | None) -> datetime:
        stage = self.renderer.request.definition.stage(run.stage_key)
        department = self.renderer.roster.department_by_id(run.department_id)
        return estimate_due_at(
            run,
            stage,
            department,
            stage_duration=stage_duration,
            now=self.times.now,
            contact_schedule=self.contact_schedule,
        )

    def _estimate(self, run: StageRun, stage_duration: StageDuration) -> str:
        stage = self.renderer.request.definition.stage(run.stage_key)
        department = self.renderer.roster.department_by_id(run.department_id)
        calendar = department.calendar.calendar_for(stage.expected)
        paused = timedelta(seconds=run.paused_seconds)
        return self._estimate_text(
            calendar.add_open_time(run.opened_at, stage_duration.p50 + paused),
            calendar.add_open_time(run.opened_at, stage_duration.p80 + paused),
        )

    def _estimate_text(self, p50_at: datetime, p80_at: datetime) -> str:
        if p80_at <= self.times.now:
            return f"Four in five were done by {self.times.day(p80_at)}."
        if p50_at <= self.times.now:
            return f"Four in five are done by {self.times.day(p80_at)}."
        return (
            f"Half are done by {self.times.day(p50_at)}, four in five by {self.times.day(p80_at)}."
        )

    def _field(self, at: datetime) -> str:
        """The value of a ``datetime-local`` field, rounded up to five minutes."""
        local = at.astimezone(ZoneInfo(self.times.timezone)) + timedelta(minutes=4, seconds=59)
        return f"{local - timedelta(minutes=local.minute % 5):%Y-%m-%dT%H:%M}"
