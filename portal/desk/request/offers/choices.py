"""The options of a request's forms: the stages it can return to, the staff it can be given to."""

from portal.desk.request.view_models import QuestionFieldInput
from portal.desk.widgets import Choice
from portal.models import RunState, ServiceRequest
from portal.models.columns import saved_id
from portal.rules.question_planning import field_label
from portal.rules.roster import Roster
from portal.workflows import FollowUpDefinition

FIELD_PREFIX = "fields."
"""The names of inputs for the fields of a question begin so."""


def target_stages(request: ServiceRequest, roster: Roster) -> list[Choice]:
    """The stages it can return to; a closed request can also reopen at its last stage."""
    superseded_first = sorted(request.runs, key=lambda run: run.state != RunState.SUPERSEDED)
    states = {run.stage_key: run.state for run in superseded_first}
    stages = [
        Choice(stage.key, f"{stage.name}, {roster.department(stage.department).name}")
        for stage in request.definition.stages
        if stage.key in states and (request.is_closed or states[stage.key] == RunState.COMPLETED)
    ]
    return [Choice("", "Where it stopped"), *stages] if request.is_closed else stages


def return_fields(request: ServiceRequest) -> list[QuestionFieldInput]:
    """The inputs for the fields of the questions that a return may put."""
    stages = {run.stage_key for run in request.runs}
    return [
        field_input(request, stage.question, name)
        for stage in request.definition.stages
        if stage.key in stages and stage.question is not None
        for name in stage.question.fields
    ]


def field_input(
    request: ServiceRequest, question: FollowUpDefinition, name: str
) -> QuestionFieldInput:
    """The input for one field of a question, with what the request was opened with."""
    value = request.fields.get(name)
    return QuestionFieldInput(
        f"{FIELD_PREFIX}{name}", field_label(name).capitalize(), str(question.question),
        value if isinstance(value, str) else "",
    )  # fmt: skip


def assignees(request: ServiceRequest, roster: Roster) -> list[Choice]:
    """The staff available now, those of the departments that have it first."""
    departments = {run.department_id for run in request.open_runs} | {request.department_id}
    own_department_ids = {person for key in departments for person in roster.members.get(key, [])}
    available = [
        person for person in roster.staff.values() if roster.is_available(saved_id(person))
    ]
    available.sort(key=lambda person: (person.id not in own_department_ids, person.name))
    return [Choice(person.email, _with_workload(roster, saved_id(person))) for person in available]


def _with_workload(roster: Roster, person_id: int) -> str:
    """The name and the number of open stages, where there are any."""
    name, open_runs = roster.person(person_id).name, roster.open_runs.get(person_id)
    return f"{name} ({open_runs} open)" if open_runs else name
