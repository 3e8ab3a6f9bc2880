"""A customer's matter, and the rules by which it moves through the organisation."""

import re
import secrets
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import WriteOnlyMapped, relationship
from sqlmodel import Field, Relationship, SQLModel

from portal.errors import BadInput, Conflict, VersionConflict
from portal.models.columns import (
    enum_column,
    foreign_key_column,
    json_column,
    primary_key,
    text_column,
    timestamp_column,
)
from portal.models.people.actor import Actor
from portal.models.people.customer import Customer
from portal.models.people.department import Department
from portal.models.requests.event import Event, EventKind
from portal.models.requests.follow_up import FollowUp, FollowUpState
from portal.models.requests.handoff import Handoff
from portal.models.requests.promise import Promise
from portal.models.requests.stage_run import StageRun
from portal.models.requests.tracking_link import TrackingLink
from portal.models.requests.workflow import Workflow
from portal.workflows import StageDefinition, WorkflowDefinition

REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Letters and digits that nobody mistakes when reading them out: no 0/O, 1/I/L, U/V."""


REFERENCE_PATTERN = re.compile(
    rf"\b[A-Z0-9]{{1,8}}-[{REFERENCE_ALPHABET}]{{4}}-[{REFERENCE_ALPHABET}]{{3}}\b"
)
"""What a reference looks like within a text."""


class RequestStatus(StrEnum):
    """What a customer, a colleague and another system call the state of a request."""

    OPEN = "open"
    WAITING_ON_CUSTOMER = "waiting_on_customer"
    ON_HOLD = "on_hold"
    AWAITING_CONFIRMATION = "awaiting_confirmation"
    COMPLETED = "completed"
    DECLINED = "declined"
    CANCELLED = "cancelled"


CLOSED_STATUSES = frozenset(
    {RequestStatus.COMPLETED, RequestStatus.DECLINED, RequestStatus.CANCELLED}
)


def new_reference(prefix: str) -> str:
    """A public reference such as ``CARD-7K4M-2Q9``: 30**7 of them for each prefix."""
    letters = "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(7))
    return f"{prefix}-{letters[:4]}-{letters[4:]}"


class ServiceRequest(SQLModel, table=True):
    """One customer's matter.

    Its progress is a set of StageRuns, since stages may run side by side. Every open request has
    exactly one owner. ``version`` grows with each change that a rule depends on, ``page_version``
    with each change that the customer can see.
    """

    __tablename__ = "service_request"
    __table_args__ = (
        # Serves: what is under way in a department, newest change first (API list, desk).
        sa.Index(
            "ix_service_request_department",
            "department_id",
            "id",
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        ),
        # Serves: a person's requests, and "nobody leaves with work in hand".
        sa.Index(
            "ix_service_request_owner",
            "owner_id",
            "id",
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        ),
        # Serves: requests of which something may slip now (the watch).
        sa.Index(
            "ix_service_request_next_check",
            "next_check_at",
            sqlite_where=sa.text("next_check_at IS NOT NULL"),
            postgresql_where=sa.text("next_check_at IS NOT NULL"),
        ),
        # Serves: requests whose customer is to hear from us now (delays, "still on it").
        sa.Index(
            "ix_service_request_next_update",
            "next_update_at",
            sqlite_where=sa.text("next_update_at IS NOT NULL"),
            postgresql_where=sa.text("next_update_at IS NOT NULL"),
        ),
        # Serves: lists by status.
        sa.Index("ix_service_request_status", "status", "id"),
    )

    id: int | None = primary_key()
    # Serves: every call and page that names a request.
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
    # Who answers for it while several stages are open side by side.
    coordinator_id: int | None = foreign_key_column("staff_member.id", nullable=True)
    department_id: int = foreign_key_column("department.id")
    # When a customer's words came that nobody has answered yet.
    unanswered_since: datetime | None = timestamp_column(nullable=True)
    # What matters to this customer, for whoever takes it over.
    customer_note: str = text_column()
    # When something of it may slip next, and when its customer must next hear from us.
    next_check_at: datetime | None = timestamp_column(nullable=True)
    next_update_at: datetime | None = timestamp_column(nullable=True)
    # When the customer was last told anything of it.
    last_told_at: datetime | None = timestamp_column(nullable=True)
    # From when on it has been open far longer than its like.
    overdue_age_at: datetime | None = timestamp_column(nullable=True)
    # Whether something that slipped is still before a person.
    has_open_ball: bool = False
    version: int = 1
    page_version: int = 1
    opened_at: datetime = timestamp_column()
    updated_at: datetime = timestamp_column()
    closed_at: datetime | None = timestamp_column(nullable=True)
    close_reason: str = text_column()

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
    links: list[TrackingLink] = Relationship(
        sa_relationship_kwargs={"lazy": "raise", "order_by": "TrackingLink.id"}
    )
    events: WriteOnlyMapped[Event] = Relationship(
        sa_relationship=relationship("Event", lazy="write_only", order_by="Event.id")
    )

    @property
    def definition(self) -> WorkflowDefinition:
        """The workflow version that this request follows to its end."""
        return self.workflow.definition

    def title_in(self, locale: str | None) -> str:
        """What it is called to its customer in this language."""
        return self.definition.title_in(self.title, locale)

    @property
    def is_closed(self) -> bool:
        """True once it is completed, declined or cancelled."""
        return self.status in CLOSED_STATUSES

    @property
    def open_runs(self) -> list[StageRun]:
        """The stages that are open now, in the order of their opening."""
        return [run for run in self.runs if run.is_open]

    @property
    def open_question(self) -> FollowUp | None:
        """The newest question that the customer has not answered."""
        return next((f for f in reversed(self.follow_ups) if f.is_asked), None)

    @property
    def live_link(self) -> TrackingLink | None:
        """The newest link that still opens the page."""
        return next((one for one in reversed(self.links) if one.revoked_at is None), None)

    def pending_handoff(self, run: StageRun) -> Handoff | None:
        """The handoff by which this run waits to be taken up, if it does."""
        return next((h for h in self.handoffs if h.run is run and h.is_pending), None)

    def get_open_run(self, stage: str | None) -> StageRun:
        """The open stage meant. Raises BadInput for an unknown key, Conflict where it is not open.

        Without a key the only open one is meant; with several open, one must be named.
        """
        runs = self.open_runs
        if stage is not None:
            self.check_stage(stage)
            runs = [run for run in runs if run.stage_key == stage]
            if not runs:
                raise Conflict(f"The stage {stage!r} is not open now.")
        if not runs:
            raise Conflict(f"No stage of {self.reference} is open: it is {self.status_text}.")
        if len(runs) > 1:
            keys = ", ".join(run.stage_key for run in runs)
            raise BadInput(
                f"Several stages are open: {keys}. Say which one is meant.",
                fields={"stage": f"one of {keys}"},
            )
        return runs[0]

    @property
    def status_text(self) -> str:
        """The status as a person says it."""
        return self.status.value.replace("_", " ")

    def check_stage(self, stage: str) -> StageDefinition:
        """The stage by its key. Raises BadInput when this workflow has none."""
        try:
            return self.definition.stage(stage)
        except KeyError:
            keys = ", ".join(one.key for one in self.definition.stages)
            raise BadInput(
                f"This workflow has no stage {stage[:64]!r}. It has {keys}.",
                fields={"stage": f"one of {keys}"},
            ) from None

    def check_version(self, version: int | None) -> None:
        """Raises Stale when somebody changed the request after ``version`` was read."""
        if version is not None and version != self.version:
            raise VersionConflict(
                f"{self.reference} has changed since you looked at it. "
                "Please look again: nothing was done."
            )

    def require_open(self) -> None:
        """Raises Conflict when it has ended."""
        if self.is_closed:
            raise Conflict(f"{self.reference} is {self.status_text}. Reopen it first.")

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
    ) -> Event:
        """Close it as completed, declined or cancelled: nothing stays open behind it."""
        for run in self.open_runs:
            run.cancel(now, department_of(run.department_id))
        for handoff in self.handoffs:
            if handoff.is_pending:
                handoff.void(now)
        for question in self.follow_ups:
            if question.is_pending:
                question.close(FollowUpState.WITHDRAWN, now)
        for promise in self.promises:
            # What is still owed when all is done stays owed, and watched.
            if promise.is_open and status != RequestStatus.COMPLETED:
                promise.miss(now)
                self.record(
                    EventKind.PROMISE_MISSED, actor, now, visible=promise.is_told,
                    promise_id=promise.id, text=promise.text,
                )  # fmt: skip
        self.status = status
        self.closed_at = now
        self.close_reason = reason
        self.coordinator_id = None
        return self.record(EventKind(status.value), actor, now, reason=reason)

    def derive_state(self) -> None:
        """Derive what follows from the open stages: the status, the owner and the department."""
        runs = self.open_runs
        if not runs:
            return
        self.closed_at, self.close_reason = None, ""
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
