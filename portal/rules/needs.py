"""What is needed from the customer: opened with its stage, settled when the stage is done. Pure."""

from typing import Any

from portal.errors import Conflict, NotFound
from portal.models.requests.event import EventKind
from portal.models.requests.need import Need, NeedState
from portal.models.requests.promise import Promise
from portal.models.requests.service_request import ServiceRequest
from portal.models.requests.stage_run import StageRun
from portal.rules.facts import Facts
from portal.workflows import StageDefinition

NEED_CHECKED = "The stage is done."
"""Why the promise to check an item is withdrawn: its next departments check it."""


def open_needs(facts: Facts, run: StageRun) -> None:
    """The stage is reached: it needs each of its items that has not come before.

    Where the stage runs again, what was accepted or sent stays so; where that is all of it, the run
    waits for nothing. A return to the customer waits for a correction.
    """
    request, stage = facts.request, facts.request.definition.stage(run.stage_key)
    by_key = {need.key: need for need in request.needs}
    for item in stage.needs:
        need = by_key.get(item.key)
        if need is None:
            need = Need(stage_key=stage.key, key=item.key, asked_at=facts.now)
            request.needs.append(need)
        elif need.state == NeedState.WITHDRAWN:
            need.state, need.asked_at = NeedState.NEEDED, facts.now
    has_all = bool(stage.needs) and not is_to_send(request, run)
    if has_all and run.waits_on_customer and not run.correction:
        run.stop_waiting(facts.now, facts.roster.department_by_id(run.department_id))


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


def undo_settling(facts: Facts, run: StageRun) -> None:
    """The stage was not done after all: its items are as they were before ``settle_needs``.

    What was sent and not checked has its owner and its time again: those of its promise.
    """
    for need in facts.request.needs:
        if need.stage_key != run.stage_key:
            continue
        if need.state == NeedState.WITHDRAWN:
            need.state = NeedState.NEEDED
        elif need.state == NeedState.CHECKING:
            promise = _withdrawn_check(facts.request, need, run)
            if promise is not None:
                promise.restore()
                need.state = NeedState.SENT
            else:
                need.ask_again()


def _withdrawn_check(request: ServiceRequest, need: Need, run: StageRun) -> Promise | None:
    """The promise to check the item that was withdrawn when the stage was done."""
    for promise in request.promises:
        if promise.id is not None and promise.id == need.promise_id:
            is_of_stage = promise.closed_reason == NEED_CHECKED
            return promise if is_of_stage and promise.closed_at == run.completed_at else None
    return None


def correct_returned(facts: Facts, run: StageRun, reason: str) -> None:
    """The stage is sent back to the customer: its only item is the one to correct."""
    needs = [need for need in facts.request.needs if need.stage_key == run.stage_key]
    if len(needs) == 1 and needs[0].sent_at is not None:
        needs[0].ask_correction(facts.now, reason, facts.actor.staff_id)
        facts.request.close_check_promise(needs[0], facts.now, reason)


def waits_for_customer(stage: StageDefinition) -> bool:
    """Whether the customer does something in this stage, such as sending files."""
    is_only_pause = stage.pauses_clock and stage.question is None and not stage.third_party
    is_theirs = is_only_pause and stage.third_party_awaited is None
    return bool(stage.needs) or is_theirs


def waiting_run(request: ServiceRequest, need: Need) -> StageRun | None:
    """The open run whose stage needs the item."""
    return next((run for run in request.open_runs if run.stage_key == need.stage_key), None)


def is_to_send(request: ServiceRequest, run: StageRun) -> bool:
    """Whether the customer has an item of this stage to send."""
    return any(need.is_to_send for need in request.needs if need.stage_key == run.stage_key)


def are_all_accepted(request: ServiceRequest, need: Need) -> bool:
    """Whether the open stage of this item has all that it needs."""
    needed = [
        each
        for each in request.needs
        if each.stage_key == need.stage_key and each.state != NeedState.WITHDRAWN
    ]
    is_open = waiting_run(request, need) is not None
    return is_open and all(each.state == NeedState.ACCEPTED for each in needed)


def update_waiting(facts: Facts, run: StageRun | None) -> None:
    """The run waits on the customer while they have something to send, and no longer."""
    if run is None:
        return
    request, stage = facts.request, facts.request.definition.stage(run.stage_key)
    is_asked = any(question.run is run and question.is_asked for question in request.follow_ups)
    if run.waits_on_customer and not is_to_send(request, run) and not is_asked:
        run.correction, run.correction_by_id = "", None
        run.stop_waiting(facts.now, facts.roster.department_by_id(run.department_id))
    elif is_to_send(request, run) and stage.pauses_clock and not run.waits_on_customer:
        run.wait_on_customer(facts.now)
    request.derive_state()


def item_of_files(request: ServiceRequest, key: str = "") -> Need | None:
    """The item that a customer's files are for: that of the key, else the only one it can be.

    One that has come and is not checked yet takes further files. None among several.
    """
    if request.is_closed:
        return None
    fitting = [need for need in request.needs if need.is_to_send or need.state == NeedState.SENT]
    named = [need for need in fitting if need.key == key]
    to_send = [need for need in fitting if need.is_to_send]
    candidates = named or to_send or fitting
    return candidates[0] if len(candidates) == 1 else None


def get_need(request: ServiceRequest, key: str) -> Need:
    """The item of that key. Raises NotFound."""
    for need in request.needs:
        if need.key == key and need.state != NeedState.WITHDRAWN:
            return need
    keys = ", ".join(need.key for need in request.needs if need.state != NeedState.WITHDRAWN)
    raise NotFound(f"{request.reference} needs no {key[:64]!r}. It needs {keys or 'nothing'}.")


def item_title(request: ServiceRequest, need: Need, locale: str | None = None) -> str:
    """The title of the item in this language; in English without one."""
    return request.definition.need(need.stage_key, need.key).title.in_language(locale)


def open_check_promise(request: ServiceRequest, need: Need) -> Promise | None:
    """The open promise to check the item."""
    for promise in request.promises:
        if promise.id is not None and promise.id == need.promise_id and promise.is_open:
            return promise
    return None


def refuse_unchecked(request: ServiceRequest, promise: Promise) -> None:
    """Raises Conflict for the promise to check an item that nobody has checked: it needs an owner."""
    for need in request.needs:
        if need.promise_id == promise.id and need.state == NeedState.SENT:
            raise Conflict("Please accept the item, or ask the customer to correct it.")


def record_item(facts: Facts, kind: EventKind, need: Need, **data: Any) -> None:
    """Add to the timeline what became of the item."""
    request, run = facts.request, waiting_run(facts.request, need)
    request.record(
        kind, facts.actor, facts.now, run=run, need_id=need.id, item=item_title(request, need),
        **data,
    )  # fmt: skip
