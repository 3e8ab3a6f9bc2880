"""What will slip unless something happens, and when: the rules by which balls are dropped."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from portal.models.requests.dropped_ball import BallKind
from portal.models.requests.promise import Promise, PromiseKind
from portal.models.requests.service_request import ServiceRequest
from portal.models.requests.stage_run import RunState, StageRun
from portal.rules.roster import Roster

WATCHED = frozenset(
    {
        BallKind.STAGE_OVERDUE,
        BallKind.HANDOFF_UNACCEPTED,
        BallKind.PROMISE_DUE,
        BallKind.MESSAGE_UNANSWERED,
        BallKind.FOLLOW_UP_UNANSWERED,
        BallKind.BOUNCING,
        BallKind.AGEING,
        BallKind.THIRD_PARTY_SILENT,
        BallKind.OWNER_ABSENT,
        BallKind.NO_OWNER,
    }
)
"""Kinds that follow from the state of a request and the time alone: raised and resolved by them."""

RETURNS_NOTICED = 2
"""So many returns between the same two departments are a request that bounces."""

REPLIES = (PromiseKind.ANSWER, PromiseKind.CALL)


@dataclass(frozen=True, slots=True)
class Slip:
    """Something that slips at a moment, to come or past, as the request stands now.

    ``owner_id`` is the person who can put it right, ``department_id`` the one by whose rule it
    escalates.
    """

    kind: BallKind
    subject: str
    at: datetime
    owner_id: int
    department_id: int
    detail: str

    @property
    def key(self) -> tuple[BallKind, str]:
        """By what it is known: raised once while it lasts."""
        return self.kind, self.subject


def slips(request: ServiceRequest, roster: Roster) -> Iterator[Slip]:
    """Everything about this request that slips unless something happens; pure.

    A moment in the past is true now. What is paused does not slip while its clock stands still.
    """
    yield from _replies(request, roster)
    if request.is_closed:
        return
    for run in request.open_runs:
        if not run.is_paused:
            yield from _work(request, run, roster)
    yield from _questions(request, roster)
    yield from _bounces(request, roster)
    if request.ages_at is not None:
        yield Slip(
            BallKind.AGEING, f"request:{request.id}", request.ages_at, request.owner_id,
            request.department_id, "It has been open far longer than others of its kind.",
        )  # fmt: skip
    yield from _owners(request, roster)


def _work(request: ServiceRequest, run: StageRun, roster: Roster) -> Iterator[Slip]:
    stage, handoff = request.definition.stage(run.stage_key), request.waiting_handoff(run)
    if handoff is not None and handoff.accept_by is not None:
        receiver = roster.department_by_id(handoff.to_department_id)
        yield Slip(
            BallKind.HANDOFF_UNACCEPTED, f"handoff:{handoff.id}", handoff.accept_by,
            roster.find_assignee(receiver) or handoff.sender_id, receiver.id or 0,
            f"{receiver.name} has not taken up {stage.name}.",
        )  # fmt: skip
    yield Slip(
        BallKind.STAGE_OVERDUE, f"run:{run.id}", run.late_at, run.assignee_id, run.department_id,
        f"{stage.name} is past its time.",
    )  # fmt: skip
    if run.silent_at is not None:
        number = f", number {run.tracking_number}" if run.tracking_number else ""
        yield Slip(
            BallKind.THIRD_PARTY_SILENT, f"run:{run.id}", run.silent_at, run.assignee_id,
            run.department_id, f"Nothing has been heard from {run.third_party}{number}.",
        )  # fmt: skip


def _replies(request: ServiceRequest, roster: Roster) -> Iterator[Slip]:
    """Words of the customer, and promises to them; these outlive the request."""
    owed = [promise for promise in request.promises if promise.closed_at is None]
    answers = [promise for promise in owed if _answers(request, promise)]
    if answers:
        yield _unanswered(request, min(answers, key=lambda one: one.due_at))
    for promise in owed:
        if promise not in answers:
            yield _promised(promise)
    if request.unanswered_since is not None and not any(one.kind in REPLIES for one in owed):
        department = roster.department_by_id(request.department_id)
        yield Slip(
            BallKind.MESSAGE_UNANSWERED, f"request:{request.id}",
            department.reply_by(request.unanswered_since), request.owner_id,
            request.department_id, "The customer wrote and has had no answer.",
        )  # fmt: skip


def _answers(request: ServiceRequest, promise: Promise) -> bool:
    """Whether it was made for the words that wait; an older one was owed before they came."""
    since = request.unanswered_since
    return promise.kind == PromiseKind.ANSWER and since is not None and promise.made_at >= since


def _unanswered(request: ServiceRequest, promise: Promise) -> Slip:
    return Slip(
        BallKind.MESSAGE_UNANSWERED, f"request:{request.id}", promise.due_at, promise.owner_id,
        promise.department_id, "The customer wrote and has not had the answer we promised.",
    )  # fmt: skip


def _promised(promise: Promise) -> Slip:
    return Slip(
        BallKind.PROMISE_DUE, f"promise:{promise.id}", promise.due_at, promise.owner_id,
        promise.department_id, f"Promised and not done: {promise.text}",
    )  # fmt: skip


def _questions(request: ServiceRequest, roster: Roster) -> Iterator[Slip]:
    """Asked, reminded, and still silent: a person is asked to call."""
    for question in request.follow_ups:
        if not question.is_asked or question.called_at is not None:
            continue
        department = roster.department_by_id(question.run.department_id)
        wait = request.definition.question(question.key).remind_after
        call_at = question.call_at(wait, department.calendar)
        if call_at is not None:
            yield Slip(
                BallKind.FOLLOW_UP_UNANSWERED, f"follow_up:{question.id}", call_at,
                request.owner_id, department.id or 0,
                f"No answer came to “{question.question}” Please call.",
            )  # fmt: skip


def _bounces(request: ServiceRequest, roster: Roster) -> Iterator[Slip]:
    """Given back again and again, until the department that gave it back has done its part."""
    between: dict[frozenset[int], list[StageRun]] = {}
    for run in request.runs:
        if run.returned_by_id is not None:
            between.setdefault(frozenset({run.department_id, run.returned_by_id}), []).append(run)
    for pair, returns in between.items():
        last = returns[-1]
        if len(returns) < RETURNS_NOTICED or _is_done(request.runs, last):
            continue
        names = sorted(roster.department_by_id(one).name for one in pair)
        yield Slip(
            BallKind.BOUNCING,
            f"request:{request.id}:{'-'.join(map(str, sorted(pair)))}",
            returns[RETURNS_NOTICED - 1].opened_at,
            roster.overseer() or request.owner_id,
            last.department_id,
            f"It goes back and forth between {' and '.join(names)}.",
        )


def _is_done(runs: Iterable[StageRun], last: StageRun) -> bool:
    return any(
        run.department_id == last.returned_by_id
        and run.state == RunState.COMPLETED
        and run.completed_at is not None
        and run.completed_at > last.opened_at
        for run in runs
    )


def _owners(request: ServiceRequest, roster: Roster) -> Iterator[Slip]:
    """Whoever has it has left, or is away, and nobody stands in."""
    owner = roster.staff.get(request.owner_id)
    overseer = roster.overseer() or request.owner_id
    if owner is None or owner.disabled_at is not None:
        yield Slip(
            BallKind.NO_OWNER, f"request:{request.id}", request.updated_at, overseer,
            request.department_id, "Nobody has it.",
        )  # fmt: skip
    elif owner.absent_from is not None and roster.is_away(request.owner_id):
        if roster.heir(request.owner_id, request.department_id) != request.owner_id:
            return  # It goes to whoever stands in.
        yield Slip(
            BallKind.OWNER_ABSENT, f"request:{request.id}:{owner.id}", owner.absent_from,
            overseer, request.department_id, f"{owner.name} is away, and nobody stands in.",
        )  # fmt: skip
