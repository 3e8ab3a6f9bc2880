"""The summary for whoever takes a request over, and the latest update of a third party."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from portal.desk.auth.current_staff import CurrentStaff
from portal.desk.labels import REASON_LABELS, due, join_names, since
from portal.desk.request.view_models import (
    HandoverSummaryLine,
    HandoverSummaryView,
    ThirdPartyStage,
)
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import Event, EventKind, ServiceRequest
from portal.queries.desk.handover_summary import HandoverSummary
from portal.rules.authorization import Act
from portal.rules.roster import Roster

TIMES_LABELS = {1: "Once", 2: "Twice"}


@dataclass(frozen=True, slots=True)
class HandoverSummaryPresenter:
    """The summary of a request in lines, the most useful first."""

    story: HandoverSummary
    request: ServiceRequest
    roster: Roster
    words: TimeFormatter

    def view(self, reader: CurrentStaff) -> HandoverSummaryView:
        """The summary; open for the owner and for those who are to accept the request."""
        return HandoverSummaryView(
            lines=list(self._lines()),
            customer_note=self.story.customer_note,
            is_expanded=self._is_for(reader),
        )

    def _is_for(self, reader: CurrentStaff) -> bool:
        waiting = [one.to_department_id for one in self.request.handoffs if one.is_pending]
        hands = {self.request.owner_id, *(run.assignee_id for run in self.request.open_runs)}
        return reader.staff.id in hands or not reader.departments.isdisjoint(waiting)

    def _lines(self) -> Iterator[HandoverSummaryLine]:
        story = self.story
        for told in story.handovers:
            yield HandoverSummaryLine(
                "Handover note", told.words, told.by, since(self.words, told.at)
            )
        for promise in story.promises:
            owner = self.roster.person(promise.owner_id).name
            late = promise.due_at < self.words.now
            yield HandoverSummaryLine(
                "Commitment", promise.text, owner, due(self.words, promise.due_at, late=late)
            )
        for heading, said in (("Last customer message", story.last_customer_message),
                              ("Last reply", story.last_reply)):  # fmt: skip
            if said is not None:
                yield HandoverSummaryLine(heading, said.body, at=since(self.words, said.created_at))
        if story.contacts:
            yield HandoverSummaryLine("Contacts", self._contacts())
        for number, back in enumerate(story.returns):
            department = self.roster.department_by_id(back.department_id).name
            heading = f"Returned {times_label(len(story.returns)).lower()}" if not number else ""
            yield HandoverSummaryLine(heading, back.reason, department, since(self.words, back.at))

    def _contacts(self) -> str:
        counted = self.story.contacts
        reasons = [
            REASON_LABELS[reason].lower()
            + (f" ({times})" if times > 1 and len(counted) > 1 else "")
            for reason, times in counted
        ]
        return f"{times_label(sum(times for _, times in counted))}: {join_names(reasons)}"


def times_label(times: int) -> str:
    """Once, twice, 3 times."""
    return TIMES_LABELS.get(times, f"{times} times")


def present_third_parties(
    request: ServiceRequest, events: Sequence[Event], words: TimeFormatter, reader: CurrentStaff
) -> list[ThirdPartyStage]:
    """The open stages of third parties, with their last update."""
    return [
        ThirdPartyStage(
            stage=run.stage_key,
            name=request.definition.stage(run.stage_key).name,
            who=run.third_party,
            number=run.tracking_number,
            said=said.data["words"] if said else "",
            at=since(words, datetime.fromisoformat(said.data["at"])) if said else None,
            is_silent=run.silence_overdue_at is not None
            and not run.is_paused
            and run.silence_overdue_at <= words.now,
            may_record=reader.may(Act.RECORD_THIRD_PARTY, request, run.stage_key),
        )
        for run in request.open_runs
        if run.third_party
        for said in [_last_word(events, run.id)]
    ]


def _last_word(events: Sequence[Event], run_id: int | None) -> Event | None:
    heard = [
        one for one in events if one.kind == EventKind.THIRD_PARTY_UPDATED and one.run_id == run_id
    ]
    return max(heard, key=lambda one: str(one.data["at"]), default=None)
