"""The authorization rule against the whole matrix, and the matrix against the documentation."""

import re
from itertools import product
from pathlib import Path

import pytest

from portal.business_time import now
from portal.errors import NotAllowed
from portal.models import (
    Handoff,
    Promise,
    PromiseKind,
    RequestStatus,
    RunState,
    ServiceRequest,
    StageRun,
)
from portal.rules.authorization import (
    Act,
    authorize,
    fulfils_call_promise,
    is_allowed,
    may_change_absence,
    may_dismiss,
)
from portal.rules.colleague import Colleague

DOCUMENT = Path(__file__).parents[2] / "docs" / "authorization.md"

COUNTER, FIRE, PLANS, ELSEWHERE = 1, 2, 3, 9
CORA, FINN, PAT, PETER, CARL, MONA = 11, 12, 13, 14, 15, 16


def colleague(staff_id: int, *departments: int, **more: object) -> Colleague:
    names = {COUNTER: "Permit Counter", FIRE: "Fire Review", PLANS: "Plan Review"}
    facts = {"name": f"Person {staff_id}", "manages_all": False, "department_names": names} | more
    return Colleague(staff_id=staff_id, departments=frozenset(departments), **facts)  # type: ignore[arg-type]


def open_run(stage: str, department_id: int, assignee_id: int) -> StageRun:
    return StageRun(
        stage_key=stage, department_id=department_id, assignee_id=assignee_id, state=RunState.OPEN
    )


def parallel_reviews() -> ServiceRequest:
    """Fire and Plans review at the same time; Cora of the counter coordinates."""
    return ServiceRequest(
        reference="PERM-1", status=RequestStatus.OPEN, owner_id=CORA, coordinator_id=CORA,
        department_id=COUNTER,
        runs=[open_run("fire", FIRE, FINN), open_run("plans", PLANS, PAT)],
    )  # fmt: skip


def waiting_handoff() -> ServiceRequest:
    """Cora has completed the intake; Plans has not accepted it."""
    completed = StageRun(
        stage_key="intake", department_id=COUNTER, assignee_id=CORA, state=RunState.COMPLETED,
        completed_by="Person 21",
    )  # fmt: skip
    run = open_run("plans", PLANS, CORA)
    handoff = Handoff(
        run=run, from_run=completed, from_department_id=COUNTER, to_department_id=PLANS,
        sender_id=CORA, sent_at=now(),
    )  # fmt: skip
    return ServiceRequest(
        reference="PERM-2", status=RequestStatus.OPEN, owner_id=CORA, department_id=COUNTER,
        runs=[completed, run], handoffs=[handoff],
    )  # fmt: skip


PEOPLE: dict[str, Colleague | None] = {
    "stage's department": colleague(PETER, PLANS),
    "stage's assignee": colleague(PAT, ELSEWHERE),
    "coordinator": colleague(CORA, COUNTER),
    "parallel stage's department": colleague(FINN, FIRE),
    "other department": colleague(CARL, ELSEWHERE),
    "manager or admin": colleague(MONA, manages_all=True),
    "API key, customer, Kept": None,
}
SENDERS: dict[str, Colleague | None] = {
    "receiving department": colleague(PETER, PLANS),
    "sender": colleague(CORA, COUNTER),
    "sender's lead": colleague(20, COUNTER, leads=frozenset({COUNTER})),
    "who completed it for the sender": colleague(21, COUNTER),
    "sender's department": colleague(22, COUNTER),
    "other department": colleague(CARL, ELSEWHERE),
    "manager or admin": colleague(MONA, manages_all=True),
    "API key, customer, Kept": None,
}

EVERYBODY, PART = "yes yes yes yes yes yes yes", "yes yes yes yes no yes yes"
STAGE, OWN = "yes yes yes no no yes yes", "yes yes no no no yes yes"
WHOLE = "no no yes no no yes yes"

