"""When a question is asked, reminded of and closed, and what it must wait for."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.business_time import BusinessCalendar, Duration
from portal.models.requests.follow_up import Answer, FollowUp, FollowUpState
from portal.models.requests.promise import REPLY_KINDS
from portal.rules.facts import Facts
from portal.rules.investigations import action_of, asks_again
from portal.workflows import FollowUpDefinition
from portal.workflows.question_definition import REMIND_AFTER

MIN_WAIT = timedelta(minutes=15)
"""The shortest time that a blocked question waits, also after the cause has ended."""


@dataclass(frozen=True)
class FollowUpSchedule:
    """The times of a request's questions; pure."""

    facts: Facts

    def ask_at(self, question: FollowUp) -> datetime:
        """When the workflow says to ask it, or to ask it again."""
        if question.during_stage:
            return question.planned_at
        definition = self._definition(question)
        is_again = asks_again(question, self.facts.request.follow_ups)
        wait = (definition.remind_after or REMIND_AFTER) if is_again else definition.wait
        return self._calendar(question).add(question.planned_at, wait)

    def next_step_at(self, question: FollowUp) -> datetime | None:
        """When to remind or to close, whichever comes first; None to wait without end."""
        steps = [self.remind_at(question), self.close_at(question)]
        return min((step for step in steps if step is not None), default=None)

    def remind_at(self, question: FollowUp) -> datetime | None:
        """When to remind; None where that is done or unwanted, or the workflow sets no reminder."""
        is_wanted = question.during_stage or self.facts.request.customer.takes_questions
        if question.reminded_at is not None or not is_wanted:
            return None
        return self._after_asking(question, self._definition(question).remind_after)

    def close_at(self, question: FollowUp) -> datetime | None:
        """When to close it; a customer who was reminded late still has time to answer."""
        definition = self._definition(question)
        close_at = self._after_asking(question, definition.close_after)
        due = self._after_asking(question, definition.remind_after)
        if close_at and due and question.reminded_at and question.reminded_at > due + MIN_WAIT:
            after_reminder = self._calendar(question).add(
                question.reminded_at, definition.remind_after
            )
            return max(close_at, after_reminder)
        return close_at

    def was_asked_before(self, question: FollowUp) -> bool:
        """True where the same question has been asked about this run, and not answered with no."""
        return any(
            other.key == question.key
            and other.run is question.run
            and other.state in (FollowUpState.ASKED, FollowUpState.ANSWERED)
            and other.answer not in (Answer.NO, Answer.WRONG)
            for other in self.facts.request.follow_ups
            if other is not question
        )

    def blocked_until(self, question: FollowUp) -> datetime | None:
        """When to check again, where it must not be asked now; None where it may.

        A customer is not asked whether it went well while we owe them an answer, or while work that
        a NO led to is open. A stage's own question is part of the work, so it is asked anyway; only
        its reminder waits.
        """
        if question.during_stage and question.state == FollowUpState.PLANNED:
            return None
        moments = [*self._replies_due(), *self._corrections_due(question)]
        if not moments:
            return None
        due = max(moments)
        # What is overdue is checked less and less often; once it is done, at once.
        return max(due, self.facts.now + max(MIN_WAIT, self.facts.now - due))

    def _replies_due(self) -> Iterator[datetime]:
        """When an answer or a call is due that the customer waits for."""
        request = self.facts.request
        for promise in request.promises:
            if promise.closed_at is None and promise.kind in REPLY_KINDS:
                yield promise.due_at
        if request.unanswered_since is not None:
            department = self.facts.roster.department_by_id(request.department_id)
            yield department.reply_due_at(request.unanswered_since)

    def _corrections_due(self, question: FollowUp) -> Iterator[datetime]:
        """When work is due that a NO led to; what that work itself asks does not wait for it."""
        definition = self.facts.request.definition
        follow_ups = self.facts.request.follow_ups
        for answered in follow_ups:
            if answered.answer not in (Answer.NO, Answer.WRONG) or answered.closed_at is None:
                continue
            action = action_of(definition.question(answered.key), answered, follow_ups)
            stage = action.stage if action else None
            if stage is None:
                continue
            work = {stage, *definition.descendants(stage)}
            for run in self.facts.request.open_runs:
                was_caused = run.stage_key in work and run.opened_at >= answered.closed_at
                if was_caused and question.run.opened_at < answered.closed_at:
                    yield run.due_at

    def _after_asking(self, question: FollowUp, wait: Duration) -> datetime | None:
        """That long after it was asked, in its department's hours; None for a zero in the workflow."""
        if not wait or question.asked_at is None:
            return None
        return self._calendar(question).add(question.asked_at, wait)

    def _definition(self, question: FollowUp) -> FollowUpDefinition:
        return self.facts.request.definition.question(question.key)

    def _calendar(self, question: FollowUp) -> BusinessCalendar:
        return self.facts.roster.department_by_id(question.run.department_id).calendar
