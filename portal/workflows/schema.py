"""A valid workflow: departments, stages, questions.

A loaded version is stored as JSON and running requests keep theirs, so whatever is added here
later needs a default: `from_json` must read what was written before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, PlainSerializer, TypeAdapter

from portal.business_time import BusinessCalendar, Duration, business_calendar
from portal.workflows.localized_text import LocalizedText


def _duration(value: object) -> Duration:
    return value if isinstance(value, Duration) else Duration.parse(str(value))


CustomerAction = Literal["files", "come", "decide", "time"]
"""What a customer does in a stage that waits for them: send files, come, decide, name a time."""


JsonDuration = Annotated[Duration, BeforeValidator(_duration), PlainSerializer(str)]
"""A Duration, in JSON as in a file: "4bh"."""


ZERO_DURATION: Final = Duration(0, "s")
REMIND_AFTER: Final = Duration(2, "d")
CLOSE_AFTER: Final = Duration(30, "d")
REPLY_WITHIN: Final = Duration(4, "bh")
LEAD_AFTER: Final = Duration(4, "bh")
MANAGER_AFTER: Final = Duration(1, "bd")
VISIT_LENGTH: Final = Duration(2, "h")
VISIT_EARLIEST: Final = Duration(1, "bd")
VISIT_LATEST: Final = Duration(20, "bd")
"""The defaults of a workflow file."""


@dataclass(frozen=True)
class AnswerAction:
    """What an answer to a question does.

    It completes the request (or the stage that asks), opens a `stage`, sends back to a `stage`,
    closes the request as declined, or leaves it to a person.
    """

    kind: Literal["complete", "open", "send_back", "close", "person"]
    stage: str | None = None


COMPLETE: Final = AnswerAction("complete")
PERSON: Final = AnswerAction("person")


@dataclass(frozen=True)
class VisitDefinition:
    """The windows in which a visit can be booked, and what the customer reads of it.

    Windows of ``slot`` fill the department's hours; each takes ``capacity`` visits of the
    department at once (None: without limit), from ``earliest`` to ``latest`` after now. ``slot`` is
    None where the file names none: a department that never closes then takes any time.
    """

    slot: JsonDuration | None = None
    capacity: int | None = None
    earliest: JsonDuration = VISIT_EARLIEST
    latest: JsonDuration = VISIT_LATEST
    name: LocalizedText | None = None
    prepare: LocalizedText | None = None
    place: LocalizedText | None = None


@dataclass(frozen=True)
class FollowUpDefinition:
    """A question to the customer: when `after_stage` completes, or when it is reached.

    `wait` passes before it is asked. Counted from the asking, it is asked once more after
    `remind_after` and closed as unconfirmed after `close_after`; zero is never. Business
    durations count in the hours of the stage's department. `no` is None where a person decides.
    """

    key: str
    after_stage: str
    question: LocalizedText
    asked_when: Literal["completed", "reached"] = "completed"
    wait: JsonDuration = ZERO_DURATION
    yes: AnswerAction = COMPLETE
    no: AnswerAction | None = None
    remind_after: JsonDuration = REMIND_AFTER
    close_after: JsonDuration = CLOSE_AFTER
    expects: Literal["yes_no", "time"] = "yes_no"
    """What answers it: a yes or a no; or a time (an appointment), which does what `yes` does."""
    title: LocalizedText | None = None
    """The title of the question's step on the customer's page: "In your hands"."""
    wrong: AnswerAction | None = None
    """What "yes, but something is wrong" does; None where that answer is not offered."""
    looking: LocalizedText | None = None
    """What is done after a no: "{owner} is looking for your card"; None for the product's text."""
    fields: tuple[str, ...] = ()
    """The fields of the question, such as "amount": it is not put while one is empty."""
    yes_label: LocalizedText | None = None
    """What the button for yes says, and that for no; None for the product's own labels."""
    no_label: LocalizedText | None = None
    visit: VisitDefinition = VisitDefinition()
    """The windows of a question that a time answers."""


@dataclass(frozen=True)
class NeedDefinition:
    """One item that a stage needs from the customer, and how they send it."""

    key: str
    title: LocalizedText
    help: LocalizedText | None = None