# One line an act; the columns are PEOPLE. "all stages": no stage is named while two are open.
REQUEST_MATRIX = {
    "read": EVERYBODY,
    "read_files": PART,
    "log_contact": EVERYBODY,
    "set_note": EVERYBODY,
    "advance": OWN,
    "hold": STAGE,
    "hold, all stages": WHOLE,
    "resume": STAGE,
    "resume, all stages": WHOLE,
    "delay": STAGE,
    "record_third_party": STAGE,
    "assign": STAGE,
    "assign, all stages": WHOLE,
    "send_back": PART,
    "cancel": PART,
    "reopen": PART,
    "write": PART,
    "promise": PART,
    "check_need": PART,
    "consent": PART,
    "link": PART,
    "correct_intent": PART,
    "resolve_message": PART,
    "dismiss_ball": PART,
}
# The columns are SENDERS.
HANDOFF_MATRIX = {
    "accept": "yes no no no no no yes yes",
    "refuse": "yes no no no no no yes yes",
    "recall": "no yes yes yes no no yes yes",
}


def answers(matrix: dict[str, str], people: dict[str, Colleague | None]) -> list[object]:
    return [
        pytest.param(row.partition(",")[0], None if "," in row else "plans", person, answer == "yes",
                     id=f"{row}-{column}")
        for row, line in matrix.items()
        for (column, person), answer in zip(people.items(), line.split(), strict=True)
    ]  # fmt: skip


@pytest.mark.parametrize(("act", "stage", "person", "expected"), answers(REQUEST_MATRIX, PEOPLE))
def test_each_role_and_act_on_a_request_with_parallel_stages(
    act: str, stage: str | None, person: Colleague | None, *, expected: bool
) -> None:
    request = parallel_reviews()
    assert is_allowed(person, request, stage, Act(act)) is expected
    if expected:
        authorize(person, request, stage, Act(act))
        return
    with pytest.raises(NotAllowed) as refusal:
        authorize(person, request, stage, Act(act))
    assert re.fullmatch(r"[A-Z].*\.", refusal.value.detail)


@pytest.mark.parametrize(("act", "stage", "person", "expected"), answers(HANDOFF_MATRIX, SENDERS))
def test_each_role_and_act_on_a_waiting_handoff(
    act: str, stage: str | None, person: Colleague | None, *, expected: bool
) -> None:
    request = waiting_handoff()
    for named in (stage, None):
        assert is_allowed(person, request, named, Act(act)) is expected
    if not expected:
        with pytest.raises(NotAllowed, match=r"Plan Review|Permit Counter"):
            authorize(person, request, stage, Act(act))


def test_every_act_is_in_the_matrix() -> None:
    rows = {row.partition(",")[0] for row in REQUEST_MATRIX | HANDOFF_MATRIX}
    assert rows == set(Act)


def test_documentation_shows_the_same_matrix() -> None:
    """The page has both tables, cell by cell, with the columns in this order."""
    shown = re.findall(
        r"^\| `(\w+)`(?: (all stages))? \| (.+) \|$", DOCUMENT.read_text(), re.MULTILINE
    )
    cells = {
        f"{act}, {scope}" if scope else act: line.replace("|", "").split()
        for act, scope, line in shown
    }
    expected = REQUEST_MATRIX | HANDOFF_MATRIX
    assert cells == {row: line.split() for row, line in expected.items()}
    for people in (PEOPLE, SENDERS):
        assert f"| Act | {' | '.join(people)} |" in DOCUMENT.read_text()


@pytest.mark.parametrize("stage", [None, "no such stage", "fire", "plans"])
def test_advance_of_a_waiting_handoff_is_left_to_the_stage_rules(stage: str | None) -> None:
    """What is not open, or must be named first, is refused by the rules of the stage instead."""
    cora = colleague(CORA, COUNTER)
    assert is_allowed(cora, waiting_handoff(), stage, Act.ADVANCE)


