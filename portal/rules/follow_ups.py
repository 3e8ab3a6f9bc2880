"""The rules of questions to the customer: asked, reminded of, answered, closed without an answer."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from portal.business_time import TimeWindow
from portal.errors import Conflict
from portal.i18n.lazy_string import LazyString
from portal.models.requests.event import EventKind
from portal.models.requests.follow_up import Answer, AnswerType, FollowUp, FollowUpState
from portal.models.requests.request_status import RequestStatus
from portal.models.requests.stage_run import RunState
from portal.rules.follow_up_schedule import FollowUpSchedule
from portal.rules.investigations import action_of
from portal.rules.question_planning import unfilled_fields
from portal.rules.stages.stage_flow import StageFlow
from portal.rules.stages.stage_returns import StageReturns
from portal.rules.visits import is_visit_over, visit_reminder_at
from portal.workflows import AnswerAction, FollowUpDefinition
from portal.workflows.question_definition import REMIND_AFTER

MAX_VISIT_DURATION = timedelta(hours=4)
"""A visit is done this long after the time that the customer named."""


@dataclass(frozen=True)
class FollowUpFlow:
    """What a question and its answer do to the stages of a request; pure, as StageFlow is."""

    stage_flow: StageFlow

    def run_due_step(self, question: FollowUp) -> None:
        """Ask, remind or close the question, whichever is due; postpone it where it is blocked."""
        times = self._times
        if question.state == FollowUpState.PLANNED and times.was_asked_before(question):
            question.close(FollowUpState.WITHDRAWN, self.stage_flow.now)
        elif (later := times.blocked_until(question)) is not None:
            question.next_at = later
        elif question.state == FollowUpState.PLANNED:
            self._ask(question)
        elif self._is_to_be_reminded(question):
            self._remind(question)
        elif (closes_at := times.next_step_at(question)) is None or closes_at > self.stage_flow.now:
            question.next_at = closes_at  # The customer wants no reminder any more.
        else:
            self._close_unanswered(question)

    def can_wait_overnight(self, question: FollowUp) -> bool:
        """True where asking or reminding can wait until the morning, for much may happen overnight.

        A stage's own question is part of the work, and the page shows it at once.
        """
        is_planned = question.state == FollowUpState.PLANNED
        return not question.during_stage and (is_planned or self._is_to_be_reminded(question))

    def answer(
        self,
        question: FollowUp,
        answer: Answer,
        text: str,
        via: str,
        at: datetime | TimeWindow | None = None,
    ) -> AnswerAction | None:
        """Take the customer's answer and do what the workflow says follows from it.

        ``at`` is the time that they named, or the window of the visit that they booked, where one
        was asked for. Gives the action taken, None
        where a person must decide. A question that is planned may be answered before it is asked.
        Raises Conflict when the question is no longer open.
        """
        if not question.is_pending:
            raise Conflict(LazyString("This question has been answered already. Thank you."))
        stage_flow, run = self.stage_flow, question.run
        question.close(FollowUpState.ANSWERED, stage_flow.now)
        question.answer, question.answer_words, question.answered_via = answer, text, via
        window = at if isinstance(at, TimeWindow) else None
        start = window.start if window else at
        question.answer_at = start if isinstance(start, datetime) else None
        if window is not None:
            question.book(window, self.visit_reminder_at(question, window))
        details: dict[str, Any] = (
            {"at": question.answer_at.isoformat()} if question.answer_at else {}
        )
        if question.fields:
            details["fields"] = dict(question.fields)
        self._record(
            EventKind.QUESTION_ANSWERED, question, answer=answer.value, words=text, **details
        )
        if question.during_stage and run.is_open:
            run.stop_waiting(stage_flow.now, stage_flow.department_of(run))
        definition = self._definition_of(question)
        action = action_of(definition, question, stage_flow.request.follow_ups)
        if action is not None and not self._act(action, question, text):
            action = None
        if action is None and answer != Answer.YES and not question.during_stage:
            self._plan_again(question)
        if question.answer_at is not None:
            self.set_visit_due(question, question.answer_at)
        if not stage_flow.request.is_closed:
            stage_flow.request.derive_state()
        return action

    def set_visit_due(self, question: FollowUp, start: datetime) -> None:
        """What the answer has opened is due by the end of the visit.

        Of a time without a window that is ``MAX_VISIT_DURATION`` later.
        """
        stage_flow = self.stage_flow
        end = question.answer_until or start + MAX_VISIT_DURATION
        for run in stage_flow.request.open_runs:
            if run.opened_at == question.closed_at:
                grace = stage_flow.request.definition.stage(run.stage_key).grace
                department = stage_flow.department_of(run)
                run.set_due_at(end, grace, department, stage_flow.now)

    def move_visit(self, question: FollowUp, window: TimeWindow, via: str) -> None:
        """Give the booked visit another window; what follows is due at its end."""
        before = question.answer_at
        question.book(window, self.visit_reminder_at(question, window))
        self._record(
            EventKind.VISIT_MOVED, question, via=via, at=window.start.isoformat(),
            until=window.end.isoformat(), was_at=before.isoformat() if before else None,
        )  # fmt: skip
        self.set_visit_due(question, window.start)

    def cancel_visit(self, question: FollowUp, reason: str, via: str) -> None:
        """Cancel the booked visit, so that its window is free again."""
        before = question.answer_at
        question.release()
        self._record(
            EventKind.VISIT_CANCELLED, question, via=via, reason=reason,
            was_at=before.isoformat() if before else None,
        )  # fmt: skip

    def remind_of_visit(self, question: FollowUp) -> None:
        """Record that the customer is reminded, once; not of a visit that has begun or is off.

        Where the work is done before the visit, there is nothing to remind of.
        """
        question.next_at = None
        window, stage_flow = question.visit_window, self.stage_flow
        runs, now = stage_flow.request.runs, stage_flow.now
        is_ahead = window is not None and window.start > now
        if window and is_ahead and not is_visit_over(question, runs, now):
            self._record(EventKind.VISIT_REMINDED, question, at=window.start.isoformat())

    def visit_reminder_at(self, question: FollowUp, window: TimeWindow) -> datetime | None:
        """When to remind of a visit in this window; None where it is booked shortly before."""
        zone = self.stage_flow.department_of(question.run).calendar.zone.key
        return visit_reminder_at(window, zone, self.stage_flow.now)

    def restore(self, question: FollowUp) -> None:
        """Undo the withdrawal of the question: it is asked or planned again."""
        question.closed_at = None
        if question.asked_at is not None:
            question.state, question.next_at = (
                FollowUpState.ASKED,
                self._times.next_step_at(question),
            )
        else:
            question.state, question.next_at = FollowUpState.PLANNED, self._times.ask_at(question)
            if unfilled_fields(question, self._definition_of(question)):
                question.next_at = None

    def _plan_again(self, question: FollowUp) -> None:
        """Ask the customer whether all is well, once a person has answered what was not."""
        request, now = self.stage_flow.request, self.stage_flow.now
        if request.is_closed or question.expects != AnswerType.YES_NO:
            return
        wait = self._definition_of(question).remind_after or REMIND_AFTER
        calendar = self.stage_flow.department_of(question.run).calendar
        request.follow_ups.append(
            FollowUp(
                run=question.run, key=question.key, question=question.question,
                fields=dict(question.fields), planned_at=now, next_at=calendar.add(now, wait),
            )
        )  # fmt: skip

    def _ask(self, question: FollowUp) -> None:
        details: dict[str, Any] = {"fields": dict(question.fields)} if question.fields else {}
        if (was_at := self._release_ahead(question.key)) is not None:
            details["was_at"] = was_at.isoformat()
        question.state = FollowUpState.ASKED
        question.asked_at = self.stage_flow.now
        question.next_at = self._times.next_step_at(question)
        if question.during_stage and question.run.is_open:
            question.run.wait_on_customer(self.stage_flow.now)
            self.stage_flow.request.derive_state()
        self._record(EventKind.QUESTION_ASKED, question, **details)

    def _release_ahead(self, key: str) -> datetime | None:
        """Release the visits of this question that are not over; gives the start of the last one."""
        request, was_at = self.stage_flow.request, None
        for question in request.follow_ups:
            window = question.visit_window if question.key == key else None
            if window and not is_visit_over(question, request.runs, self.stage_flow.now):
                question.release()
                was_at = window.start
        return was_at

    def _remind(self, question: FollowUp) -> None:
        """Ask once more, with the template of a reminder."""
        question.reminded_at = self.stage_flow.now
        question.next_at = self._times.next_step_at(question)
        self._record(EventKind.QUESTION_REMINDED, question)

    def _close_unanswered(self, question: FollowUp) -> None:
        """Close the question as unconfirmed, never as a yes: no answer came."""
        stage_flow = self.stage_flow
        question.close(FollowUpState.UNCONFIRMED, stage_flow.now)
        self._record(EventKind.QUESTION_CLOSED, question)
        if question.during_stage:
            question.run.stop_waiting(stage_flow.now, stage_flow.department_of(question.run))
            stage_flow.request.derive_state()
        elif stage_flow.request.status == RequestStatus.AWAITING_CONFIRMATION:
            stage_flow.close_if_done(unconfirmed=True)

    def _act(self, action: AnswerAction, question: FollowUp, reason: str) -> bool:
        """Do the action; False where no stage is there to do it to, so that a person must decide."""
        stage_flow = self.stage_flow
        if action.kind == "complete":
            if question.during_stage and question.run.is_open:
                stage_flow.complete(question.run, "")
            elif not stage_flow.request.open_runs:
                stage_flow.end(RequestStatus.COMPLETED, "")
        elif action.kind == "close":
            stage_flow.end(RequestStatus.DECLINED, reason)
        elif action.stage and stage_flow.current(action.stage, RunState.OPEN):
            pass  # It is being done already.
        elif action.kind == "open" and action.stage:
            stage = stage_flow.request.definition.stage(action.stage)
            stage_flow.open(stage, StageReturns(stage_flow).last_sender())
        elif action.stage and stage_flow.current(action.stage, RunState.COMPLETED):
            # The reply to the answer says who looks into it, so the stage's message is not repeated.
            notify = question.during_stage
            StageReturns(stage_flow).send_back(action.stage, reason, notify=notify)
        else:
            return False
        return True

    def _is_to_be_reminded(self, question: FollowUp) -> bool:
        remind_at, close_at = self._times.remind_at(question), self._times.close_at(question)
        return remind_at is not None and (close_at is None or remind_at <= close_at)

    @property
    def _times(self) -> FollowUpSchedule:
        return FollowUpSchedule(self.stage_flow.facts)

    def _definition_of(self, question: FollowUp) -> FollowUpDefinition:
        return self.stage_flow.request.definition.question(question.key)

    def _record(self, kind: EventKind, question: FollowUp, **data: Any) -> None:
        self.stage_flow.request.record(
            kind,
            self.stage_flow.actor,
            self.stage_flow.now,
            run=question.run,
            key=question.key,
            **data,
        )
