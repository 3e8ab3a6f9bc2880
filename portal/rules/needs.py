"""What is needed from the customer: opened with its stage, settled when the stage is done. Pure."""

from portal.models.columns import saved_id
from portal.models.requests.need import Need, NeedState
from portal.models.requests.service_request import ServiceRequest
from portal.models.requests.stage_run import StageRun
from portal.rules.facts import Facts
from portal.workflows import NeedDefinition, StageDefinition

NEED_CHECKED = "The stage is done."
"""Why the promise to check an item is withdrawn: its next departments check it."""


def open_needs(facts: Facts, stage: StageDefinition) -> None:
    """The stage is reached: it needs each of its items that has not come before.

    Where the stage runs again, what was accepted or sent stays so; with one item alone, it is the
    one to correct.
    """
    request = facts.request
    by_key = {need.key: need for need in request.needs}
    for item in stage.needs:
        need = by_key.get(item.key)
        if need is None:
            need = Need(stage_key=stage.key, key=item.key, asked_at=facts.now)
            request.needs.append(need)
        elif need.state == NeedState.WITHDRAWN:
            need.state, need.asked_at = NeedState.NEEDED, facts.now


def settle_needs(facts: Facts, run: StageRun) -> None:
    """The stage of the items is done: what has come is checked on, what has not is not needed."""
    for need in facts.request.needs:
        if need.stage_key != run.stage_key:
            continue
        if need.state == NeedState.SENT:
            need.state = NeedState.CHECKING
            facts.request.close_check_promise(need, facts.now, NEED_CHECKED)
        elif need.is_to_send:
            need.state = NeedState.CHECKING if need.sent_at else NeedState.WITHDRAWN


def correct_returned(facts: Facts, run: StageRun, reason: str) -> None:
    """The stage is sent back to the customer: its only item is the one to correct."""
    needs = [need for need in facts.request.needs if need.stage_key == run.stage_key]
    if len(needs) == 1 and needs[0].sent_at is not None:
        needs[0].ask_correction(facts.now, reason, facts.actor.staff_id)
        facts.request.close_check_promise(needs[0], facts.now, reason)


def waits_for_customer(stage: StageDefinition) -> bool:
    """Whether the customer does something in this stage, such as sending files."""
    is_only_pause = stage.pauses_clock and stage.question is None and not stage.third_party
    return bool(stage.needs) or is_only_pause


def waiting_run(request: ServiceRequest, need: Need) -> StageRun | None:
    """The open run whose stage needs the item."""
    return next((run for run in request.open_runs if run.stage_key == need.stage_key), None)


def update_waiting(facts: Facts, run: StageRun | None) -> None:
    """The run waits on the customer while they have something to send, and no longer."""
    if run is None:
        return
    request, stage = facts.request, facts.request.definition.stage(run.stage_key)
    is_to_send = any(need.is_to_send for need in request.needs if need.stage_key == run.stage_key)
    is_asked = any(question.run is run and question.is_asked for question in request.follow_ups)
    if run.waits_on_customer and not is_to_send and not is_asked:
        run.correction, run.correction_by_id = "", None
        run.stop_waiting(facts.now, facts.roster.department_by_id(run.department_id))
    elif is_to_send and stage.pauses_clock and not run.waits_on_customer:
        run.wait_on_customer(facts.now)
    request.derive_state()


def need_definition(request: ServiceRequest, need: Need) -> NeedDefinition:
    """The item as the workflow file describes it."""
    return request.definition.need(need.stage_key, need.key)


def item_title(request: ServiceRequest, need: Need, locale: str | None = None) -> str:
    """The title of the item; in English, unless a locale is given."""
    return need_definition(request, need).title.in_language(locale)


def check_promise_of(request: ServiceRequest, promise_id: int) -> Need | None:
    """The item that this promise is to check, if it is still to be checked."""
    for need in request.needs:
        if need.promise_id == promise_id and need.state == NeedState.SENT:
            return need
    return None


def need_id(need: Need) -> int:
    """The id of the item, which is saved."""
    return saved_id(need)
