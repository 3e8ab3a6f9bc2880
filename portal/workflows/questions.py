"""Questions to the customer, and what their answers do."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Final, Literal

from portal.workflows import stage_graph
from portal.workflows.issues import did_you_mean
from portal.workflows.schema import (
    CLOSE_AFTER,
    COMPLETE,
    REMIND_AFTER,
    AnswerAction,
    FollowUpDefinition,
    LocalizedText,
)
from portal.workflows.table_reader import TableReader
from portal.workflows.visits import VISIT_KEYS, read_visit

QUESTION_KEYS: Final = (
    "question", "yes", "no", "expects", "remind_after", "close_after", *VISIT_KEYS,
)  # fmt: skip
"""The keys of a table with a question: a follow-up, or a stage."""

_ANSWERS: Final = (
    '"complete", { open = "stage" }, { send_back = "stage" } or { close = "declined" }'
)


_EXPECTED: Final = 'Write "yes_no" or "time", for a question that a date and hour answer.'


def read_question(
    table: TableReader, stages: Collection[str], base: FollowUpDefinition
) -> FollowUpDefinition:
    """The question of this table: `asking`, with the text and the answers of the table."""
    expects = _expects(table)
    return replace(
        base,
        question=table.localized_text("question", is_template=True) or LocalizedText({}),
        yes=_answer(table, "yes", stages) or COMPLETE,
        no=_answer(table, "no", stages),
        expects=expects,
        remind_after=table.duration("remind_after", REMIND_AFTER),
        close_after=table.duration("close_after", CLOSE_AFTER),
        visit=read_visit(table, is_for_time=expects == "time"),
    )


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
        case "complete":
            return COMPLETE
        case "close" | {"close": "declined" | True}:
            return AnswerAction("close")
        case {"open": str(stage)}:
            action = AnswerAction("open", stage)
        case {"send_back": str(stage)}:
            action = AnswerAction("send_back", stage)
        case _:
            table.add_issue(key, f'has a "{key}" that does nothing known', f"Write {_ANSWERS}.")
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
        for answer, action in (("yes", question.yes), ("no", question.no)):
            if action and action.kind == "send_back" and question.after_stage in after:
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