@dataclass(frozen=True)
class StageDefinition:
    """One step: who does it, what the customer reads, how long it takes and what it waits for.

    It is late after `expected`, and a dropped ball after `grace` more. `sms` is None for the
    product's own text; `update_every` is None where no update is promised between milestones.
    `question` is asked when the stage is reached. Messages of an `urgent` stage are sent at any
    hour. `third_party` is the outside company that does it ("" for none), `silent_after` how
    long it may be silent (None: without limit).
    """

    key: str
    department: str
    name: str
    title: LocalizedText
    expected: JsonDuration
    grace: JsonDuration = ZERO_DURATION
    milestone: bool = True
    sms: LocalizedText | None = None
    update_every: JsonDuration | None = None
    pauses_clock: bool = False
    after: tuple[str, ...] = ()
    question: FollowUpDefinition | None = None
    urgent: bool = False
    third_party: str = ""
    silent_after: JsonDuration | None = None
    tracking_url: str = ""
    """The address of a tracking page, with ``{number}``; empty for that of the carrier."""
    delivered: Literal["", "complete", "keep"] = ""
    """What "delivered" of a third party does: complete the stage, or leave it to staff. Empty
    completes the third party's own stage, and no stage after it."""
    delay: LocalizedText | None = None
    """Why it may take longer, as customers read it; None for the product's own text."""
    title_next: LocalizedText | None = None
    title_done: LocalizedText | None = None
    """The title while it is still to come and once it is completed; see ``title_to_come``."""
    waits_for: Literal["customer"] | LocalizedText | None = None
    """Whom its pause waits for: the customer, or a third party by name."""
    ask: CustomerAction | None = None
    place: LocalizedText | None = None
    bring: LocalizedText | None = None
    """Where the customer comes, and what they bring."""

    @property
    def title_to_come(self) -> LocalizedText:
        """The title in a list of steps before it begins: ``title`` where the file has no other."""
        return self.title_next or self.title

    @property
    def title_when_done(self) -> LocalizedText:
        """The title in a list of steps once completed: ``title`` where the file has no other."""
        return self.title_done or self.title

    @property
    def third_party_awaited(self) -> LocalizedText | None:
        """The third party that its pause waits for; None where it waits for nobody or the customer."""
        return self.waits_for if isinstance(self.waits_for, LocalizedText) else None

    @property
    def customer_action(self) -> CustomerAction | None:
        """What the customer does; None where it is not known."""
        if self.ask is None and self.question is not None:
            return "time" if self.question.expects == "time" else "decide"
        return self.ask

    @property
    def is_customers_turn(self) -> bool:
        """Whether its pause is known to wait for the customer."""
        return self.waits_for == "customer" or self.customer_action is not None

    needs: tuple[NeedDefinition, ...] = ()
    """What the customer sends while the stage is open; the keys differ in the whole file."""


@dataclass(frozen=True)
class DepartmentDefinition:
    """A department as the file defines it: its hours, and how soon it accepts and replies.

    `hours` is None for one that never closes, `holidays` a region ("US-CA") or None. A handoff to
    it is to be accepted within `accept_within` (None: there is nothing to accept), a customer's
    message to be answered within `reply_within`. A dropped ball goes to its lead `lead_after` it was
    raised, to a manager `manager_after`.
    """

    key: str
    name: str
    timezone: str = "UTC"
    hours: str | None = None
    holidays: str | None = None
    accept_within: JsonDuration | None = None
    reply_within: JsonDuration = REPLY_WITHIN
    lead_after: JsonDuration = LEAD_AFTER
    manager_after: JsonDuration = MANAGER_AFTER
    public_name: LocalizedText | None = None
    """Its name as customers of this workflow read it; None where that is `name`."""

    @property
    def calendar(self) -> BusinessCalendar:
        """The calendar that counts its business durations."""
        return business_calendar(self.hours, self.timezone, self.holidays)


