"""The options of a request's forms: the stages it can return to, the staff it can be given to."""

from portal.desk.widgets import Choice
from portal.models import RunState, ServiceRequest
from portal.models.columns import saved_id
from portal.rules.roster import Roster


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
