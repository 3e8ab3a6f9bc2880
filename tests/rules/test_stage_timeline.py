"""The state of each stage of a request, from plain values without a database."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from portal.business_time import BusinessCalendar, business_calendar
from portal.models import Answer, FollowUpState, RequestStatus, RunState
from portal.rules.stages.stage_timeline import StageTimeline, StepState
from portal.rules.stages.timeline_facts import RunFacts
from portal.workflows import read_workflow
from tests.support.workflows import CARD, PERMIT

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

LOAN = """
key = "loan"
name = "Loan"
prefix = "PAY"
[departments.desk]
name = "Loan Desk"
[[stages]]
key = "paid"
department = "desk"
title = "Your money is on its way"
expected = "1d"
[[follow_ups]]
after_stage = "paid"
wait = "2d"
title = "In your account"
question = "Has your money arrived?"
yes = "complete"
"""

LOAN_QUESTION = read_workflow(LOAN).follow_ups[0].key


@dataclass(frozen=True)
class Run:
    stage_key: str
    state: str = RunState.COMPLETED
    due_at: datetime = NOW + DAY
    completed_at: datetime | None = None
    paused_at: datetime | None = None
    delay_reason: str = ""


@dataclass(frozen=True)
class Question:
    state: str
    key: str = LOAN_QUESTION
    during_stage: bool = False
    answer: str | None = None
    next_at: datetime | None = None


Facts = RunFacts[Run, str, Question]


def facts(run: Run, handoff: str | None = None, *questions: Question) -> Facts:
    return RunFacts(run, handoff, questions)


def open_run(stage: str, **values: datetime) -> Facts:
    return facts(Run(stage, RunState.OPEN, **values))


def done_run(stage: str, *questions: Question) -> Facts:
    return RunFacts(Run(stage, completed_at=NOW - HOUR), None, questions)


def always_open(_: str) -> BusinessCalendar:
    return business_calendar()


def timeline(
    text: str, *runs: Facts, status: str = RequestStatus.OPEN, unconfirmed: bool = False
) -> StageTimeline[Run, str, Question]:
    return StageTimeline(read_workflow(text), status, unconfirmed, runs, always_open, NOW)


def states(of: StageTimeline[Run, str, Question]) -> list[StepState]:
    return [step.state for group in of.groups() for step in group]


def question_state(asked: Question, status: str = RequestStatus.COMPLETED, **more: bool) -> str:
    return states(timeline(LOAN, done_run("paid", asked), status=status, **more))[-1]


def test_stage_states_while_open() -> None:
    waiting = facts(Run("decision", RunState.OPEN), "a handoff")
    assert states(timeline(CARD, done_run("received"), waiting)) == [
        "done", "handed_off", "upcoming", "upcoming", "upcoming",
    ]  # fmt: skip
    paused = open_run("decision", paused_at=NOW)
    assert states(timeline(CARD, done_run("received"), paused))[1] == "paused"


def test_stage_states_after_the_end() -> None:
    cancelled = facts(Run("decision", RunState.CANCELLED))
    ended = timeline(CARD, done_run("received"), cancelled, status=RequestStatus.CANCELLED)
    assert states(ended) == ["done", "ended", "skipped", "skipped", "skipped"]


def test_superseded_run_does_not_count() -> None:
    superseded = facts(Run("received", RunState.SUPERSEDED))
    assert states(timeline(CARD, superseded))[0] == "upcoming"
    assert states(timeline(CARD, superseded, open_run("received")))[0] == "current"


def test_cancelled_run_of_a_reopened_request_is_upcoming() -> None:
    cancelled = facts(Run("decision", RunState.CANCELLED))
    assert states(timeline(CARD, cancelled, open_run("received")))[:2] == ["current", "upcoming"]


def test_upcoming_stage_is_expected_when_the_stages_before_it_are_due() -> None:
    reviews = [open_run(key, due_at=NOW + n * DAY) for n, key in enumerate(["fire", "plans"], 1)]
    zoning = open_run("zoning", due_at=NOW + 5 * DAY)
    permit = timeline(PERMIT, done_run("intake"), *reviews, zoning)
    following = permit.next_step()
    assert following is not None
    assert following.stage.key == "decision"
    assert permit.expected_at(following) == NOW + 5 * DAY


def test_nothing_is_expected_behind_a_late_or_paused_stage() -> None:
    for run in (open_run("received", due_at=NOW), open_run("received", paused_at=NOW)):
        card = timeline(CARD, run)
        following = card.next_step()
        assert following is not None
        assert card.expected_at(following) is None


def test_question_states() -> None:
    asked = Question(FollowUpState.ASKED)
    assert question_state(asked, RequestStatus.AWAITING_CONFIRMATION) == "current"
    assert question_state(Question(FollowUpState.ANSWERED, answer=Answer.YES)) == "done"
    assert question_state(Question(FollowUpState.WITHDRAWN)) == "done"
    closed = Question(FollowUpState.UNCONFIRMED)
    assert question_state(closed, unconfirmed=True) == "skipped"
    assert question_state(Question(FollowUpState.WITHDRAWN), RequestStatus.CANCELLED) == "skipped"


def test_planned_question_is_the_next_step() -> None:
    at = NOW + 2 * DAY
    loan = timeline(LOAN, done_run("paid", Question(FollowUpState.PLANNED, next_at=at)))
    following = loan.next_step()
    assert following is not None
    assert (following.state, loan.expected_at(following)) == ("upcoming", at)


def test_question_is_expected_its_wait_after_the_stage() -> None:
    loan = timeline(LOAN, open_run("paid", due_at=NOW + DAY))
    following = loan.next_step()
    assert following is not None
    assert loan.expected_at(following) == NOW + 3 * DAY
