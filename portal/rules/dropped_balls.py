"""The rules of dropped balls: what is dropped unless something happens, and when."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.models.columns import saved_id
from portal.models.requests.dropped_ball import DroppedBallKind
from portal.models.requests.follow_up import FollowUp, FollowUpState
from portal.models.requests.promise import Promise, PromiseKind
from portal.models.requests.service_request import ServiceRequest
from portal.models.requests.stage_run import RunState, StageRun
from portal.models.requests.third_party_code import ThirdPartyCode
from portal.rules.facts import Facts
from portal.rules.question_planning import field_labels, missing_fields, unfilled_fields
from portal.rules.roster import Roster
from portal.rules.third_parties import completes, is_report_expected

DETECTED_KINDS = frozenset(
    {
        DroppedBallKind.STAGE_OVERDUE,
        DroppedBallKind.HANDOFF_UNACCEPTED,
        DroppedBallKind.PROMISE_DUE,
        DroppedBallKind.MESSAGE_UNANSWERED,
        DroppedBallKind.FOLLOW_UP_UNANSWERED,
        DroppedBallKind.FIELD_MISSING,
        DroppedBallKind.RETURNED_REPEATEDLY,
        DroppedBallKind.AGEING,
        DroppedBallKind.THIRD_PARTY_SILENT,
        DroppedBallKind.THIRD_PARTY_PROBLEM,
        DroppedBallKind.OWNER_ABSENT,
        DroppedBallKind.CUSTOMER_UNREACHABLE,
        DroppedBallKind.NO_OWNER,
    }
)
"""The kinds that follow from the state of a request and the time alone."""

UNREACHABLE_AFTER = timedelta(days=1)
"""How long after the last address failed; the message that failed has a ball of its own at once."""

RETURNS_THRESHOLD = 2
"""This many returns between the same two departments raise a ball."""

PROBLEMS = {
    ThirdPartyCode.ATTEMPTED: "a failed delivery attempt",
    ThirdPartyCode.EXCEPTION: "a problem",
    ThirdPartyCode.RETURNING: "a return to us",
}
"""What a third party's code means, in the detail of a ball."""

REPLY_PROMISE_KINDS = (PromiseKind.ANSWER, PromiseKind.CALL)


@dataclass(frozen=True, slots=True)
class DropCondition:
    """What is dropped at a time, past or future, in the current state of the request.

    ``owner_id`` is the person who can resolve it, ``department_id`` the department by whose rule
    it escalates.
    """

    kind: DroppedBallKind
    subject: str
    at: datetime
    owner_id: int
    department_id: int
    detail: str

    @property
    def key(self) -> tuple[DroppedBallKind, str]:
        """What identifies it: it is raised once while it lasts."""
        return self.kind, self.subject


def drop_conditions(facts: Facts) -> Iterator[DropCondition]:
    """Everything of this request that is dropped unless something happens; pure.

    A moment in the past holds now. A paused stage is not overdue, but a problem of its third party
    is a dropped ball all the same.
    """
    request, roster = facts.request, facts.roster
    yield from _reply_conditions(request, roster)
    if request.is_closed:
        return
    for run in request.open_runs:
        if not run.is_paused:
            yield from _stage_conditions(request, run, roster)
        yield from _third_party_conditions(request, run)
    yield from _question_conditions(request, roster)
    yield from _return_conditions(request, roster)
    if request.overdue_age_at is not None:
        yield DropCondition(
            DroppedBallKind.AGEING, f"request:{request.id}", request.overdue_age_at, request.owner_id,
            request.department_id, "It has been open far longer than others of its kind.",
        )  # fmt: skip
    yield from _owner_conditions(request, roster)
    since = request.customer.unreachable_since
    if since is not None:
        yield DropCondition(
            DroppedBallKind.CUSTOMER_UNREACHABLE, f"request:{request.id}", since + UNREACHABLE_AFTER,
            request.owner_id, request.department_id, "No number or address of theirs takes messages.",
        )  # fmt: skip


