"""The times of the actions of a scenario, in the opening hours of its departments."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from portal.business_time import BusinessCalendar, Duration
from portal.demo.sample_data import actions
from portal.demo.sample_data.actions import COURIER_CODES, ScenarioAction
from portal.demo.sample_data.scenarios import (
    CANCEL_REASON,
    HOLDS,
    PROMISES,
    QUESTIONS,
    SENT_BACK,
    EndState,
    Exchange,
    Scenario,
)
from portal.workflows import StageDefinition, WorkflowDefinition

WORKING_DAY = timedelta(hours=8)
MINUTE = timedelta(minutes=1)
MAX_DURATION = timedelta(days=150)
NEVER = datetime.max.replace(tzinfo=UTC)
WAKES_AT, SLEEPS_AT = time(8, 30), time(21)
"""When customers write and answer, in their time zone."""


@dataclass(frozen=True)
class ScheduledAction:
    """An action and its time."""

    at: datetime
    action: ScenarioAction


@dataclass
class Schedule:
    """The actions of one scenario from its opening to its state at ``ends``."""

    steps: list[ScheduledAction] = field(default_factory=list)
    ends: datetime = NEVER

    def add(self, at: datetime, action: ScenarioAction) -> None:
        """Add a step."""
        self.steps.append(ScheduledAction(at, action))


def plan(
    scenario: Scenario, definition: WorkflowDefinition, now: datetime, seed: str
) -> list[ScheduledAction]:
    """The actions of the scenario, which ends as close before ``now`` as opening hours allow.

    The same seed gives the same actions; only their dates move with ``now``. A later
    opening never ends earlier, so bisection finds the latest that ends in time.
    """
    earliest, latest = now - MAX_DURATION, now
    while latest - earliest > 5 * MINUTE:
        opened = earliest + (latest - earliest) / 2
        if Scheduler(scenario, definition, Random(seed)).plan(opened).ends <= now:
            earliest = opened
        else:
            latest = opened
    schedule = Scheduler(scenario, definition, Random(seed)).plan(earliest)
    # A parallel branch may not have come so far yet.
    steps = [step for step in schedule.steps if step.at <= schedule.ends]
    return sorted(steps, key=lambda step: step.at)


@dataclass
class Scheduler:
    """Goes through the stages in order, and plans what happens when."""

    scenario: Scenario
    definition: WorkflowDefinition
    rng: Random

    def plan(self, opened: datetime) -> Schedule:
        """The plan for an opening at or after this moment."""
        plan = Schedule()
        first_stage = self.definition.roots()[0]
        opened = self._calendar(first_stage).add_open_time(opened, self._between(1, 40) * MINUTE)
        plan.add(opened, actions.open_request)
        completed_at: dict[str, datetime] = {}
        for level in self.definition.stage_levels():
            begins = max(
                (completed_at[key] for stage in level for key in stage.after), default=opened
            )
            is_last_level = any(stage.key == self.scenario.stage for stage in level)
            for stage in level:
                at = self._accept(plan, stage, begins) if self._is_accepted(stage) else begins
                if is_last_level and not self._is_done(stage):
                    self._end_here(plan, stage, at)
                    self._add_courier_updates(plan, stage, at, plan.ends)
                else:
                    completed_at[stage.key] = self._work(plan, stage, at)
                    self._add_courier_updates(plan, stage, at, completed_at[stage.key])
            if is_last_level:
                break
        if self._is_done(self.definition.stage(self.scenario.stage)):
            self._follow_up(plan, completed_at[self.scenario.stage])
        self._add_exchanges(plan, completed_at, opened)
        return plan

    def _is_done(self, stage: StageDefinition) -> bool:
        """Whether the scenario completes this stage."""
        if stage.key == self.scenario.stage:
            return self.scenario.ending in (EndState.ASKED, EndState.COMPLETED, EndState.DENIED)
        return (
            self.scenario.stage not in self._parallel_stages(stage)
            or stage.key in self.scenario.also_done
        )

    def _is_accepted(self, stage: StageDefinition) -> bool:
        hangs = self.scenario.ending in (EndState.HANDED_OVER, EndState.NOT_TAKEN_UP)
        return bool(stage.after) and not (stage.key == self.scenario.stage and hangs)

    def _parallel_stages(self, stage: StageDefinition) -> set[str]:
        level = next(level for level in self.definition.stage_levels() if stage in level)
        return {parallel.key for parallel in level}

    def _accept(self, plan: Schedule, stage: StageDefinition, begins: datetime) -> datetime:
        """Accept a handoff in time; the action does nothing where none was sent."""
        time_to_accept = self.definition.departments[stage.department].accept_within
        if time_to_accept is None:
            return begins
        at = self._part_of(stage, time_to_accept, begins, 0.1, 0.7)
        plan.add(at, actions.accept(stage.key))
        return at

    def _work(self, plan: Schedule, stage: StageDefinition, at: datetime) -> datetime:
        """Complete the stage; a question to the customer is answered with yes."""
        if stage.question is not None:
            at = self._waking_time(at + timedelta(hours=self._between(1, 20)))
            is_time = stage.question.expects == "time"
            plan.add(at, actions.answer("2" if is_time else "Yes please, go ahead"))
        else:
            low, high = (0.1, 0.3) if stage.pauses_clock else (0.3, 0.85)
            at = self._part_of(stage, stage.expected, at, low, high)
            plan.add(at, actions.advance(stage.key))
        return at

    def _add_courier_updates(
        self, plan: Schedule, stage: StageDefinition, at: datetime, until: datetime
    ) -> None:
        """Plan the updates of a third party; one that is late has fallen silent."""
        if not stage.third_party or until == NEVER:
            return
        silent = self.scenario.ending == EndState.LATE and stage.key == self.scenario.stage
        for part, code in COURIER_CODES[: 1 if silent else None]:
            said_at = self._calendar(stage).next_open(at + (until - at) * part)
            plan.add(said_at, actions.record_third_party(stage.key, code))

    def _end_here(self, plan: Schedule, stage: StageDefinition, at: datetime) -> None:
        """Plan the stage where the scenario ends: its actions, and its end."""
        calendar, ending = self._calendar(stage), self.scenario.ending
        if stage.key != self.scenario.stage:
            return
        within = self.definition.departments[stage.department].accept_within or Duration(2, "bh")
        if ending == EndState.HANDED_OVER:
            plan.ends = calendar.add_open_time(at, self._between(8, 30) * MINUTE)
        elif ending == EndState.NOT_TAKEN_UP:
            late = calendar.add(at, within)
            plan.ends = calendar.add_open_time(late, self._between(60, 240) * MINUTE)
        elif ending == EndState.LATE:
            late = calendar.add(calendar.add(at, stage.expected), stage.grace)
            plan.ends = calendar.add_open_time(late, self._between(90, 500) * MINUTE)
        elif ending in (EndState.WAITING, EndState.REMINDED):
            days = 2.5 if ending == EndState.REMINDED else self._between(0.3, 1.6)
            plan.ends = self._waking_time(at + timedelta(days=days))
        else:
            low, high = (0.05, 0.3) if ending == EndState.CANCELLED else (0.1, 0.6)
            at = self._part_of(stage, stage.expected, at, low, high)
            plan.ends = self._end(plan, stage, at)

    def _end(self, plan: Schedule, stage: StageDefinition, at: datetime) -> datetime:
        """Plan the action of an ending; returns the end of the scenario."""
        ending, workflow = self.scenario.ending, self.scenario.workflow
        if ending == EndState.HELD:
            plan.add(at, actions.hold(HOLDS[workflow], timedelta(days=9)))
            return at + timedelta(days=self._between(0.5, 2))
        if ending == EndState.DECLINED:
            plan.add(self._waking_time(at), actions.answer("No thanks, that is too much for me"))
            return self._waking_time(at) + timedelta(days=self._between(1, 4))
        if ending == EndState.CANCELLED:
            plan.add(at, actions.cancel(CANCEL_REASON))
            return at + timedelta(days=self._between(1, 6))
        if ending == EndState.SENT_BACK:
            plan.add(at, actions.advance(stage.key))
            below = self.definition.opened_by(stage.key, {stage.key})[0]
            back = self._part_of(below, below.expected, at, 0.2, 0.6)
            plan.add(back, actions.send_back(stage.key, SENT_BACK))
            return self._waking_time(back + timedelta(days=self._between(0.4, 1.5)))
        return at

    def _follow_up(self, plan: Schedule, completed_at: datetime) -> None:
        """Plan the follow-up after the last stage, and the customer's answer."""
        question = self.definition.follow_ups_after(self.scenario.stage)[0]
        asked_at = completed_at + question.wait.length
        if self.scenario.ending == EndState.ASKED:
            plan.ends = asked_at + timedelta(hours=self._between(2, 26))
            return
        answered_at = self._waking_time(asked_at + timedelta(minutes=self._between(10, 900)))
        if self.scenario.ending == EndState.DENIED:
            plan.add(answered_at, actions.answer("No, nothing here yet"))
            plan.ends = answered_at + timedelta(minutes=self._between(40, 400))
        else:
            plan.add(answered_at, actions.answer("YES"))
            plan.ends = answered_at + timedelta(days=self._between(1, 9))

    def _add_exchanges(
        self, plan: Schedule, completed_at: dict[str, datetime], opened: datetime
    ) -> None:
        """Plan each message between the opening and the end of its stage."""
        for key, exchange in self.scenario.exchanges:
            stage = self.definition.stage(key)
            begins = max((completed_at[before] for before in stage.after), default=opened)
            until = min(completed_at.get(key, plan.ends), plan.ends)
            at = begins + (until - begins) * self._between(0.4, 0.75)
            for step in self._exchange(exchange, stage, at, plan.ends):
                if step.at <= plan.ends:
                    plan.steps.append(step)

    def _exchange(
        self, exchange: Exchange, stage: StageDefinition, at: datetime, ends: datetime
    ) -> Iterator[ScheduledAction]:
        calendar, workflow = self._calendar(stage), self.scenario.workflow
        at = self._waking_time(at)
        question, reply = self.rng.choice(QUESTIONS[workflow])
        answered_at = calendar.add_open_time(calendar.next_open(at), self._between(6, 70) * MINUTE)
        promised = f"{PROMISES[workflow]}."
        if exchange == Exchange.NEWS:
            yield ScheduledAction(at, actions.customer_writes("Any news?"))
        elif exchange == Exchange.THANKS:
            yield ScheduledAction(at, actions.customer_writes("Thank you!"))
        elif exchange == Exchange.QUESTION:
            yield ScheduledAction(at, actions.customer_writes(question))
            yield ScheduledAction(answered_at, actions.reply(reply))
        elif exchange == Exchange.UNANSWERED:
            yield ScheduledAction(
                ends - self._between(4, 25) * MINUTE, actions.customer_writes(question)
            )
        elif exchange == Exchange.LONG_UNANSWERED:
            yield ScheduledAction(at, actions.customer_writes(question))
        elif exchange == Exchange.CALL:
            yield ScheduledAction(
                calendar.next_open(at), actions.log_call("They called to ask where it is.")
            )
        else:
            at = calendar.next_open(at)
            yield from self._promise(exchange, calendar, at, ends, promised)

    def _promise(
        self, kind: Exchange, calendar: BusinessCalendar, at: datetime, ends: datetime, text: str
    ) -> Iterator[ScheduledAction]:
        soon = calendar.add_open_time(at, self._between(2, 5) * 60 * MINUTE)
        later = max(ends, calendar.add_open_time(ends, self._between(3, 12) * 60 * MINUTE))
        if kind == Exchange.PROMISE:
            yield ScheduledAction(at, actions.promise(text, later))
            return
        yield ScheduledAction(at, actions.promise(text, soon))
        if kind == Exchange.PROMISE_KEPT:
            yield ScheduledAction(calendar.add_open_time(at, 50 * MINUTE), actions.keep_promise)
        elif kind == Exchange.PROMISE_MOVED:
            moved = calendar.add_open_time(at, 40 * MINUTE)
            yield ScheduledAction(moved, actions.move_promise(later, "The surveyor is ill today"))

    def _part_of(
        self, stage: StageDefinition, duration: Duration, at: datetime, low: float, high: float
    ) -> datetime:
        """A random part of that time later, at a moment when the department is open."""
        calendar, part = self._calendar(stage), self.rng.uniform(low, high)
        if duration.unit == "bd":
            return calendar.add_open_time(at, duration.amount * WORKING_DAY * part)
        if duration.unit == "bh":
            return calendar.add_open_time(at, duration.length * part)
        return calendar.next_open(at + duration.length * part)

    def _calendar(self, stage: StageDefinition) -> BusinessCalendar:
        return self.definition.departments[stage.department].calendar

    def _between(self, low: float, high: float) -> float:
        return self.rng.uniform(low, high)

    def _waking_time(self, at: datetime) -> datetime:
        """That moment, or the next morning where it is at night."""
        local = at.astimezone(ZoneInfo(self.definition.timezone))
        if WAKES_AT <= local.time() <= SLEEPS_AT:
            return at
        morning = local.replace(hour=WAKES_AT.hour, minute=WAKES_AT.minute)
        if local.time() > SLEEPS_AT:
            morning += timedelta(days=1)
        return morning.astimezone(at.tzinfo)
