"""When each step of a story would have happened: on the clocks of the departments themselves."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from portal.business_time import BusinessCalendar, Duration
from portal.demo.sample_data import actions
from portal.demo.sample_data.actions import SampleAction
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
COURIER_UPDATES = ((0.1, "Picked up"), (0.5, "At your local depot"), (0.9, "Out for delivery"))
"""What a courier says, and after which part of its time."""
MORNING, NIGHT = time(8, 30), time(21)
"""When customers write and answer, on their own clocks."""


@dataclass(frozen=True)
class ScheduledAction:
    """Something that is done at a moment."""

    at: datetime
    action: SampleAction


@dataclass
class Schedule:
    """The steps of one story from its opening to where it stands at ``ends``."""

    steps: list[ScheduledAction] = field(default_factory=list)
    ends: datetime = NEVER

    def add(self, at: datetime, action: SampleAction) -> None:
        """One more step."""
        self.steps.append(ScheduledAction(at, action))


def plan(
    scenario: Scenario, definition: WorkflowDefinition, now: datetime, seed: str
) -> list[ScheduledAction]:
    """The steps that bring the story to where it stands, as close before ``now`` as hours allow.

    The same seed gives the same story; only its place in the calendar moves with ``now``. A later
    opening never ends earlier, so the latest that ends in time is found by halving.
    """
    earliest, latest = now - MAX_DURATION, now
    while latest - earliest > 5 * MINUTE:
        opened = earliest + (latest - earliest) / 2
        if Scheduler(scenario, definition, Random(seed)).plan(opened).ends <= now:
            earliest = opened
        else:
            latest = opened
    found = Scheduler(scenario, definition, Random(seed)).plan(earliest)
    # A branch beside the one that is told may not have come so far yet.
    steps = [step for step in found.steps if step.at <= found.ends]
    return sorted(steps, key=lambda step: step.at)


@dataclass
class Scheduler:
    """Goes through the stages in order, and writes down what happens when."""

    scenario: Scenario
    definition: WorkflowDefinition
    rng: Random

    def plan(self, opened: datetime) -> Schedule:
        """The whole of it, from an opening at or after this moment."""
        plan = Schedule()
        first = self.definition.roots()[0]
        opened = self._office(first).add_open_time(opened, self._some(1, 40) * MINUTE)
        plan.add(opened, actions.open_request)
        done: dict[str, datetime] = {}
        for leg in self.definition.stage_levels():
            begun = max((done[key] for stage in leg for key in stage.after), default=opened)
            is_here = any(stage.key == self.scenario.stage for stage in leg)
            for stage in leg:
                at = self._take_up(plan, stage, begun) if self._is_taken_up(stage) else begun
                if is_here and not self._is_done(stage):
                    self._stand(plan, stage, at)
                    self._hear(plan, stage, at, plan.ends)
                else:
                    done[stage.key] = self._work(plan, stage, at)
                    self._hear(plan, stage, at, done[stage.key])
            if is_here:
                break
        if self._is_done(self.definition.stage(self.scenario.stage)):
            self._after_the_last(plan, done[self.scenario.stage])
        self._talk(plan, done, opened)
        return plan

    def _is_done(self, stage: StageDefinition) -> bool:
        """Whether the story leaves this stage behind it."""
        if stage.key == self.scenario.stage:
            return self.scenario.ending in (EndState.ASKED, EndState.COMPLETED, EndState.DENIED)
        return (
            self.scenario.stage not in self._side_by_side(stage)
            or stage.key in self.scenario.done_alongside
        )

    def _is_taken_up(self, stage: StageDefinition) -> bool:
        hangs = self.scenario.ending in (EndState.HANDED_OVER, EndState.NOT_TAKEN_UP)
        return bool(stage.after) and not (stage.key == self.scenario.stage and hangs)

    def _side_by_side(self, stage: StageDefinition) -> set[str]:
        leg = next(leg for leg in self.definition.stage_levels() if stage in leg)
        return {one.key for one in leg}

    def _take_up(self, plan: Schedule, stage: StageDefinition, begun: datetime) -> datetime:
        """A handoff is accepted in its time; where none is sent, the deed finds nothing to do."""
        within = self.definition.departments[stage.department].accept_within
        if within is None:
            return begun
        at = self._part_of(stage, within, begun, 0.1, 0.7)
        plan.add(at, actions.accept(stage.key))
        return at

    def _work(self, plan: Schedule, stage: StageDefinition, at: datetime) -> datetime:
        """The stage is done; where it asks the customer something, by their yes."""
        if stage.question is not None:
            at = self._awake(at + timedelta(hours=self._some(1, 20)))
            is_time = stage.question.expects == "time"
            plan.add(at, actions.answer("Tomorrow at 10" if is_time else "Yes please, go ahead"))
        else:
            low, high = (0.1, 0.3) if stage.pauses_clock else (0.3, 0.85)
            at = self._part_of(stage, stage.expected, at, low, high)
            plan.add(at, actions.advance(stage.key))
        return at

    def _hear(self, plan: Schedule, stage: StageDefinition, at: datetime, until: datetime) -> None:
        """What a third party says on its way; where it is late they have fallen silent."""
        if not stage.third_party or until == NEVER:
            return
        silent = self.scenario.ending == EndState.LATE and stage.key == self.scenario.stage
        for part, words in COURIER_UPDATES[: 1 if silent else None]:
            said_at = self._office(stage).next_open(at + (until - at) * part)
            plan.add(said_at, actions.third_party_update(stage.key, words))

    def _stand(self, plan: Schedule, stage: StageDefinition, at: datetime) -> None:
        """The stage that the story has come to: what is done to it, and for how long it stands."""
        office, ending = self._office(stage), self.scenario.ending
        if stage.key != self.scenario.stage:
            return
        within = self.definition.departments[stage.department].accept_within or Duration(2, "bh")
        if ending == EndState.HANDED_OVER:
            plan.ends = office.add_open_time(at, self._some(8, 30) * MINUTE)
        elif ending == EndState.NOT_TAKEN_UP:
            late = office.add(at, within)
            plan.ends = office.add_open_time(late, self._some(60, 240) * MINUTE)
        elif ending == EndState.LATE:
            late = office.add(office.add(at, stage.expected), stage.grace)
            plan.ends = office.add_open_time(late, self._some(90, 500) * MINUTE)
        elif ending in (EndState.WAITING, EndState.REMINDED):
            days = 2.5 if ending == EndState.REMINDED else self._some(0.3, 1.6)
            plan.ends = self._awake(at + timedelta(days=days))
        else:
            low, high = (0.05, 0.3) if ending == EndState.CANCELLED else (0.1, 0.6)
            at = self._part_of(stage, stage.expected, at, low, high)
            plan.ends = self._then(plan, stage, at)

    def _then(self, plan: Schedule, stage: StageDefinition, at: datetime) -> datetime:
        """The endings that something is done for; gives when the story stands still."""
        ending, workflow = self.scenario.ending, self.scenario.workflow
        if ending == EndState.HELD:
            plan.add(at, actions.hold(HOLDS[workflow], timedelta(days=9)))
            return at + timedelta(days=self._some(0.5, 2))
        if ending == EndState.DECLINED:
            plan.add(self._awake(at), actions.answer("No thanks, that is too much for me"))
            return self._awake(at) + timedelta(days=self._some(1, 4))
        if ending == EndState.CANCELLED:
            plan.add(at, actions.cancel(CANCEL_REASON))
            return at + timedelta(days=self._some(1, 6))
        if ending == EndState.SENT_BACK:
            plan.add(at, actions.advance(stage.key))
            below = self.definition.opened_by(stage.key, {stage.key})[0]
            back = self._part_of(below, below.expected, at, 0.2, 0.6)
            plan.add(back, actions.send_back(stage.key, SENT_BACK))
            return self._awake(back + timedelta(days=self._some(0.4, 1.5)))
        return at

    def _after_the_last(self, plan: Schedule, done: datetime) -> None:
        """What the customer is asked when all is done, and what they say."""
        question = self.definition.follow_ups_after(self.scenario.stage)[0]
        asked = done + question.wait.length
        if self.scenario.ending == EndState.ASKED:
            plan.ends = asked + timedelta(hours=self._some(2, 26))
            return
        answered = self._awake(asked + timedelta(minutes=self._some(10, 900)))
        if self.scenario.ending == EndState.DENIED:
            plan.add(answered, actions.answer("No, nothing here yet"))
            plan.ends = answered + timedelta(minutes=self._some(40, 400))
        else:
            plan.add(answered, actions.answer("YES"))
            plan.ends = answered + timedelta(days=self._some(1, 9))

    def _talk(self, plan: Schedule, done: dict[str, datetime], opened: datetime) -> None:
        """Put what was said between the opening and the end of its stage."""
        for key, talk in self.scenario.exchanges:
            stage = self.definition.stage(key)
            begun = max((done[one] for one in stage.after), default=opened)
            until = min(done.get(key, plan.ends), plan.ends)
            at = begun + (until - begun) * self._some(0.4, 0.75)
            for step in self._said(talk, stage, at, plan.ends):
                if step.at <= plan.ends:
                    plan.steps.append(step)

    def _said(
        self, talk: Exchange, stage: StageDefinition, at: datetime, ends: datetime
    ) -> Iterator[ScheduledAction]:
        office, workflow = self._office(stage), self.scenario.workflow
        at = self._awake(at)
        question, reply = self.rng.choice(QUESTIONS[workflow])
        answered = office.add_open_time(office.next_open(at), self._some(6, 70) * MINUTE)
        promised = f"{PROMISES[workflow]}."
        if talk == Exchange.NEWS:
            yield ScheduledAction(at, actions.customer_writes("Any news?"))
        elif talk == Exchange.THANKS:
            yield ScheduledAction(at, actions.customer_writes("Thank you!"))
        elif talk == Exchange.QUESTION:
            yield ScheduledAction(at, actions.customer_writes(question))
            yield ScheduledAction(answered, actions.reply(reply))
        elif talk == Exchange.UNANSWERED:
            yield ScheduledAction(
                ends - self._some(4, 25) * MINUTE, actions.customer_writes(question)
            )
        elif talk == Exchange.LONG_UNANSWERED:
            yield ScheduledAction(at, actions.customer_writes(question))
        elif talk == Exchange.CALL:
            yield ScheduledAction(
                office.next_open(at), actions.log_call("They called to ask where it is.")
            )
        else:
            at = office.next_open(at)
            yield from self._promise(talk, office, at, ends, promised)

    def _promise(
        self, talk: Exchange, office: BusinessCalendar, at: datetime, ends: datetime, text: str
    ) -> Iterator[ScheduledAction]:
        soon = office.add_open_time(at, self._some(2, 5) * 60 * MINUTE)
        later = max(ends, office.add_open_time(ends, self._some(3, 12) * 60 * MINUTE))
        if talk == Exchange.PROMISE:
            yield ScheduledAction(at, actions.promise(text, later))
            return
        yield ScheduledAction(at, actions.promise(text, soon))
        if talk == Exchange.PROMISE_KEPT:
            yield ScheduledAction(office.add_open_time(at, 50 * MINUTE), actions.keep_promise)
        elif talk == Exchange.PROMISE_MOVED:
            moved = office.add_open_time(at, 40 * MINUTE)
            yield ScheduledAction(moved, actions.move_promise(later, "The surveyor is ill today"))

    def _part_of(
        self, stage: StageDefinition, whole: Duration, at: datetime, low: float, high: float
    ) -> datetime:
        """Some part of a stretch of time later, at a moment when the department works."""
        office, part = self._office(stage), self.rng.uniform(low, high)
        if whole.unit == "bd":
            return office.add_open_time(at, whole.amount * WORKING_DAY * part)
        if whole.unit == "bh":
            return office.add_open_time(at, whole.length * part)
        return office.next_open(at + whole.length * part)

    def _office(self, stage: StageDefinition) -> BusinessCalendar:
        return self.definition.departments[stage.department].calendar

    def _some(self, low: float, high: float) -> float:
        return self.rng.uniform(low, high)

    def _awake(self, at: datetime) -> datetime:
        """That moment, or the morning after where it falls into the night."""
        local = at.astimezone(ZoneInfo(self.definition.timezone))
        if MORNING <= local.time() <= NIGHT:
            return at
        morning = local.replace(hour=MORNING.hour, minute=MORNING.minute)
        if local.time() > NIGHT:
            morning += timedelta(days=1)
        return morning.astimezone(at.tzinfo)