def test_advance_without_a_stage_is_left_to_the_stage_rules() -> None:
    for name in ("stage's department", "coordinator", "parallel stage's department"):
        assert is_allowed(PEOPLE[name], parallel_reviews(), None, Act.ADVANCE)
    assert not is_allowed(PEOPLE["other department"], parallel_reviews(), None, Act.ADVANCE)


def test_owner_of_every_open_stage_may_act_on_the_request() -> None:
    both = colleague(30, FIRE, PLANS)
    for act in (Act.HOLD, Act.RESUME, Act.ASSIGN):
        assert is_allowed(both, parallel_reviews(), None, act)


def test_last_owner_and_department_may_reopen_a_closed_request() -> None:
    closed = ServiceRequest(
        reference="PERM-3", status=RequestStatus.COMPLETED, owner_id=CORA, department_id=COUNTER
    )
    allowed = {
        staff_id: is_allowed(colleague(staff_id, place), closed, None, Act.REOPEN)
        for staff_id, place in ((CORA, ELSEWHERE), (22, COUNTER), (FINN, FIRE))
    }
    assert allowed == {CORA: True, 22: True, FINN: False}


def test_only_managers_and_admins_act_on_what_has_no_request() -> None:
    for act in Act:
        assert not is_allowed(colleague(PAT, PLANS), None, None, act)
        assert is_allowed(PEOPLE["manager or admin"], None, None, act)
        assert is_allowed(None, None, None, act)
    with pytest.raises(NotAllowed, match="manager or an admin"):
        authorize(colleague(PAT, PLANS), None, None, Act.RESOLVE_MESSAGE)


def test_assignee_may_dismiss_a_dropped_ball() -> None:
    carl = PEOPLE["other department"]
    assert may_dismiss(carl, parallel_reviews(), CARL)
    assert not may_dismiss(carl, parallel_reviews(), PAT)
    assert may_dismiss(carl, None, CARL)
    assert not may_dismiss(carl, None, None)


def test_only_involved_staff_or_the_owner_fulfil_a_promise_by_a_call() -> None:
    promised = Promise(
        kind=PromiseKind.CALL, text="We call you.", owner_id=CARL, department_id=COUNTER,
        made_at=now(), due_at=now(),
    )  # fmt: skip
    request = parallel_reviews()
    request.promises = [promised]
    assert fulfils_call_promise(PEOPLE["other department"], request)
    promised.owner_id = CORA
    assert not fulfils_call_promise(PEOPLE["other department"], request)
    assert fulfils_call_promise(PEOPLE["parallel stage's department"], request)
    assert fulfils_call_promise(None, request)


def test_who_has_promised_an_answer_may_write_it_wherever_the_request_is() -> None:
    carl, request = PEOPLE["other department"], parallel_reviews()
    promised = Promise(
        kind=PromiseKind.ANSWER, text="We answer you.", owner_id=CARL, department_id=COUNTER,
        made_at=now(), due_at=now(),
    )  # fmt: skip
    request.promises = [promised]
    assert is_allowed(carl, request, None, Act.WRITE)
    assert is_allowed(carl, request, None, Act.PROMISE)
    assert not is_allowed(carl, request, None, Act.CANCEL)
    promised.keep(now())
    assert not is_allowed(carl, request, None, Act.WRITE)


def test_person_lead_manager_and_admin_change_an_absence() -> None:
    lead = colleague(20, COUNTER, leads=frozenset({COUNTER}))
    assert may_change_absence(lead, CORA, [COUNTER])
    assert not may_change_absence(lead, FINN, [FIRE])
    assert may_change_absence(colleague(FINN, FIRE), FINN, [FIRE])
    assert not may_change_absence(colleague(FINN, FIRE), 40, [FIRE])
    for person, staff_id in product((None, PEOPLE["manager or admin"]), (CORA, FINN)):
        assert may_change_absence(person, staff_id, [FIRE])
