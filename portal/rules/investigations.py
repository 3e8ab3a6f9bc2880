"""What is looked into because the customer said that something did not come or is wrong. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol, TypeVar

from portal.models.requests.follow_up import Answer, FollowUpState
from portal.models.requests.promise import REPLY_KINDS, PromiseKind
from portal.models.requests.request_status import RequestStatus
from portal.models.requests.stage_run import RunState
from portal.workflows import AnswerAction, FollowUpDefinition, WorkflowDefinition


class Run(Protocol):
    """What is read of a StageRun, or of a row of one."""

    @property
    def stage_key(self) -> str:
        """The key of its stage."""

    @property
    def state(self) -> str:
        """A RunState."""

    @property
    def opened_at(self) -> datetime:
        """When it was opened."""

    @property
    def reached_at(self) -> datetime | None:
        """When its department had it."""


class Question(Protocol):
    """What is read of a FollowUp, or of a row of one."""

    @property
    def key(self) -> str:
        """The key of its definition."""

    @property
    def run_id(self) -> int:
        """The run of the stage that it is about."""

    @property
    def state(self) -> str:
        """A FollowUpState."""

    @property
    def during_stage(self) -> bool:
        """Whether it is asked while its stage is open."""

    @property
    def answer(self) -> str | None:
        """An Answer."""

    @property
    def closed_at(self) -> datetime | None:
        """When it was answered or closed."""


class Reply(Protocol):
    """What is read of a Promise of an answer, or of a row of one."""

    @property
    def kind(self) -> str:
        """A PromiseKind."""

    @property
    def kept_at(self) -> datetime | None:
        """When it was kept."""

    @property
    def closed_at(self) -> datetime | None:
        """When it was kept, missed or withdrawn."""


class OwedReply(Protocol):
    """What is read of a Promise, or of a row of one."""

    @property
    def kind(self) -> str:
        """A PromiseKind."""

    @property
    def closed_at(self) -> datetime | None:
        """When it was kept, missed or withdrawn."""


QuestionT = TypeVar("QuestionT", bound=Question)


class AnsweredOrOwed(NamedTuple):
    """When the last promise of an answer to the customer was kept, and whether one is open."""

    answered_at: datetime | None
    is_owed: bool


def asks_again(question: Question, follow_ups: Iterable[Question]) -> bool:
    """Whether the customer is asked if all is well now, since something was not."""
    return any(
        other.key == question.key and other.run_id == question.run_id and other.answer is not None
        for other in follow_ups
        if other is not question
        and other.closed_at is not None
        and (question.closed_at is None or other.closed_at < question.closed_at)
    )


def action_of(
    definition: FollowUpDefinition, question: Question, follow_ups: Iterable[Question]
) -> AnswerAction | None:
    """What the workflow does at this question's answer; None where a person decides."""
    match _meant(question, follow_ups):
        case Answer.YES:
            return definition.yes
        case Answer.NO:
            return definition.no
        case _:
            return definition.wrong


def find_investigation(
    definition: WorkflowDefinition,
    status: str,
    runs: Iterable[Run],
    follow_ups: Sequence[QuestionT],
) -> QuestionT | None:
    """The follow-up answered with no or wrong that is looked into now; None without one.

    It is over when the work that it led to is done or passed on, and where a person decides, when
    the customer is asked again or the request is closed. ``status`` is the request's.
    """
    put = [
        question
        for question in follow_ups
        if not question.during_stage and question.state != FollowUpState.PLANNED
    ]
    last = put[-1] if put else None
    if last is None or last.closed_at is None or last.answer not in (Answer.NO, Answer.WRONG):
        return None
    action = action_of(definition.question(last.key), last, follow_ups)
    open_runs = [run for run in runs if run.state == RunState.OPEN]
    is_worked_on = action is not None and any(
        run.stage_key == action.stage
        and run.opened_at == last.closed_at
        and run.reached_at in (None, run.opened_at)
        for run in open_runs
    )
    leads_to_work = action is not None and action.stage is not None
    is_awaiting = status == RequestStatus.AWAITING_CONFIRMATION
    is_decided_on = not leads_to_work and not open_runs and is_awaiting
    return last if is_worked_on or is_decided_on else None


def find_sought(
    definition: WorkflowDefinition,
    status: str,
    runs: Iterable[Run],
    follow_ups: Sequence[QuestionT],
    replies: AnsweredOrOwed,
) -> QuestionT | None:
    """The follow-up answered with no whose thing is looked for; None once a person has answered."""
    question = find_investigation(definition, status, runs, follow_ups)
    if question is None or _meant(question, follow_ups) != Answer.NO:
        return None
    return None if is_answered(question, replies) else question


def answers_of(promises: Iterable[Reply]) -> AnsweredOrOwed:
    """When the last of these promises of an answer was kept, and whether one is open."""
    answers = [promise for promise in promises if promise.kind == PromiseKind.ANSWER]
    kept = max((promise.kept_at for promise in answers if promise.kept_at), default=None)
    return AnsweredOrOwed(kept, any(promise.closed_at is None for promise in answers))


def is_answered(question: Question, replies: AnsweredOrOwed) -> bool:
    """Whether a person has answered the customer since their no, and owes no further answer."""
    answered_at = replies.answered_at
    was_before = (
        answered_at is None or question.closed_at is None or answered_at < question.closed_at
    )
    return not (replies.is_owed or was_before)


def waits_for_answer(follow_ups: Iterable[Question], promises: Iterable[OwedReply]) -> bool:
    """Whether a planned question waits for an answer or a call that the customer is promised.

    ``promises`` are those that the customer knows of.
    """
    is_planned = any(question.state == FollowUpState.PLANNED for question in follow_ups)
    return is_planned and any(
        promise.closed_at is None and promise.kind in REPLY_KINDS for promise in promises
    )


def looking_template(
    definition: FollowUpDefinition, question: Question, follow_ups: Iterable[Question], locale: str
) -> str:
    """The workflow's own sentence of what is done after a no; empty for the product's.

    "It came, but something is wrong" is looked into, and nothing is looked for.
    """
    is_missing = _meant(question, follow_ups) == Answer.NO
    looking = definition.looking if is_missing else None
    return looking.in_language(locale) if looking else ""


def _meant(question: Question, follow_ups: Iterable[Question]) -> str | None:
    """The answer; where the customer is asked if all is well now, a no is that something is wrong."""
    is_again = question.answer == Answer.NO and asks_again(question, follow_ups)
    return Answer.WRONG if is_again else question.answer
