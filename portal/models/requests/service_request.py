"""A customer's request, and the changes that keep its columns consistent."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import WriteOnlyMapped, relationship
from sqlmodel import Field, Relationship, SQLModel

from portal.models.columns import (
    enum_column,
    foreign_key_column,
    json_column,
    partial_index,
    primary_key,
    text_column,
    timestamp_column,
)
from portal.models.people.actor import Actor, ActorKind
from portal.models.people.customer import Customer
from portal.models.people.department import Department
from portal.models.requests.event import Event, EventKind
from portal.models.requests.follow_up import FollowUp, FollowUpState
from portal.models.requests.handoff import Handoff
from portal.models.requests.need import Need, NeedState
from portal.models.requests.promise import Promise
from portal.models.requests.request_lookups import RequestLookups
from portal.models.requests.request_status import UNCONFIRMED, RequestStatus
from portal.models.requests.stage_run import StageRun
from portal.models.requests.tracking_link import TrackingLink
from portal.models.requests.workflow import Workflow


class ServiceRequest(RequestLookups, SQLModel, table=True):
    """One customer's request.

    Its progress is a set of StageRuns, since stages may run in parallel. Every open request has
    exactly one owner. ``version`` grows with each change that a rule depends on, ``page_version``
    with each change that the customer can see.
    """

    __tablename__ = "service_request"
    __table_args__ = (
        # Serves: open requests of a department, newest first (API list, desk).
        partial_index(
            "ix_service_request_department", "department_id", "id", where="closed_at IS NULL"
        ),
        # Serves: open requests of a person, whose account is not disabled while they have any.
        partial_index("ix_service_request_owner", "owner_id", "id", where="closed_at IS NULL"),
        # Serves: requests in which a ball may be dropped now (detection).
        partial_index(
            "ix_service_request_next_check", "next_check_at", where="next_check_at IS NOT NULL"
        ),
        # Serves: requests whose customer is due a message (delays, progress updates).
        partial_index(
            "ix_service_request_next_update", "next_update_at", where="next_update_at IS NOT NULL"
        ),
        # Serves: lists by status.
        sa.Index("ix_service_request_status", "status", "id"),
    )

    id: int | None = primary_key()
    # Serves: every API call and page that names a request.
    reference: str = Field(unique=True, max_length=32)
    workflow_id: int = foreign_key_column("workflow.id", index=True)
    # Serves: a customer's requests (routing a reply).
    customer_id: int = foreign_key_column("customer.id", index=True)
    title: str = text_column(200)
    # Serves: the same order sent twice by another system makes one request.
    external_id: str | None = Field(default=None, max_length=200, unique=True)
    fields: dict[str, Any] = json_column()
    status: RequestStatus = enum_column(RequestStatus, RequestStatus.OPEN)
    owner_id: int = foreign_key_column("staff_member.id")
    # Who answers for it while several stages are open in parallel.
    coordinator_id: int | None = foreign_key_column("staff_member.id", nullable=True)
    department_id: int = foreign_key_column("department.id")
    # When the oldest message of the customer came that nobody has answered.
    unanswered_since: datetime | None = timestamp_column(nullable=True)
    # What matters to this customer, for the next person who works on it.
    customer_note: str = text_column()
    # When a ball may be dropped next, and when the customer is due the next message.
    next_check_at: datetime | None = timestamp_column(nullable=True)
    next_update_at: datetime | None = timestamp_column(nullable=True)
    # When the customer was last sent a message about it.
    last_told_at: datetime | None = timestamp_column(nullable=True)
    # From when on it has been open far longer than comparable requests.
    overdue_age_at: datetime | None = timestamp_column(nullable=True)
    # Whether a dropped ball of it is open.
    has_open_ball: bool = False
    version: int = 1
    page_version: int = 1
    opened_at: datetime = timestamp_column()
    updated_at: datetime = timestamp_column()
    closed_at: datetime | None = timestamp_column(nullable=True)
    # Why it was closed, as a person wrote it.
    close_reason: str = text_column()
    # Whether it was closed because the customer did not answer the last question.
    closed_unconfirmed: bool = False
    # Whether the customer closed it, by a no or by withdrawing it.
    closed_by_customer: bool = False
    # When everything of its customer was removed; the rest serves the statistics.
    erased_at: datetime | None = timestamp_column(nullable=True)

    workflow: Workflow = Relationship(sa_relationship_kwargs={"lazy": "raise"})
    customer: Customer = Relationship(sa_relationship_kwargs={"lazy": "raise"})
    runs: list[StageRun] = Relationship(
        sa_relationship_kwargs={"lazy": "raise", "order_by": "StageRun.id"}
    )
    handoffs: list[Handoff] = Relationship(
        sa_relationship_kwargs={"lazy": "raise", "order_by": "Handoff.id"}
    )
    promises: list[Promise] = Relationship(
        sa_relationship_kwargs={"lazy": "raise", "order_by": "Promise.id"}
    )
    follow_ups: list[FollowUp] = Relationship(
        sa_relationship_kwargs={"lazy": "raise", "order_by": "FollowUp.id"}
    )
    needs: list[Need] = Relationship(
        sa_relationship_kwargs={"lazy": "raise", "order_by": "Need.id"}
    )
    links: list[TrackingLink] = Relationship(
        sa_relationship_kwargs={"lazy": "raise", "order_by": "TrackingLink.id"}
    )
    events: WriteOnlyMapped[Event] = Relationship(
        sa_relationship=relationship("Event", lazy="write_only", order_by="Event.id")
    )

    def record(
        self,
        kind: EventKind,
        actor: Actor,
        now: datetime,
        *,
        run: StageRun | None = None,
        visible: bool = True,
        bumps_version: bool = True,
        **data: Any,
    ) -> Event:
        """Add to the timeline, and to ``recorded_events``.

        ``visible`` is true for what the customer's page shows; the page's version then grows at
        the end of the operation. ``bumps_version`` is false for what no rule depends on, such as
        a message: a form that a colleague opened before it stays valid.
        """
        event = Event(
            at=now,
            kind=kind,
            visible=visible,
            stage_key=run.stage_key if run else None,
            run=run,
            department_id=run.department_id if run else None,
            actor_kind=actor.kind,
            actor_name=actor.name,
            actor_id=actor.staff_id,
            via_key=actor.via_key,
            data=data,
        )
        self.events.add(event)
        self.recorded_events.append(event)
        self.updated_at = now
        if bumps_version:
            self.version += 1
        return event

    @property
    def recorded_events(self) -> list[Event]:
        """The events recorded on this object and not yet taken, in order, flushed or not."""
        # SQLAlchemy makes objects of rows without an initializer: the list is made here.
        recorded: list[Event] = self.__dict__.setdefault("_recorded_events", [])
        return recorded

    def end(
        self,
        status: RequestStatus,
        actor: Actor,
        now: datetime,
        reason: str,
        department_of: Callable[[int], Department],
        *,
        unconfirmed: bool = False,
    ) -> Event:
        """Close the request as completed, declined or cancelled, with all that is open in it.

        ``unconfirmed``: the customer did not answer the last question.
        """
        for run in self.open_runs:
            run.cancel(now, department_of(run.department_id))
        for handoff in self.handoffs:
            if handoff.is_pending:
                handoff.void(now)
        for question in self.follow_ups:
            if question.is_pending:
                question.close(FollowUpState.WITHDRAWN, now)
        for need in self.needs:
            if need.is_to_send or need.state == NeedState.SENT:
                self.close_check_promise(need, now, "The request is closed.")
                need.state = NeedState.WITHDRAWN
        for promise in self.promises:
            if promise.is_open and not promise.outlives(status):
                promise.miss(now)
                self.record(
                    EventKind.PROMISE_MISSED, actor, now, visible=promise.is_told,
                    promise_id=promise.id, text=promise.text,
                )  # fmt: skip
        self.status = status
        self.closed_at = now
        self.close_reason, self.closed_unconfirmed = reason, unconfirmed
        self.closed_by_customer = actor.kind == ActorKind.CUSTOMER
        self.coordinator_id = None
        return self.record(
            EventKind(status.value), actor, now, reason=UNCONFIRMED if unconfirmed else reason
        )

    def close_check_promise(self, need: Need, now: datetime, reason: str) -> None:
        """Withdraw the open promise to check the item: nothing of it is to be checked any more."""
        for promise in self.promises:
            if promise.id is not None and promise.id == need.promise_id and promise.is_open:
                promise.withdraw(now, reason)

    def clear_ending(self) -> None:
        """Forget when and why the request was closed: it is open again."""
        self.closed_at, self.close_reason, self.closed_unconfirmed = None, "", False
        self.closed_by_customer = False

    def derive_state(self) -> None:
        """Derive what follows from the open stages: the status, the owner and the department."""
        runs = self.open_runs
        if not runs:
            return
        if self.closed_at is not None:
            self.clear_ending()
        if len(runs) == 1:
            self.coordinator_id = None
            self.owner_id = runs[0].assignee_id
            handoff = self.pending_handoff(runs[0])
            self.department_id = handoff.from_department_id if handoff else runs[0].department_id
        elif self.coordinator_id is None:
            self.coordinator_id = self.owner_id
        else:
            self.owner_id = self.coordinator_id
        if all(run.held_at for run in runs):
            self.status = RequestStatus.ON_HOLD
        elif all(run.waits_on_customer or run.held_at for run in runs):
            self.status = RequestStatus.WAITING_ON_CUSTOMER
        else:
            self.status = RequestStatus.OPEN
