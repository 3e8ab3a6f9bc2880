"""Who may do what to a request: one rule for the desk, the API and every operation. Pure.

``docs/authorization.md`` shows it as a matrix; a test holds the two together.
"""

from collections.abc import Callable, Collection, Mapping
from enum import StrEnum

from portal.errors import NotAllowed
from portal.models.requests.handoff import Handoff
from portal.models.requests.promise import PromiseKind
from portal.models.requests.service_request import ServiceRequest
from portal.models.requests.stage_run import StageRun
from portal.rules.colleague import Colleague


class Act(StrEnum):
    """What a person can do to a request."""

    READ = "read"
    READ_FILES = "read_files"
    LOG_CONTACT = "log_contact"
    SET_NOTE = "set_note"
    ADVANCE = "advance"
    HOLD = "hold"
    RESUME = "resume"
    DELAY = "delay"
    RECORD_THIRD_PARTY = "record_third_party"
    ASSIGN = "assign"
    ACCEPT = "accept"
    REFUSE = "refuse"
    RECALL = "recall"
    SEND_BACK = "send_back"
    CANCEL = "cancel"
    REOPEN = "reopen"
    WRITE = "write"
    PROMISE = "promise"
    CHECK_NEED = "check_need"
    CONSENT = "consent"
    LINK = "link"
    CORRECT_INTENT = "correct_intent"
    RESOLVE_MESSAGE = "resolve_message"
    DISMISS_BALL = "dismiss_ball"


def authorize(
    person: Colleague | None, request: ServiceRequest | None, stage: str | None, act: Act
) -> None:
    """Raises NotAllowed, with a sentence for the person, where ``is_allowed`` is false.

    Raises Conflict where it is nobody's to do, because the customer is erased.
    """
    if request is not None and act not in READING:
        request.require_not_erased()
    if not is_allowed(person, request, stage, act):
        raise NotAllowed(_refusal(person, request, stage, act))


def is_allowed(
    person: Colleague | None, request: ServiceRequest | None, stage: str | None, act: Act
) -> bool:
    """True where the person may do it.

    No person is a customer, an API key without ``by``, or Kept itself: they may do everything. So
    may managers and admins; what belongs to no request is theirs alone. A request whose customer
    is erased is only read. What an API key may do at all is decided before, by its scopes.

    ``stage`` is the key of the stage meant. Where no such stage is open, or several are and none is
    named, the answer is never stricter than for the whole request, so that the rules of the stage
    say what is wrong.
    """
    if request is not None and request.erased_at is not None and act not in READING:
        return False
    if person is None or person.manages_all:
        return True
    permission = STAGE_PERMISSIONS.get(act)
    return request is not None and (
        act in OPEN_TO_ALL
        or (permission(person, request, stage) if permission else has_part(person, request))
    )


def has_part(person: Colleague, request: ServiceRequest) -> bool:
    """True for the owner, the coordinator, the department that has it, and holders of a stage."""
    return (
        _owns_request(person, request)
        or request.department_id in person.departments
        or any(_holds_stage(person, request, run) for run in request.open_runs)
    )


def may_accept(person: Colleague | None, to_department_id: int) -> bool:
    """True for members of the department that a handoff waits for; accepting and refusing."""
    return person is None or person.manages_all or to_department_id in person.departments


def may_dismiss(
    person: Colleague | None, request: ServiceRequest | None, assignee_id: int | None
) -> bool:
    """True for a dropped ball of a request that they may act on, and for the person it is before."""
    is_theirs = person is not None and person.staff_id == assignee_id
    return is_theirs or is_allowed(person, request, None, Act.DISMISS_BALL)


def fulfils_call_promise(person: Colleague | None, request: ServiceRequest) -> bool:
    """True where a call that this person logs counts as the call that was promised.

    Anybody may log a call. Only somebody who has a part in the request, or who owns the promise,
    has given the customer an answer.
    """
    calls = [
        promise
        for promise in request.promises
        if promise.is_open and promise.kind == PromiseKind.CALL
    ]
    owns_call = person is not None and any(call.owner_id == person.staff_id for call in calls)
    return owns_call or is_allowed(person, request, None, Act.PROMISE)


def may_change_absence(
    person: Colleague | None, staff_id: int, departments: Collection[int]
) -> bool:
    """True for one's own absence, for that of who works in a department one leads, or for all."""
    if person is None or person.manages_all or person.staff_id == staff_id:
        return True
    return not person.leads.isdisjoint(departments)


def _may_complete(person: Colleague, request: ServiceRequest, stage: str | None) -> bool:
    """The holder of the stage; not the coordinator, for a review is that department's statement."""
    runs = _matching_runs(request, stage)
    if len(runs) != 1:
        return has_part(person, request)
    return _holds_stage(person, request, runs[0])


def _may_read_files(person: Colleague, request: ServiceRequest, stage: str | None) -> bool:
    """Who has or had a part in it, and who leads a department."""
    del stage
    return (
        has_part(person, request)
        or bool(person.leads)
        or any(
            run.department_id in person.departments or run.assignee_id == person.staff_id
            for run in request.runs
        )
    )