def _stage_conditions(
    request: ServiceRequest, run: StageRun, roster: Roster
) -> Iterator[DropCondition]:
    stage, handoff = request.definition.stage(run.stage_key), request.pending_handoff(run)
    if handoff is not None and handoff.accept_by is not None:
        receiver = roster.department_by_id(handoff.to_department_id)
        yield DropCondition(
            DroppedBallKind.HANDOFF_UNACCEPTED, f"handoff:{handoff.id}", handoff.accept_by,
            roster.find_assignee(receiver) or handoff.sender_id, saved_id(receiver),
            f"{receiver.name} has not accepted {stage.name}.",
        )  # fmt: skip
    yield DropCondition(
        DroppedBallKind.STAGE_OVERDUE, f"run:{run.id}", run.overdue_at, run.assignee_id, run.department_id,
        f"{stage.name} is overdue.",
    )  # fmt: skip


def _third_party_conditions(request: ServiceRequest, run: StageRun) -> Iterator[DropCondition]:
    """A problem that they report, also during a pause, their silence, and what they cannot end."""
    number = f", number {run.tracking_number}" if run.tracking_number else ""
    if run.third_party_code is not None and run.third_party_code.is_problem:
        yield DropCondition(
            DroppedBallKind.THIRD_PARTY_PROBLEM, f"run:{run.id}",
            run.third_party_code_at or run.opened_at, run.assignee_id, run.department_id,
            f"{run.third_party} reports {PROBLEMS[run.third_party_code]}{number}.",
        )  # fmt: skip
    stage = request.definition.stage(run.stage_key)
    if run.third_party_code == ThirdPartyCode.DELIVERED and completes(run, stage.delivered):
        missing = missing_fields(request, run)
        if missing and request.pending_handoff(run) is None:
            yield DropCondition(
                DroppedBallKind.FIELD_MISSING, f"run:{run.id}", run.third_party_code_at or run.opened_at,
                run.assignee_id, run.department_id, f"{run.third_party} has delivered. "
                f"Complete {stage.name}, and give the {field_labels(missing)}.",
            )  # fmt: skip
    if run.silence_overdue_at is not None and is_report_expected(run):
        yield DropCondition(
            DroppedBallKind.THIRD_PARTY_SILENT, f"run:{run.id}", run.silence_overdue_at, run.assignee_id,
            run.department_id, f"No update from {run.third_party}{number}.",
        )  # fmt: skip


def _reply_conditions(request: ServiceRequest, roster: Roster) -> Iterator[DropCondition]:
    """Unanswered messages, and promises; these stay open after the request is closed."""
    open_promises = [promise for promise in request.promises if promise.closed_at is None]
    answers = [promise for promise in open_promises if _answers_message(request, promise)]
    if answers:
        yield _late_answer(request, min(answers, key=lambda promise: promise.due_at))
    for promise in open_promises:
        if promise not in answers:
            yield _promise_condition(promise)
    if request.unanswered_since is not None and not any(
        promise.kind in REPLY_PROMISE_KINDS for promise in open_promises
    ):
        department = roster.department_by_id(request.department_id)
        yield DropCondition(
            DroppedBallKind.MESSAGE_UNANSWERED, f"request:{request.id}",
            department.reply_due_at(request.unanswered_since), request.owner_id,
            request.department_id, "The customer's message has no reply.",
        )  # fmt: skip


def _answers_message(request: ServiceRequest, promise: Promise) -> bool:
    """True for a promise made after the unanswered message; an older one is another matter."""
    since = request.unanswered_since
    return promise.kind == PromiseKind.ANSWER and since is not None and promise.made_at >= since


def _late_answer(request: ServiceRequest, promise: Promise) -> DropCondition:
    return DropCondition(
        DroppedBallKind.MESSAGE_UNANSWERED, f"request:{request.id}", promise.due_at, promise.owner_id,
        promise.department_id, "The reply that the customer was promised is overdue.",
    )  # fmt: skip


