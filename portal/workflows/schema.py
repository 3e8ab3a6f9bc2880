"""A valid workflow: its departments and the graph of its stages.

A loaded version is stored as JSON and running requests keep theirs, so whatever is added here
later needs a default: `from_json` must read what was written before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from pydantic import TypeAdapter

from portal.business_time import BusinessCalendar, Duration, business_calendar
from portal.workflows.json_duration import JsonDuration
from portal.workflows.localized_text import LocalizedText
from portal.workflows.question_definition import FollowUpDefinition
from portal.workflows.stage_definition import NeedDefinition, StageDefinition

REPLY_WITHIN: Final = Duration(4, "bh")
LEAD_AFTER: Final = Duration(4, "bh")
MANAGER_AFTER: Final = Duration(1, "bd")
"""The defaults of a workflow file."""


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
    collect_at: str | None = None
    """The key of the stage in whose place the thing is collected after a no or a cancellation."""

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

    def collection(self, status: str, *, is_unconfirmed: bool = False) -> StageDefinition | None:
        """The stage in whose place the thing is collected after this end; None where nowhere."""
        if self.collect_at is None or self.outcome(status, is_unconfirmed=is_unconfirmed) is None:
            return None
        return None if is_unconfirmed else self.stage(self.collect_at)

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
