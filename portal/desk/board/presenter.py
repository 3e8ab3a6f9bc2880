"""The rows of a board: what each list of a department shows of a request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from portal.desk.auth.current_staff import as_person
from portal.desk.board.view_models import BoardRow
from portal.desk.labels import STATUS_LABELS, due, since, truncate_quote
from portal.desk.widgets import Badge, Person
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import (
    Department,
    Promise,
    PromiseKind,
    ServiceRequest,
    StaffMember,
    StageRun,
)
from portal.models.columns import saved_id
from portal.queries.desk.board import IncomingHandoff, OpenWork, OwedReply, RequestToConfirm


@dataclass(frozen=True, slots=True)
class RowPresenter:
    """Builds rows from what was loaded for a page.

    ``people`` and ``quotes`` (the last message of a request's customer) are keyed by id.
    """

    times: TimeFormatter
    departments: Mapping[int, Department]
    people: Mapping[int, StaffMember]
    quotes: Mapping[int, str] = field(default_factory=dict)
    promises: Sequence[Promise] = ()

    def handoff_row(self, row: IncomingHandoff) -> BoardRow:
        """An incoming handoff: with its sender, and the button that accepts it."""
        handoff, run, request, customer, stage = row
        by = handoff.accept_by
        late = by is not None and by < self.times.now
        return BoardRow(
            **self._request_values(request, customer),
            stage=stage,
            owner=self._person(run.assignee_id),
            since=since(self.times, handoff.sent_at),
            due=due(self.times, by, late=late) if by else None,
            badges=self._badges(request, run),
            accept_stage=run.stage_key,
            sent_by=self.departments[handoff.from_department_id].name,
        )

    def reply_row(self, row: OwedReply) -> BoardRow:
        """A reply due: with the customer's message and the due time."""
        promise, request, customer = row
        return BoardRow(
            **self._request_values(request, customer),
            stage=STATUS_LABELS[request.status],
            owner=self._person(promise.owner_id),
            since=since(self.times, request.unanswered_since or promise.made_at),
            due=due(self.times, promise.due_at, late=promise.due_at < self.times.now),
            badges=[Badge("waiting", "call-back due")] if promise.kind == PromiseKind.CALL else (),
            quote=truncate_quote(self.quotes.get(saved_id(request), "")),
        )

    def stage_row(self, row: OpenWork) -> BoardRow:
        """An open stage that the department has."""
        run, request, customer, stage = row
        return BoardRow(
            **self._request_values(request, customer),
            stage=stage,
            owner=self._person(run.assignee_id),
            since=since(self.times, run.reached_at or run.opened_at),
            due=due(self.times, run.due_at, late=run.is_overdue(self.times.now)),
            badges=self._badges(request, run),
        )

    def confirmation_row(self, row: RequestToConfirm) -> BoardRow:
        """A request that awaits the customer's confirmation."""
        request, customer = row
        return BoardRow(
            **self._request_values(request, customer),
            stage=STATUS_LABELS[request.status],
            owner=self._person(request.owner_id),
            since=since(self.times, request.updated_at),
            due=None,
            badges=self._badges(request, None),
        )

    def search_row(self, request: ServiceRequest) -> BoardRow:
        """A search result, of any department."""
        runs = request.open_runs
        next_due_run = min(runs, key=lambda run: run.due_at, default=None)
        names = [request.definition.stage(run.stage_key).name for run in runs]
        late = next_due_run is not None and next_due_run.is_overdue(self.times.now)
        return BoardRow(
            **self._request_values(request, request.customer.name),
            stage=", ".join(names) or STATUS_LABELS[request.status],
            owner=self._person(request.owner_id),
            since=since(self.times, request.opened_at),
            due=due(self.times, next_due_run.due_at, late=late) if next_due_run else None,
            badges=self._badges(request, next_due_run),
        )

    def _request_values(self, request: ServiceRequest, customer: str) -> dict[str, Any]:
        return {
            "reference": request.reference,
            "url": f"/desk/requests/{request.reference}",
            "customer": customer,
            "title": request.title,
            "version": request.version,
        }

    def _person(self, staff_id: int) -> Person | None:
        person = self.people.get(staff_id)
        return as_person(person) if person else None

    def _badges(self, request: ServiceRequest, run: StageRun | None) -> list[Badge]:
        badges = []
        if run is not None and run.held_at:
            until = f" until {self.times.by(run.hold_until)}" if run.hold_until else ""
            badges.append(Badge("hold", f"on hold{until}"))
        elif run is not None and run.waits_on_customer:
            badges.append(Badge("waiting", "waiting for the customer"))
        elif run is not None and run.waits_on_third_party:
            badges.append(Badge("waiting", "waiting for a third party"))
        for promise in self.promises:
            if promise.request_id == request.id:
                kind = "reply" if promise.kind == PromiseKind.ANSWER else "commitment"
                by = self.times.by(promise.due_at)
                late = promise.due_at < self.times.now
                label = f"{kind} overdue since {by}" if late else f"{kind} due {by}"
                badges.append(Badge("late" if late else "promise", label))
        return badges