@dataclass(frozen=True)
class WorkflowDefinition:
    """A kind of request and its stages, in the order of the file; `after` is resolved.

    `departments` holds those that the file defines; stages may name others that exist already.
    """

    key: str
    name: str
    timezone: str
    prefix: str
    departments: dict[str, DepartmentDefinition]
    stages: tuple[StageDefinition, ...]
    follow_ups: tuple[FollowUpDefinition, ...] = ()
    title: LocalizedText | None = None
    """Its name as customers read it, where that is not `name`."""
    customer_may_cancel_until: str | None = None
    """The key of the stage before which customers may withdraw by themselves; None: never."""
    arrives: LocalizedText | None = None
    """The label of the date by which the request should be done: "With you by"."""
    on_declined: LocalizedText | None = None
    on_cancelled: LocalizedText | None = None
    on_unconfirmed: LocalizedText | None = None
    """What such an end means for the thing and the money, as customers read it."""

    def title_in(self, title: str, locale: str | None) -> str:
        """The title of a request for its customer: the `given` one, or that of the workflow."""
        if self.title is not None and title == self.name:
            return self.title.in_language(locale)
        return title

    def outcome(self, status: str, *, is_unconfirmed: bool = False) -> LocalizedText | None:
        """What this end of a request means for the thing and the money; None where nothing is said."""
        if is_unconfirmed:
            return self.on_unconfirmed
        return {"declined": self.on_declined, "cancelled": self.on_cancelled}.get(status)

    def department_name(self, key: str, name: str, locale: str | None) -> str:
        """A department for customers: its public name in this file, else its own `name`."""
        department = self.departments.get(key)
        if department is None or department.public_name is None:
            return name
        return department.public_name.in_language(locale)

    def to_json(self) -> str:
        """The same text for the same definition, always; two that differ are two versions."""
        return _JSON.dump_json(self).decode()

    @staticmethod
    def from_json(text: str) -> WorkflowDefinition:
        """Reads what `to_json` wrote, in this or an earlier release."""
        return _JSON.validate_json(text)

    def stage(self, key: str) -> StageDefinition:
        """The stage of that key. Raises KeyError."""
        return self._by_key[key]

    def need(self, stage: str, key: str) -> NeedDefinition:
        """The item of that stage. Raises KeyError."""
        for need in self.stage(stage).needs:
            if need.key == key:
                return need
        raise KeyError(key)

    def questions(self) -> Iterator[FollowUpDefinition]:
        """Every question of the workflow, those of stages first. Their keys are all different."""
        yield from (stage.question for stage in self.stages if stage.question)
        yield from self.follow_ups

    def question(self, key: str) -> FollowUpDefinition:
        """The question of that key, a stage's or a follow-up. Raises KeyError."""
        for question in self.questions():
            if question.key == key:
                return question
        raise KeyError(key)

    def follow_ups_after(self, stage: str) -> list[FollowUpDefinition]:
        """The questions that completing this stage makes due."""
        return [follow_up for follow_up in self.follow_ups if follow_up.after_stage == stage]

    def roots(self) -> list[StageDefinition]:
        """The stages without a dependency: they open with the request."""
        return [stage for stage in self.stages if not stage.after]

    def opened_by(self, completed: str, done: Collection[str]) -> list[StageDefinition]:
        """The stages that open now that `completed` is, given all that are `done` (with it)."""
        done = {completed, *done}
        return [
            stage
            for stage in self.stages
            if completed in stage.after and done.issuperset(stage.after)
        ]

    def ancestors(self, key: str) -> set[str]:
        """All stages that must be done before this one can open."""
        ancestor_keys: set[str] = set()
        to_visit = [*self.stage(key).after]
        while to_visit:
            if (stage := to_visit.pop()) not in ancestor_keys:
                ancestor_keys.add(stage)
                to_visit += self.stage(stage).after
        return ancestor_keys

    def descendants(self, key: str) -> set[str]:
        """All stages that cannot open before this one is done. Raises KeyError."""
        keys = {self.stage(key).key}
        for level in self.stage_levels():
            keys |= {stage.key for stage in level if not keys.isdisjoint(stage.after)}
        return keys - {key}

    def stage_levels(self) -> list[tuple[StageDefinition, ...]]:
        """The stages in order of levels: one tuple for each level, with what runs in parallel."""
        return self._stage_levels

    @cached_property
    def _by_key(self) -> dict[str, StageDefinition]:
        return {stage.key: stage for stage in self.stages}

    @cached_property
    def _stage_levels(self) -> list[tuple[StageDefinition, ...]]:
        stage_levels: list[tuple[StageDefinition, ...]] = []
        placed: set[str] = set()
        while len(placed) < len(self.stages):
            level = tuple(
                stage
                for stage in self.stages
                if stage.key not in placed and placed.issuperset(stage.after)
            )
            stage_levels.append(level)
            placed.update(stage.key for stage in level)
        return stage_levels


_JSON = TypeAdapter(WorkflowDefinition)
