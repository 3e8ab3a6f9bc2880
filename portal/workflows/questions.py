"""Questions to the customer, and what their answers do."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from portal.workflows import stage_graph
from portal.workflows.issues import did_you_mean
from portal.workflows.localized_text import LocalizedText
from portal.workflows.placeholders import (
    PLACEHOLDERS,
    QUESTION_FIELDS,
    is_field_name,
    placeholders_in,
)
from portal.workflows.question_definition import (
    CLOSE_AFTER,
    COMPLETE,
    PERSON,
    REMIND_AFTER,
    AnswerAction,
    FollowUpDefinition,
)
from portal.workflows.stage_definition import StageDefinition
from portal.workflows.table_reader import TableReader
from portal.workflows.visits import VISIT_KEYS, read_visit

QUESTION_KEYS: Final = (
    "question", "yes", "no", "expects", "remind_after", "close_after", "fields", "yes_label",
    "no_label", *VISIT_KEYS,
)  # fmt: skip
"""The keys of a table with a question: a follow-up, or a stage."""
ARRIVAL_KEYS: Final = ("wrong", "looking")
"""More keys of a follow-up: what follows where something did not come, or is not right."""
LOOKING_FIELDS: Final = ("owner", "department", "title", "reference")
"""The placeholders of `looking`."""

_ANSWERS: Final = (
    '"complete", { open = "stage" }, { send_back = "stage" } or { close = "declined" }'
)

_WRONG_ANSWERS: Final = '"person", { open = "stage" } or { send_back = "stage" }'

_CLOSE: Final = AnswerAction("close")
_PLAIN_ACTIONS: Final = {"complete": COMPLETE, "close": _CLOSE}
_EXPECTED: Final = 'Write "yes_no" or "time", for a question that a date and hour answer.'


def read_question(
    table: TableReader, stages: Collection[str], base: FollowUpDefinition
) -> FollowUpDefinition:
    """The question of this table: `asking`, with the text and the answers of the table."""
    declared = _declared_fields(table)
    known = (*PLACEHOLDERS, *QUESTION_FIELDS, *declared)
    question = table.localized_text("question", is_template=True, placeholders=known)
    fields = _fields_of(table, question, declared)
    expects = _expects(table)
    return replace(
        base,
        question=question or LocalizedText({}),
        fields=fields,
        yes_label=_label(table, "yes_label", fields),
        no_label=_label(table, "no_label", fields),
        yes=_answer(table, "yes", stages) or COMPLETE,
        no=_answer(table, "no", stages),
        expects=expects,
        remind_after=table.duration("remind_after", REMIND_AFTER),
        close_after=table.duration("close_after", CLOSE_AFTER),
        wrong=_answer(table, "wrong", stages),
        looking=table.localized_text("looking", placeholders=LOOKING_FIELDS),
        visit=read_visit(table, is_for_time=expects == "time"),
    )


def _label(table: TableReader, key: str, fields: tuple[str, ...]) -> LocalizedText | None:
    """The label of a button, which may name the fields of the question."""
    return table.localized_text(key, is_template=bool(fields), placeholders=fields)


def _declared_fields(table: TableReader) -> list[str]:
    """The names in ``fields``, without those that are no names of a field."""
    names = table.names("fields") or []
    for name in names:
        if not is_field_name(name):
            remedy = 'Use lower-case letters, like fields = ["amount"]; no placeholder of Kept.'
            table.add_issue("fields", f'declares the field "{name}", which cannot be one', remedy)
    return [name for name in names if is_field_name(name)]


def _fields_of(
    table: TableReader, question: LocalizedText | None, declared: Collection[str]
) -> tuple[str, ...]:
    """The fields that the question names, in each of its languages the same."""
    if question is None:
        return ()
    named = {
        language: [name for name in placeholders_in(text) if name not in PLACEHOLDERS]
        for language, text in question.texts.items()
    }
    fields = list(dict.fromkeys(name for names in named.values() for name in names))
    for language, names in named.items():
        for name in fields:
            if name not in names:
                problem = f'has a "question" that does not name {{{name}}} in "{language}"'
                table.add_issue("question", problem, "Name it in each language.", language)
    for name in declared:
        if name not in fields:
            problem = f'declares the field "{name}", which its "question" does not name'
            table.add_issue("fields", problem, f"Write {{{name}}} in it, or take it out.")
    return tuple(fields)


def _expects(table: TableReader) -> Literal["yes_no", "time"]:
    match table.values.get("expects", "yes_no"):
        case "yes_no":
            return "yes_no"
        case "time":
            return "time"
        case _:
            table.add_issue("expects", 'has an "expects" that is nothing known', _EXPECTED)
            return "yes_no"


def _answer(table: TableReader, key: str, stages: Collection[str]) -> AnswerAction | None:
    value = table.values.get(key)
    if isinstance(value, dict) and len(value) > 1:
        table.add_issue(key, f'has a "{key}" that does several things', f"Write one: {_ANSWERS}.")
        return None
    match value:
        case None:
            return None
        case str() if value in (plain := {"person": PERSON} if key == "wrong" else _PLAIN_ACTIONS):
            return plain[value]
        case {"close": "declined" | True} if key != "wrong":
            return _CLOSE
        case {"open": str(stage)}:
            action = AnswerAction("open", stage)
        case {"send_back": str(stage)}:
            action = AnswerAction("send_back", stage)
        case _:
            remedy = _WRONG_ANSWERS if key == "wrong" else _ANSWERS
            table.add_issue(key, f'has a "{key}" that does nothing known', f"Write {remedy}.")
            return None
    if action.stage not in stages:
        remedy = did_you_mean(stage, stages)
        table.add_issue(key, f'has a "{key}" that leads to "{stage}", which is no stage', remedy)
    return action


def check_questions(
    questions: Iterable[tuple[TableReader, FollowUpDefinition | None]],
    after: stage_graph.Dependencies,
) -> None:
    """Report questions with the same key, and answers that send back to a stage not before theirs.

    ``after`` has the dependencies of each stage, by key.
    """
    keys: set[str] = set()
    for table, question in questions:
        if question is None:
            continue
        if question.key in keys:
            table.add_issue(
                "key", f'is there twice as "{question.key}"', "Give each a key of its own."
            )
        keys.add(question.key)
        for answer, action in _actions(question):
            if action.kind == "send_back" and question.after_stage in after:
                stage = question.after_stage
                earlier_stages = {stage, *stage_graph.ancestors(after, stage)}
                if (
                    action.stage is not None
                    and action.stage in after
                    and action.stage not in earlier_stages
                ):
                    table.add_issue(
                        answer,
                        f'sends back to "{action.stage}", which does not come before',
                        did_you_mean(action.stage, earlier_stages),
                    )


@dataclass(frozen=True)
class UnfilledFields:
    """Finds what leads straight to a question with fields: nobody is there to fill them in."""

    stages: Sequence[tuple[TableReader, StageDefinition]]
    questions: Sequence[tuple[TableReader, FollowUpDefinition]]

    def check(self) -> None:
        """Report the answers, and the stages that a third party completes."""
        for table, question in self.questions:
            for answer, action in _actions(question):
                remedy = "Put a stage of your own before it, whose people fill that in."
                self._report(table, answer, answer, self._put_by(question, action), remedy)
        for table, stage in self.stages:
            if stage.delivered == "complete" or (stage.third_party and stage.delivered != "keep"):
                key = "delivered" if "delivered" in table else "third_party"
                remedy = 'Write delivered = "keep": your people complete it, and fill that in.'
                self._report(table, key, "delivered", self._put_after(stage.key), remedy)

    def _report(
        self, table: TableReader, key: str, cause: str, put: Mapping[str, str], remedy: str
    ) -> None:
        for what, name in put.items():
            problem = f'leads with "{cause}" straight to {what}, which asks about {{{name}}}'
            table.add_issue(key, problem, remedy)

    def _put_by(self, question: FollowUpDefinition, action: AnswerAction) -> Mapping[str, str]:
        """The questions with fields that follow from an answer, each with its first field."""
        if action.kind == "complete" and question.asked_when == "reached":
            return self._put_after(question.after_stage)
        name = self._field(action.stage, is_of_stage=True) if action.kind == "open" else ""
        return {f'"{action.stage}"': name} if name else {}

    def _put_after(self, completed: str) -> Mapping[str, str]:
        """The questions with fields that the end of this stage puts, each with its first field."""
        opened = [stage.key for _, stage in self.stages if completed in stage.after]
        put = {f'"{key}"': self._field(key, is_of_stage=True) for key in opened}
        put[f'the follow-up after "{completed}"'] = self._field(completed, is_of_stage=False)
        return {what: name for what, name in put.items() if name}

    def _field(self, stage: str | None, *, is_of_stage: bool) -> str:
        """The first field of the question of this stage, or of a follow-up after it; "" for none."""
        for _, question in self.questions:
            is_asked_there = (question.asked_when == "reached") == is_of_stage
            if question.after_stage == stage and is_asked_there and question.fields:
                return question.fields[0]
        return ""


def _actions(question: FollowUpDefinition) -> Iterator[tuple[str, AnswerAction]]:
    """What follows from each answer, by the key of the answer."""
    for key, action in (("yes", question.yes), ("no", question.no), ("wrong", question.wrong)):
        if action is not None:
            yield key, action
