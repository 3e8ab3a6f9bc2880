"""When a question is put, put again and given up, and what it must wait for."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.business_time import BusinessCalendar, Duration
from portal.models.requests.follow_up import Answer, FollowUp, FollowUpState
from portal.models.requests.promise import PromiseKind
from portal.models.requests.service_request import ServiceRequest
from portal.rules.roster import Roster
from portal.workflows import FollowUpDefinition

MIN_WAIT = timedelta(minutes=15)
"""So long a question waits at least where it must wait, and after what it waited for."""


@dataclass(frozen=True)
class FollowUpSchedule:
    """The times of a request's questions, and whether now is one; pure."""

    request: ServiceRequest
    roster: Roster
    now: datetime

    def ask_at(self, question: FollowUp) -> datetime:
        """When it was to be asked, by the workflow."""
        if question.during_stage:
            return question.planned_at
        wait = self._definition(question).wait
        return self._calendar(question).add(question.planned_at, wait)

    def next_step_at(self, question: FollowUp) -> datetime | None:
        """When to remind or to give up, whichever comes first; None to wait for ever."""
        steps = [self.remind_at(question), self.close_at(question)]
        return min((step for step in steps if step is not None), default=None)

    def remind_at(self, question: FollowUp) -> datetime | None:
        """When to ask once more; None where that has been done, or never is."""
        if question.reminded_at is not None:
            return None
        return self._after_asking(question, self._definition(question).remind_after)

    def close_at(self, question: FollowUp) -> datetime | None:
        """When to give up; whoever was reminded late still has time to answer."""
        definition = self._definition(question)
        close_at = self._after_asking(question, definition.close_after)
        due = self._after_asking(question, definition.remind_after)
        if close_at and due and question.reminded_at and question.reminded_at > due + MIN_WAIT:
            again = self._calendar(question).add(question.reminded_at, definition.remind_after)
            return max(close_at, again)
        return close_at

    def was_asked_before(self, question: FollowUp) -> bool:
        """True where the very same has been asked about this passage: nobody is asked twice."""
        return any(
            other.key == question.key
            and other.run is question.run
            and other.state in (FollowUpState.ASKED, FollowUpState.ANSWERED)
            for other in self.request.follow_ups
            if other is not question
        )

    def blocked_until(self, question: FollowUp) -> datetime | None:
        """When to look again, where now is no time to ask; None where it is.

        Nobody is asked whether it went well while we owe them an answer, or put right what did
        not. A stage's own question is part of the work, so it is put all the same; only its
        reminder waits.
        """
        if question.during_stage and question.state == FollowUpState.PLANNED:
            return None
        moments = [*self._owed(), *self._put_right(question)]
        if not moments:
            return None
        due = max(moments)
        # What is overdue is looked at less and less often; when it has been done, at once.
        return max(due, self.now + max(MIN_WAIT, self.now - due))

    def reschedule_unblocked(self) -> None:
        """Let what had to wait go on soon, once nothing keeps it waiting."""
        for question in self.request.follow_ups:
            if question.next_at is None or question.next_at <= self.now + MIN_WAIT:
                continue
            is_planned = question.state == FollowUpState.PLANNED
            due = self.ask_at(question) if is_planned else self.next_step_at(question)
            if due is not None and due <= self.now and self.blocked_until(question) is None:
                question.next_at = self.now + MIN_WAIT

    def _owed(self) -> Iterator[datetime]:
        """An answer or a call that the customer waits for."""
        request = self.request
        for promise in request.promises:
            if promise.closed_at is None and promise.kind in (PromiseKind.ANSWER, PromiseKind.CALL):
                yield promise.due_at
        if request.unanswered_since is not None:
            department = self.roster.department_by_id(request.department_id)
            yield department.reply_due_at(request.unanswered_since)

    def _put_right(self, question: FollowUp) -> Iterator[datetime]:
        """Work that a NO has made, until it is done; but what it leads to is asked of course."""
        definition = self.request.definition
        for told in self.request.follow_ups:
            if told.answer != Answer.NO or told.closed_at is None:
                continue
            stage = action.stage if (action := definition.question(told.key).no) else None
            if stage is None:
                continue
            work = {stage, *definition.descendants(stage)}
            for run in self.request.open_runs:
                came_of_it = run.stage_key in work and run.opened_at >= told.closed_at
                if came_of_it and question.run.opened_at < told.closed_at:
                    yield run.due_at

    def _after_asking(self, question: FollowUp, wait: Duration) -> datetime | None:
        """So long after it was asked, in its department's hours; a zero in the file is never."""
        if not wait or question.asked_at is None:
            return None
        return self._calendar(question).add(question.asked_at, wait)

    def _definition(self, question: FollowUp) -> FollowUpDefinition:
        return self.request.definition.question(question.key)

    def _calendar(self, question: FollowUp) -> BusinessCalendar:
        return self.roster.department_by_id(question.run.department_id).calendar
