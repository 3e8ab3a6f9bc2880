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

    words: TimeFormatter
    departments: Mapping[int, Department]
    people: Mapping[int, StaffMember]
    quotes: Mapping[int, str] = field(default_factory=dict)
    promises: Sequence[Promise] = ()

    def handed(self, found: IncomingHandoff) -> BoardRow:
        """An incoming handoff: with its sender, and the button that accepts it."""
        handoff, run, request, customer, stage = found
        by = handoff.accept_by
        behind = by is not None and by < self.words.now
        return BoardRow(
            **self._basics(request, customer),
            stage=stage,
            owner=self._person(run.assignee_id),
            since=since(self.words, handoff.sent_at),
            due=due(self.words, by, late=behind) if by else None,
            badges=self._marks(request, run),
            accept_stage=run.stage_key,
            sent_by=self.departments[handoff.from_department_id].name,
        )

    def owed(self, found: OwedReply) -> BoardRow:
        """A reply due: with the customer's message and the due time."""
        promise, request, customer = found
        return BoardRow(
            **self._basics(request, customer),
            stage=STATUS_LABELS[request.status],
            owner=self._person(promise.owner_id),
            since=since(self.words, request.unanswered_since or promise.made_at),
            due=due(self.words, promise.due_at, late=promise.due_at < self.words.now),
            badges=[Badge("waiting", "call-back due")] if promise.kind == PromiseKind.CALL else (),
            quote=truncate_quote(self.quotes.get(saved_id(request), "")),
        )

    def worked(self, found: OpenWork) -> BoardRow:
        """An open stage that the department has."""
        run, request, customer, stage = found
        return BoardRow(
            **self._basics(request, customer),
            stage=stage,
            owner=self._person(run.assignee_id),
            since=since(self.words, run.reached_at or run.opened_at),
            due=due(self.words, run.due_at, late=run.is_overdue(self.words.now)),
            badges=self._marks(request, run),
        )

    def confirming(self, found: RequestToConfirm) -> BoardRow:
        """A request that awaits the customer's confirmation."""
        request, customer = found
        return BoardRow(
            **self._basics(request, customer),
            stage=STATUS_LABELS[request.status],
            owner=self._person(request.owner_id),
            since=since(self.words, request.updated_at),
            due=None,
            badges=self._marks(request, None),
        )

    def found(self, request: ServiceRequest) -> BoardRow:
        """A search result, of any department."""
        runs = request.open_runs
        soonest = min(runs, key=lambda run: run.due_at, default=None)
        names = [request.definition.stage(run.stage_key).name for run in runs]
        late = soonest is not None and soonest.is_overdue(self.words.now)
        return BoardRow(
            **self._basics(request, request.customer.name),
            stage=", ".join(names) or STATUS_LABELS[request.status],
            owner=self._person(request.owner_id),
            since=since(self.words, request.opened_at),
            due=due(self.words, soonest.due_at, late=late) if soonest else None,
            badges=self._marks(request, soonest),
        )

    def _basics(self, request: ServiceRequest, customer: str) -> dict[str, Any]:
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

    def _marks(self, request: ServiceRequest, run: StageRun | None) -> list[Badge]:
        badges = []
        if run is not None and run.held_at:
            until = f" until {self.words.by(run.hold_until)}" if run.hold_until else ""
            badges.append(Badge("hold", f"on hold{until}"))
        elif run is not None and run.waits_on_customer:
            badges.append(Badge("waiting", "waiting for the customer"))
        for promise in self.promises:
            if promise.request_id == request.id:
                kind = "reply" if promise.kind == PromiseKind.ANSWER else "commitment"
                by = self.words.by(promise.due_at)
                behind = promise.due_at < self.words.now
                words = f"{kind} overdue since {by}" if behind else f"{kind} due {by}"
                badges.append(Badge("late" if behind else "promise", words))
        return badges
