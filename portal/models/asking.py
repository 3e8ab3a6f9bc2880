"""Questions to the customer, by the rules: asked, reminded of, answered, given up."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.clock import Duration
from portal.errors import Conflict
from portal.models.event import EventKind
from portal.models.follow_up import Answer, FollowUp, FollowUpState
from portal.models.progress import Progress
from portal.models.service_request import RequestStatus
from portal.models.stage_run import RunState
from portal.workflows import AnswerAction, FollowUpDefinition


@dataclass(frozen=True)
class Asking:
    """What a question and its answer do to a request's way; pure, as Progress is."""

    progress: Progress

    def take_step(self, question: FollowUp) -> None:
        """Do what the time has come for: ask, remind, or give up."""
        if question.state == FollowUpState.PLANNED:
            self._ask(question)
        elif question.next_at == self._remind_at(question):
            self._remind(question)
        else:
            self._give_up(question)

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
            raise Conflict("This question has been answered already. Thank you.")
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
        if action is not None:
            self._act(action, question, words)
        if not progress.request.is_closed:
            progress.request.settle()
        return action

    def put_back(self, question: FollowUp) -> None:
        """It stands again as it stood: what withdrew it has been undone."""
        question.closed_at = None
        if question.asked_at is not None:
            question.state, question.next_at = FollowUpState.ASKED, self._next_step(question)
            return
        calendar = self.progress.department_of(question.run).calendar
        wait = self._definition_of(question).wait
        question.state = FollowUpState.PLANNED
        question.next_at = calendar.add(question.planned_at, wait)

    def _ask(self, question: FollowUp) -> None:
        question.state = FollowUpState.ASKED
        question.asked_at = self.progress.now
        question.next_at = self._next_step(question)
        if question.at_stage and question.run.is_open:
            question.run.wait_on_customer(self.progress.now)
            self.progress.request.settle()
        self._record(EventKind.QUESTION_ASKED, question)

    def _remind(self, question: FollowUp) -> None:
        """Once more, in other words."""
        question.reminded_at = self.progress.now
        question.next_at = self._next_step(question)
        if question.next_at is not None and question.next_at <= self.progress.now:
            # We were away when it was due: whoever is reminded late still has time to answer.
            wait = self._definition_of(question).remind_after
            calendar = self.progress.department_of(question.run).calendar
            question.next_at = calendar.add(self.progress.now, wait)
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

    def _act(self, action: AnswerAction, question: FollowUp, words: str) -> None:
        progress = self.progress
        if action.kind == "complete":
            if question.at_stage and question.run.is_open:
                progress.complete(question.run, "")
            elif not progress.request.open_runs:
                progress.end(RequestStatus.COMPLETED, "")
        elif action.kind == "close":
            progress.end(RequestStatus.DECLINED, words)
        elif action.kind == "open" and action.stage:
            if not progress.current(action.stage, RunState.OPEN):
                stage = progress.request.definition.stage(action.stage)
                progress.open(stage, progress.last_sender())
        elif (
            action.kind == "send_back"
            and action.stage
            and progress.current(action.stage, RunState.COMPLETED)
        ):
            progress.send_back(action.stage, words)

    def _next_step(self, question: FollowUp) -> datetime | None:
        """When to remind or to give up, whichever comes first; None to wait for ever."""
        steps = [self._remind_at(question), self._close_at(question)]
        return min((step for step in steps if step is not None), default=None)

    def _remind_at(self, question: FollowUp) -> datetime | None:
        if question.reminded_at is not None:
            return None
        return self._after_asking(question, self._definition_of(question).remind_after)

    def _close_at(self, question: FollowUp) -> datetime | None:
        return self._after_asking(question, self._definition_of(question).close_after)

    def _after_asking(self, question: FollowUp, wait: Duration) -> datetime | None:
        """So long after it was asked, in its department's hours; a zero in the file is never."""
        if not wait or question.asked_at is None:
            return None
        return self.progress.department_of(question.run).calendar.add(question.asked_at, wait)

    def _definition_of(self, question: FollowUp) -> FollowUpDefinition:
        return self.progress.request.definition.question(question.key)

    def _record(self, kind: EventKind, question: FollowUp, **data: Any) -> None:
        self.progress.request.record(
            kind, self.progress.actor, self.progress.now, run=question.run, key=question.key, **data
        )
