"""Questions to the customer, by the rules: asked, reminded of, answered, given up."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from portal.errors import Conflict
from portal.i18n.lazy_string import Sentence
from portal.models.requests.event import EventKind
from portal.models.requests.follow_up import Answer, FollowUp, FollowUpState
from portal.models.requests.service_request import RequestStatus
from portal.models.requests.stage_run import RunState
from portal.rules.follow_up_schedule import QuestionTimes
from portal.rules.stage_flow import Progress
from portal.workflows import AnswerAction, FollowUpDefinition

LONGEST_VISIT = timedelta(hours=4)
"""After the time that a customer named, it is done by then."""


@dataclass(frozen=True)
class Asking:
    """What a question and its answer do to a request's way; pure, as Progress is."""

    progress: Progress

    def take_step(self, question: FollowUp) -> None:
        """Do what the time has come for, if it still is one: ask, remind, or give up."""
        times = self._times
        if question.state == FollowUpState.PLANNED and times.was_put(question):
            question.close(FollowUpState.WITHDRAWN, self.progress.now)
        elif (later := times.waits_until(question)) is not None:
            question.next_at = later
        elif question.state == FollowUpState.PLANNED:
            self._ask(question)
        elif self._is_to_be_reminded(question):
            self._remind(question)
        else:
            self._give_up(question)

    def is_for_the_morning(self, question: FollowUp) -> bool:
        """Whether it is to be put, now or once more, and that can wait: much may happen overnight.

        What a stage asks is part of the work, and stands on the page at once.
        """
        is_planned = question.state == FollowUpState.PLANNED
        return not question.at_stage and (is_planned or self._is_to_be_reminded(question))

    def answer(
        self,
        question: FollowUp,
        answer: Answer,
        words: str,
        via: str,
        at: datetime | None = None,
    ) -> AnswerAction | None:
        """Take the customer's answer and do what the workflow hangs on it.

        ``at`` is the time that they named, where one was asked for. Gives the action taken, None
        where a person must decide. Raises Conflict when the question is no longer open.
        """
        if not question.is_asked:
            raise Conflict(Sentence("This question has been answered already. Thank you."))
        progress, run = self.progress, question.run
        question.close(FollowUpState.ANSWERED, progress.now)
        question.answer, question.answer_words, question.answered_via = answer, words, via
        question.answer_at = at
        named = {"at": at.isoformat()} if at else {}
        self._record(
            EventKind.QUESTION_ANSWERED, question, answer=answer.value, words=words, **named
        )
        if question.at_stage and run.is_open:
            run.stop_waiting(progress.now, progress.department_of(run))
        definition = self._definition_of(question)
        action = definition.yes if answer == Answer.YES else definition.no
        if action is not None and not self._act(action, question, words):
            action = None
        if at is not None:
            self._arrange(at)
        if not progress.request.is_closed:
            progress.request.settle()
        return action

    def _arrange(self, at: datetime) -> None:
        """What begins with this answer is expected when that time has come: nobody knows better."""
        progress = self.progress
        for run in progress.request.open_runs:
            if run.opened_at == progress.now:
                grace = progress.request.definition.stage(run.stage_key).grace
                department = progress.department_of(run)
                run.expect_by(at + LONGEST_VISIT, grace, department, progress.now)

    def put_back(self, question: FollowUp) -> None:
        """It stands again as it stood: what withdrew it has been undone."""
        question.closed_at = None
        if question.asked_at is not None:
            question.state, question.next_at = FollowUpState.ASKED, self._times.next_step(question)
        else:
            question.state, question.next_at = FollowUpState.PLANNED, self._times.ask_at(question)

    def _ask(self, question: FollowUp) -> None:
        question.state = FollowUpState.ASKED
        question.asked_at = self.progress.now
        question.next_at = self._times.next_step(question)
        if question.at_stage and question.run.is_open:
            question.run.wait_on_customer(self.progress.now)
            self.progress.request.settle()
        self._record(EventKind.QUESTION_ASKED, question)

    def _remind(self, question: FollowUp) -> None:
        """Once more, in other words."""
        question.reminded_at = self.progress.now
        question.next_at = self._times.next_step(question)
        self._record(EventKind.QUESTION_REMINDED, question)

    def _give_up(self, question: FollowUp) -> None:
        """No answer came: closed as unconfirmed, never as a yes."""
        progress = self.progress
        question.close(FollowUpState.UNCONFIRMED, progress.now)
        self._record(EventKind.QUESTION_CLOSED, question)
        if question.at_stage:
            question.run.stop_waiting(progress.now, progress.department_of(question.run))
            progress.request.settle()
        elif progress.request.status == RequestStatus.AWAITING_CONFIRMATION:
            progress.end_if_done("unconfirmed")

    def _act(self, action: AnswerAction, question: FollowUp, words: str) -> bool:
        """Do it; False where there is nothing to do it to, and so a person must decide."""
        progress = self.progress
        if action.kind == "complete":
            if question.at_stage and question.run.is_open:
                progress.complete(question.run, "")
            elif not progress.request.open_runs:
                progress.end(RequestStatus.COMPLETED, "")
        elif action.kind == "close":
            progress.end(RequestStatus.DECLINED, words)
        elif action.stage and progress.current(action.stage, RunState.OPEN):
            pass  # It is being done already.
        elif action.kind == "open" and action.stage:
            stage = progress.request.definition.stage(action.stage)
            progress.open(stage, progress.last_sender())
        elif action.stage and progress.current(action.stage, RunState.COMPLETED):
            progress.send_back(action.stage, words)
        else:
            return False
        return True

    def _is_to_be_reminded(self, question: FollowUp) -> bool:
        remind_at, close_at = self._times.remind_at(question), self._times.close_at(question)
        return remind_at is not None and (close_at is None or remind_at <= close_at)

    @property
    def _times(self) -> QuestionTimes:
        return QuestionTimes(self.progress.request, self.progress.roster, self.progress.now)

    def _definition_of(self, question: FollowUp) -> FollowUpDefinition:
        return self.progress.request.definition.question(question.key)

    def _record(self, kind: EventKind, question: FollowUp, **data: Any) -> None:
        self.progress.request.record(
            kind, self.progress.actor, self.progress.now, run=question.run, key=question.key, **data
        )
