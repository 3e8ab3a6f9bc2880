"""The summary for the next owner of a request."""

from collections.abc import Iterator
from dataclasses import dataclass

from portal.desk.auth.current_staff import CurrentStaff
from portal.desk.labels import REASON_LABELS, due, join_names, since
from portal.desk.request.view_models import (
    HandoverSummaryLine,
    HandoverSummaryView,
)
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import ServiceRequest
from portal.queries.desk.handover_summary import HandoverSummary
from portal.rules.roster import Roster

TIMES_LABELS = {1: "Once", 2: "Twice"}


@dataclass(frozen=True, slots=True)
class HandoverSummaryPresenter:
    """The summary of a request in lines, the most useful first."""

    summary: HandoverSummary
    request: ServiceRequest
    roster: Roster
    times: TimeFormatter

    def view(self, reader: CurrentStaff) -> HandoverSummaryView:
        """The summary; open for the owner and for those who are to accept the request."""
        return HandoverSummaryView(
            lines=list(self._lines()),
            customer_note=self.summary.customer_note,
            is_expanded=self._is_for(reader),
        )

    def _is_for(self, reader: CurrentStaff) -> bool:
        receiving = [
            handoff.to_department_id for handoff in self.request.handoffs if handoff.is_pending
        ]
        responsible = {self.request.owner_id, *(run.assignee_id for run in self.request.open_runs)}
        return reader.staff.id in responsible or not reader.departments.isdisjoint(receiving)

    def _lines(self) -> Iterator[HandoverSummaryLine]:
        summary = self.summary
        for note in summary.handovers:
            yield HandoverSummaryLine(
                "Handover note", note.words, note.by, since(self.times, note.at)
            )
        for promise in summary.promises:
            owner = self.roster.person(promise.owner_id).name
            late = promise.due_at < self.times.now
            yield HandoverSummaryLine(
                "Commitment", promise.text, owner, due(self.times, promise.due_at, late=late)
            )
        for heading, message in (("Last customer message", summary.last_customer_message),
                              ("Last reply", summary.last_reply)):  # fmt: skip
            if message is not None:
                yield HandoverSummaryLine(
                    heading, message.body, at=since(self.times, message.created_at)
                )
        if summary.contacts:
            yield HandoverSummaryLine("Contacts", self._contacts())
        for number, return_ in enumerate(summary.returns):
            department = self.roster.department_by_id(return_.department_id).name
            heading = f"Returned {times_label(len(summary.returns)).lower()}" if not number else ""
            yield HandoverSummaryLine(
                heading, return_.reason, department, since(self.times, return_.at)
            )

    def _contacts(self) -> str:
        counted = self.summary.contacts
        reasons = [
            REASON_LABELS[reason].lower()
            + (f" ({times})" if times > 1 and len(counted) > 1 else "")
            for reason, times in counted
        ]
        return f"{times_label(sum(times for _, times in counted))}: {join_names(reasons)}"


def times_label(times: int) -> str:
    """Once, twice, 3 times."""
    return TIMES_LABELS.get(times, f"{times} times")
