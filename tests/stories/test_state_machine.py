"""The diagrams of docs/request-states.md show every transition of the rules, and no other."""

import pickle
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from portal.errors import PortalError
from portal.models import (
    SYSTEM_ACTOR,
    Answer,
    Customer,
    Department,
    FollowUpState,
    RequestStatus,
    ServiceRequest,
    StaffMember,
    StageRun,
    Workflow,
)
from portal.rules.facts import Facts, WorkflowFacts
from portal.rules.follow_ups import FollowUpFlow
from portal.rules.handoffs import HandoffFlow
from portal.rules.roster import Roster
from portal.rules.stages.stage_flow import StageFlow
from portal.rules.stages.stage_pauses import StagePauses
from portal.rules.stages.stage_returns import StageReturns
from portal.workflows import read_workflow

DOCUMENT = Path(__file__).parents[2] / "docs" / "request-states.md"
ARROW = re.compile(r"^ +(\w+|\[\*\]) --> (\w+): (.+)$", re.MULTILINE)

WORKFLOW = """
key = "whole"
name = "Everything that can happen to a request"
[departments.front]
name = "Front"
accept_within = "4h"
[departments.back]
name = "Back"
accept_within = "4h"
[[stages]]
key = "intake"
department = "front"
title = "Intake"
expected = "1d"
[[stages]]
key = "quote"
department = "front"
title = "Quote"
expected = "1d"
question = "Shall we? Reply YES or NO."
yes = "complete"
no = { close = "declined" }
[[stages]]
key = "papers"
department = "back"
title = "Papers"
expected = "1d"
pauses_clock = true
[[stages]]
key = "work"
department = "front"
title = "Work"
expected = "1d"
[[follow_ups]]
after_stage = "work"
question = "Done? Reply YES or NO."
yes = "complete"
no = { send_back = "work" }
"""
DEFINITION = read_workflow(WORKFLOW)

Step = tuple[str, str]
"""A verb and the stage it is about (or nothing)."""

VERBS: dict[str, Callable[[StageFlow, str], object]] = {
    "advance": lambda go, stage: go.advance(stage or None, "They told us.", None),
    "accept": lambda go, stage: HandoffFlow(go).accept(stage, None),
    "refuse": lambda go, stage: HandoffFlow(go).refuse(stage, "No."),
    "recall": lambda go, stage: HandoffFlow(go).recall(stage),
    "send back": lambda go, stage: StageReturns(go).send_back(stage, "Again."),
    "reopen": lambda go, _: StageReturns(go).reopen(None, "A mistake."),
    "hold": lambda go, _: StagePauses(go.facts).hold(None, "Wait.", None),
    "resume": lambda go, _: StagePauses(go.facts).resume(None),
    "cancel": lambda go, _: cancel(go),
    "ask": lambda go, _: FollowUpFlow(go).run_due_step(the_question(go, FollowUpState.PLANNED)),
    "answer yes": lambda go, _: FollowUpFlow(go).answer(asked(go), Answer.YES, "yes", "sms"),
    "answer no": lambda go, _: FollowUpFlow(go).answer(asked(go), Answer.NO, "no", "sms"),
    "no answer": lambda go, _: give_up(go),
}


def cancel(go: StageFlow) -> None:
    go.request.require_open()
    go.end(RequestStatus.CANCELLED, "Enough.")


def give_up(go: StageFlow) -> None:
    """The time to remind has passed and then the time to close."""
    question = asked(go)
    question.asked_at = question.reminded_at = go.now - timedelta(days=90)
    question.next_at = go.now
    FollowUpFlow(go).run_due_step(question)


def asked(go: StageFlow):
    return the_question(go, FollowUpState.ASKED)


def the_question(go: StageFlow, state: FollowUpState):
    found = [follow_up for follow_up in go.request.follow_ups if follow_up.state == state]
    if not found:
        raise PortalError("There is no such question.")
    return found[-1]