def _promise_condition(promise: Promise) -> DropCondition:
    return DropCondition(
        DroppedBallKind.PROMISE_DUE, f"promise:{promise.id}", promise.due_at, promise.owner_id,
        promise.department_id, f"Commitment overdue: {promise.text}",
    )  # fmt: skip


def _question_conditions(request: ServiceRequest, roster: Roster) -> Iterator[DropCondition]:
    """Questions without an answer after a reminder: a person is asked to call.

    A planned question without the value of a field is never asked, so that a person is needed too.
    """
    for question in request.follow_ups:
        if question.state == FollowUpState.PLANNED and question.next_at is None:
            yield from _unfilled_condition(request, question, roster)
        if not question.is_asked or question.called_at is not None:
            continue
        department = roster.department_by_id(question.run.department_id)
        wait = request.definition.question(question.key).remind_after
        call_due_at = question.call_due_at(wait, department.calendar)
        if call_due_at is not None:
            yield DropCondition(
                DroppedBallKind.FOLLOW_UP_UNANSWERED, f"follow_up:{question.id}", call_due_at,
                request.owner_id, saved_id(department),
                f"No answer to “{question.question}” Please call.",
            )  # fmt: skip


def _unfilled_condition(
    request: ServiceRequest, question: FollowUp, roster: Roster
) -> Iterator[DropCondition]:
    unfilled = unfilled_fields(question, request.definition.question(question.key))
    if unfilled:
        department = roster.department_by_id(question.run.department_id)
        yield DropCondition(
            DroppedBallKind.FIELD_MISSING, f"follow_up:{question.id}", question.planned_at,
            request.owner_id, saved_id(department),
            f"“{question.question}” is not asked: the {field_labels(unfilled)} is missing.",
        )  # fmt: skip


def _return_conditions(request: ServiceRequest, roster: Roster) -> Iterator[DropCondition]:
    """Repeated returns, until the department that returned it has done its part."""
    returns_by_pair: dict[frozenset[int], list[StageRun]] = {}
    for run in request.runs:
        if run.returned_by_id is not None:
            returns_by_pair.setdefault(
                frozenset({run.department_id, run.returned_by_id}), []
            ).append(run)
    for pair, returns in returns_by_pair.items():
        last = returns[-1]
        if len(returns) < RETURNS_THRESHOLD or _is_done(request.runs, last):
            continue
        names = sorted(roster.department_by_id(department_id).name for department_id in pair)
        yield DropCondition(
            DroppedBallKind.RETURNED_REPEATEDLY,
            f"request:{request.id}:{'-'.join(map(str, sorted(pair)))}",
            returns[RETURNS_THRESHOLD - 1].opened_at,
            roster.default_manager() or request.owner_id,
            last.department_id,
            f"Returned repeatedly between {' and '.join(names)}.",
        )


def _is_done(runs: Iterable[StageRun], last: StageRun) -> bool:
    return any(
        run.department_id == last.returned_by_id
        and run.state == RunState.COMPLETED
        and run.completed_at is not None
        and run.completed_at > last.opened_at
        for run in runs
    )


def _owner_conditions(request: ServiceRequest, roster: Roster) -> Iterator[DropCondition]:
    """The assignee is disabled, or absent without cover."""
    owner = roster.staff.get(request.owner_id)
    default_manager = roster.default_manager() or request.owner_id
    if owner is None or owner.disabled_at is not None:
        yield DropCondition(
            DroppedBallKind.NO_OWNER, f"request:{request.id}", request.updated_at, default_manager,
            request.department_id, "Nobody has it.",
        )  # fmt: skip
    elif owner.absent_from is not None and roster.is_away(request.owner_id):
        if roster.substitute_or_self(request.owner_id, request.department_id) != request.owner_id:
            return  # It is reassigned to the substitute.
        yield DropCondition(
            DroppedBallKind.OWNER_ABSENT, f"request:{request.id}:{owner.id}", owner.absent_from,
            default_manager, request.department_id, f"{owner.name} is away without cover.",
        )  # fmt: skip
