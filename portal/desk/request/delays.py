"""Dates at the desk: what will soon be late, what to tell the customer, and what is likely."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from portal.messaging.wording.renderer import Teller
from portal.messaging.wording.time_format import Words
from portal.models import Pace, Paces, RunState, StageRun
from portal.operations.proactive_updates import own_reason
from portal.rules.proactive_updates import Manners, asked_from, believed_date


@dataclass(frozen=True, slots=True)
class DelayCard:
    """A stage whose date can be given anew, with a date and a reason that we would give.

    It is asked for while it is `due`; before, it can be given by whoever knows already. `likely`
    says by when its like are done, and `unlikely` that the date that was given is too early.
    """

    stage: str
    name: str
    due: bool
    question: str
    expected_by: str
    reason: str
    likely: str = ""
    unlikely: str = ""


@dataclass(frozen=True, slots=True)
class Delays:
    """Draws them for one request, in the zone of the department that has it."""

    teller: Teller
    paces: Paces
    manners: Manners
    words: Words

    def cards(self) -> list[DelayCard]:
        """One for each stage that is under way; those whose date is near come first."""
        return sorted(self._cards(), key=lambda card: not card.due)

    def likely_next(self, stage: str) -> str:
        """By when what follows this stage is done, were it to begin now; empty where unmeasured."""
        request, now = self.teller.request, self.words.now
        done = {run.stage_key for run in request.runs if run.state == RunState.COMPLETED}
        opened = request.definition.opened_by(stage, done) if stage else []
        pace = self.paces.of(opened[0].key) if len(opened) == 1 else None
        if pace is None:
            return ""
        calendar = self.teller.roster.department(opened[0].department).calendar
        counting = calendar.counting(opened[0].expected)
        return self._likely(
            counting.add_open_time(now, pace.half), counting.add_open_time(now, pace.most)
        )

    def _cards(self) -> Iterator[DelayCard]:
        request = self.teller.request
        for run in request.open_runs:
            if run.is_paused:
                continue
            pace = self.paces.of(run.stage_key)
            likely = self._likely_of(run, pace) if pace else ""
            yield DelayCard(
                stage=run.stage_key,
                name=request.definition.stage(run.stage_key).name,
                due=self.words.now >= asked_from(request, run, self.manners),
                question=self._question(run),
                expected_by=self._field(self._believed(run, pace)),
                reason=own_reason(self.teller, run),
                likely=likely,
                unlikely=f"By {self.words.day(run.due_at)} only few of its like are done. {likely}"
                if run.is_unlikely
                else "",
            )

    def _question(self, run: StageRun) -> str:
        by = self.words.by(run.due_at)
        if run.due_at <= self.words.now:
            return f"It was due by {by}: when will it be done?"
        return f"Due soon: will it be done by {by}?"

    def _believed(self, run: StageRun, pace: Pace | None) -> datetime:
        stage = self.teller.request.definition.stage(run.stage_key)
        department = self.teller.roster.department_by_id(run.department_id)
        return believed_date(
            run, stage, department, pace=pace, now=self.words.now, manners=self.manners
        )

    def _likely_of(self, run: StageRun, pace: Pace) -> str:
        stage = self.teller.request.definition.stage(run.stage_key)
        department = self.teller.roster.department_by_id(run.department_id)
        calendar = department.calendar.counting(stage.expected)
        paused = timedelta(seconds=run.paused_seconds)
        return self._likely(
            calendar.add_open_time(run.opened_at, pace.half + paused),
            calendar.add_open_time(run.opened_at, pace.most + paused),
        )

    def _likely(self, half: datetime, most: datetime) -> str:
        if most <= self.words.now:
            return f"Four in five were done by {self.words.day(most)}."
        if half <= self.words.now:
            return f"Four in five are done by {self.words.day(most)}."
        return f"Half are done by {self.words.day(half)}, four in five by {self.words.day(most)}."

    def _field(self, at: datetime) -> str:
        """As a field for a date and a time has it, to the full five minutes."""
        local = at.astimezone(ZoneInfo(self.words.timezone)) + timedelta(minutes=4, seconds=59)
        return f"{local - timedelta(minutes=local.minute % 5):%Y-%m-%dT%H:%M}"
