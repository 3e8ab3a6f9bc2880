"""What the page says while the customer's thing is looked for, or something is looked into."""

from collections.abc import Iterable
from dataclasses import replace

from portal.messaging.wording.renderer import fill_template, product_text
from portal.models import PromiseKind, RunState
from portal.models.people.given_name import staff_first_name
from portal.queries.status_page.rows import FollowUpRow, StatusPageRow
from portal.rules.investigations import (
    AnsweredOrOwed,
    find_investigation,
    find_sought,
    is_answered,
    looking_template,
)
from portal.tracking.status_page.timeline_view import StepGroup
from portal.workflows import WorkflowDefinition

UNDER_WAY = ("current", "handed_off", "paused")
"""The states of the steps that are looked for."""


def investigation_text(snapshot: StatusPageRow, definition: WorkflowDefinition) -> str:
    """What is done since the customer said that it did not come, or is wrong; empty without that.

    Once a person has answered, it says so.
    """
    question = find_investigation(definition, snapshot.status, snapshot.runs, snapshot.follow_ups)
    if question is None and not _is_reopened_for_customer(snapshot):
        return ""
    if question is not None and is_answered(question, _replies(snapshot)):
        return product_text("answered_you", snapshot.locale)
    return _looking(snapshot, definition, question, staff_first_name(snapshot.owner))


def find_sought_question(
    snapshot: StatusPageRow, definition: WorkflowDefinition
) -> FollowUpRow | None:
    """The question whose no is answered by looking for the thing; None without one."""
    return find_sought(
        definition, snapshot.status, snapshot.runs, snapshot.follow_ups, _replies(snapshot)
    )


def sought_text(snapshot: StatusPageRow, definition: WorkflowDefinition, brand: str) -> str:
    """That the thing is looked for, in the name of the brand; empty while it is not."""
    question = find_sought_question(snapshot, definition)
    return _looking(snapshot, definition, question, brand) if question else ""


def say_sought(groups: Iterable[StepGroup], sought: str) -> tuple[StepGroup, ...]:
    """The timeline, where the steps under way say ``sought`` unless it is empty."""
    if not sought:
        return tuple(groups)
    return tuple(
        tuple(replace(step, title=sought) if step.state in UNDER_WAY else step for step in group)
        for group in groups
    )


def _looking(
    snapshot: StatusPageRow,
    definition: WorkflowDefinition,
    question: FollowUpRow | None,
    owner: str,
) -> str:
    """The workflow's sentence of what ``owner`` does, else the product's."""
    template = ""
    if question is not None:
        asked = definition.question(question.key)
        template = looking_template(asked, question, snapshot.follow_ups, snapshot.locale)
    department = next(row.name for row in snapshot.departments if row.id == snapshot.department_id)
    fields = {
        "owner": owner,
        "department": department,
        "reference": snapshot.reference,
        "title": definition.title_in(snapshot.title, snapshot.locale),
    }
    return fill_template(template or product_text("looking_into_it", snapshot.locale), fields)


def _replies(snapshot: StatusPageRow) -> AnsweredOrOwed:
    """The page reads no kept promises of an answer, only when the last was kept."""
    is_owed = any(
        row.kind == PromiseKind.ANSWER and row.closed_at is None for row in snapshot.promises
    )
    return AnsweredOrOwed(snapshot.answered_at, is_owed)


def _is_reopened_for_customer(snapshot: StatusPageRow) -> bool:
    """Whether a stage runs again because the customer asked for it, and is promised an answer."""
    promised = {row.made_at for row in snapshot.promises if row.kind == PromiseKind.ANSWER}
    return any(
        run.passage > 1 and run.state == RunState.OPEN and run.opened_at in promised
        for run in snapshot.runs
    )