class Life:
    """One request in memory, moved by the rules alone."""

    def __init__(self) -> None:
        departments = {
            key: Department(id=number, key=key, name=department.name, accept_within=department.accept_within and "4h")
            for number, (key, department) in enumerate(DEFINITION.departments.items(), start=1)
        }  # fmt: skip
        staff = {number: StaffMember(id=number, email=f"{number}", name="P") for number in (1, 2)}
        self.request = ServiceRequest(
            reference="WHLE-2345-678",
            workflow=Workflow(document=DEFINITION.to_json()),
            customer=Customer(name="Martin", contact_points=[]),
            runs=[], handoffs=[], promises=[], follow_ups=[], needs=[], links=[], owner_id=0, department_id=0,
        )  # fmt: skip
        ids = {stage.key: number for number, stage in enumerate(DEFINITION.stages)}
        roster = Roster(departments, staff, members={1: [1], 2: [2]})
        start = datetime(2025, 6, 3, tzinfo=UTC)
        workflow = WorkflowFacts(roster, ids)
        self.go = StageFlow(Facts(self.request, workflow, SYSTEM_ACTOR, start))
        self.go.begin()

    def take(self, step: Step) -> None:
        """One verb, a minute after the last."""
        facts = self.go.facts
        self.go = StageFlow(replace(facts, now=facts.now + timedelta(minutes=1)))
        VERBS[step[0]](self.go, step[1])

    def runs(self) -> dict[int, str]:
        """What each passage is now, as the document names it."""
        return {number: drawn(run) for number, run in enumerate(self.request.runs)}

    def likeness(self) -> object:
        """What decides how it can go on; two lives that are alike go on alike."""
        now = {
            (run.stage_key, drawn(run), run.waits_on_customer, run.reached_at is not None)
            for run in self.request.runs
            if drawn(run) not in {"superseded", "cancelled"}
        }
        questions = {follow_up.key: follow_up.state for follow_up in self.request.follow_ups}
        ended = self.request.closed_at
        cut_off = {run.stage_key for run in self.request.runs if run.closed_at == ended and ended}
        return (
            self.request.status, frozenset(now), frozenset(questions.items()), frozenset(cut_off),
        )  # fmt: skip


def drawn(run: StageRun) -> str:
    if not run.is_open:
        return run.state.value
    if run.held_at:
        return "held"
    if run.reached_at is None:
        return "handed_off"
    return "waiting" if run.waits_on_customer else "at_work"


@dataclass(frozen=True)
class Change:
    """One step of one life: what it was, the verb, and the life after it."""

    status: str
    runs: dict[int, str]
    verb: str
    after: Life


def steps_from(life: Life) -> Iterator[Step]:
    """What could be tried now; the rules say what may be done."""
    for verb in VERBS:
        if verb in {"advance", "accept", "refuse", "recall"}:
            yield from ((verb, run.stage_key) for run in life.request.open_runs)
        elif verb == "send back":
            yield from ((verb, stage.key) for stage in DEFINITION.stages)
        else:
            yield (verb, "")
    yield ("advance", "")


def restored(kept: bytes) -> Life:
    """A life that `all_changes` has kept."""
    life: Life = pickle.loads(kept)  # noqa: S301 (written by this test)
    return life


@cache
def all_changes() -> list[Change]:
    """Every step from every likeness that can be reached.

    A life is kept as a pickle, which takes a tenth of the time of going its whole way again.
    """
    changes: list[Change] = []
    begun = Life()
    known: set[object] = {begun.likeness()}
    lives: list[bytes] = [pickle.dumps(begun)]
    for kept in lives:
        life = restored(kept)
        before, status, runs = life.likeness(), life.request.status.value, life.runs()
        for step in dict.fromkeys(steps_from(restored(kept))):
            try:
                life.take(step)
            except PortalError:
                assert life.likeness() == before, f"{step} was refused and yet changed something"
                continue
            changes.append(Change(status, runs, step[0], life))
            if life.likeness() not in known:
                known.add(life.likeness())
                lives.append(pickle.dumps(life))
            life = restored(kept)
    return changes


def gone(what: str) -> set[tuple[str, str, str]]:
    """Every change of state that the rules allow, for requests or for stage runs."""
    if what == "requests":
        found = {("[*]", "open", "open")}
        found |= {
            (change.status, change.after.request.status.value, change.verb)
            for change in all_changes()
        }
    else:
        found = {("[*]", "at_work", "open")}
        for change in all_changes():
            for number, state in change.after.runs().items():
                found.add((change.runs.get(number, "[*]"), state, change.verb))
    return {edge for edge in found if edge[0] != edge[1]}


def written(section: str) -> set[tuple[str, str, str]]:
    """The arrows of one diagram of the document."""
    text = (
        DOCUMENT.read_text(encoding="utf-8").partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    )
    return {
        (start, end, verb)
        for start, end, verbs in ARROW.findall(text)
        for verb in verbs.split(", ")
    }


@pytest.mark.parametrize(("section", "what"), [("A request", "requests"), ("A stage run", "runs")])
def test_diagram_shows_every_transition_and_no_other(section, what):
    assert written(section) == gone(what)


def test_every_status_is_in_the_diagram():
    named = {end for _, end, _ in written("A request")}
    assert named == {status.value for status in RequestStatus}


def test_open_requests_have_owner_and_matching_status():
    for change in all_changes():
        request, step = change.after.request, change.verb
        open_runs = request.open_runs
        assert all(run.assignee_id in (1, 2) for run in open_runs), step
        if request.is_closed:
            assert not open_runs, step
            assert request.closed_at is not None, step
            continue
        assert request.owner_id in (1, 2), step
        assert request.closed_at is None, step
        awaits = request.status == RequestStatus.AWAITING_CONFIRMATION
        assert awaits == (not open_runs), step