def _may_answer(person: Colleague, request: ServiceRequest, stage: str | None) -> bool:
    """Who has a part in it, and who has promised its customer something that is still to come."""
    del stage
    owes = any(
        promise.is_open and promise.owner_id == person.staff_id for promise in request.promises
    )
    return owes or has_part(person, request)


def _may_reschedule(person: Colleague, request: ServiceRequest, stage: str | None) -> bool:
    """Owner or coordinator, or the holder of every stage that is meant."""
    if _owns_request(person, request):
        return True
    runs = _matching_runs(request, stage)
    if not runs:
        return has_part(person, request)
    return all(_holds_stage(person, request, run) for run in runs)


def _may_receive(person: Colleague, request: ServiceRequest, stage: str | None) -> bool:
    """The department that the handoff waits for."""
    handoffs = _pending(request, stage)
    return len(handoffs) != 1 or may_accept(person, handoffs[0].to_department_id)


def _may_recall(person: Colleague, request: ServiceRequest, stage: str | None) -> bool:
    """The sender, who completed the stage for them, and who leads the sender's department."""
    handoffs = _pending(request, stage)
    return not handoffs or any(_has_sent(person, handoff) for handoff in handoffs)


def _has_sent(person: Colleague, handoff: Handoff) -> bool:
    department_id, sender = handoff.from_department_id, handoff.from_run
    has_completed = sender is not None and sender.completed_by == person.name
    return (
        person.staff_id in {handoff.sender_id, handoff.run.assignee_id}
        or department_id in person.leads
        or (has_completed and department_id in person.departments)
    )


def _owns_request(person: Colleague, request: ServiceRequest) -> bool:
    return person.staff_id in {request.owner_id, request.coordinator_id}


def _holds_stage(person: Colleague, request: ServiceRequest, run: StageRun) -> bool:
    """Its assignee, and the members of its department; of a waiting handoff the sender's too."""
    handoff = request.pending_handoff(run)
    departments = {run.department_id, handoff.from_department_id if handoff else run.department_id}
    return person.staff_id == run.assignee_id or not person.departments.isdisjoint(departments)


def _matching_runs(request: ServiceRequest, stage: str | None) -> list[StageRun]:
    return [run for run in request.open_runs if stage in (None, run.stage_key)]


def _pending(request: ServiceRequest, stage: str | None) -> list[Handoff]:
    return [
        handoff
        for handoff in request.handoffs
        if handoff.is_pending and stage in (None, handoff.run.stage_key)
    ]


Permission = Callable[[Colleague, ServiceRequest, str | None], bool]

READING = frozenset({Act.READ, Act.READ_FILES})
"""What adds nothing to a request."""

OPEN_TO_ALL = frozenset({Act.READ, Act.LOG_CONTACT, Act.SET_NOTE})
"""What every member of staff may do to any request."""

STAGE_PERMISSIONS: Mapping[Act, Permission] = {
    Act.READ_FILES: _may_read_files,
    Act.WRITE: _may_answer,
    Act.PROMISE: _may_answer,
    Act.ADVANCE: _may_complete,
    Act.HOLD: _may_reschedule,
    Act.RESUME: _may_reschedule,
    Act.DELAY: _may_reschedule,
    Act.RECORD_THIRD_PARTY: _may_reschedule,
    Act.ASSIGN: _may_reschedule,
    Act.ACCEPT: _may_receive,
    Act.REFUSE: _may_receive,
    Act.RECALL: _may_recall,
}
"""Acts with a rule of their own. All others are for who has a part in the request."""


NO_PART_REFUSAL = (
    "This request is assigned to other departments. "
    "You can read it, log a call and set the customer note."
)
FILES_REFUSAL = (
    "The files of this customer are shown to those who have a part in the request, "
    "to leads and to managers."
)


def _refusal(
    person: Colleague | None, request: ServiceRequest | None, stage: str | None, act: Act
) -> str:
    """Why not, and who may, in a sentence."""
    if person is None or request is None:
        return "No request belongs to it. A manager or an admin may do this."
    if act == Act.RECALL:
        department = _name(person, _pending(request, stage)[0].from_department_id)
        return (
            f"{department} has passed it on. Only the sender, or who leads {department}, "
            "can take it back."
        )
    if act in (Act.ACCEPT, Act.REFUSE):
        department = _name(person, _pending(request, stage)[0].to_department_id)
        return f"{person.name} does not work in {department}, which is to accept it."
    if not has_part(person, request):
        return FILES_REFUSAL if act == Act.READ_FILES else NO_PART_REFUSAL
    others = [
        run for run in _matching_runs(request, stage) if not _holds_stage(person, request, run)
    ]
    if len(_matching_runs(request, stage)) > 1:
        return "Other departments have open stages too. Please choose a stage of your own."
    department = _name(person, others[0].department_id)
    return f"{person.name} does not work in {department}, which has this stage."


def _name(person: Colleague, department_id: int) -> str:
    return person.department_names.get(department_id, "the other department")
