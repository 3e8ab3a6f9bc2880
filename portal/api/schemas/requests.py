"""The response models of a request: its stages, its handoffs, its owner."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from portal.api.schemas.base import PageResponse, ResponseModel, StaffReference
from portal.api.schemas.records import FollowUpResponse
from portal.models import (
    Channel,
    FollowUp,
    Handoff,
    RequestStatus,
    ServiceRequest,
    StageRun,
    ThirdPartyCode,
)
from portal.models.requests.request_status import UNCONFIRMED
from portal.queries.names import Names
from portal.rules.arrival import Arrival, arrival_of
from portal.rules.stages.stage_timeline import StageStep, StepState, timeline_of

StageState = Literal["upcoming", "waiting_acceptance", "open", "done", "cancelled"]
HandoffState = Literal["waiting", "accepted", "refused", "recalled", "void"]

STAGE_STATES: dict[StepState, StageState] = {
    "upcoming": "upcoming",
    "skipped": "upcoming",
    "handed_off": "waiting_acceptance",
    "current": "open",
    "paused": "open",
    "done": "done",
    "ended": "cancelled",
}
"""The API's name for the state of a stage; ``paused`` is a field of its own."""


class CustomerResponse(ResponseModel):
    """The customer of a request, with the addresses that may be used now."""

    name: str
    phone: str | None = Field(description="E.164")
    email: str | None
    locale: str
    timezone: str


class StageResponse(ResponseModel):
    """A stage of the workflow, with the values of the run that counts."""

    columns: ClassVar[Mapping[str, str]] = {"heard_at": "third_party_updated_at"}

    key: str
    name: str
    title: str = Field(description="What the customer reads, in their language.")
    department: str
    department_name: str
    state: StageState
    passage: int = Field(description="How often it has been opened; 0 before the first time.")
    opened_at: datetime | None = None
    reached_at: datetime | None = None
    completed_at: datetime | None = None
    due_at: datetime | None = None
    late: bool = Field(default=False, description="Open and past its due time and its grace.")
    paused: bool = Field(default=False, description="Its clock stands still.")
    assignee: StaffReference | None = None
    note: str = ""
    third_party: str = Field(default="", description="Who does it for us, such as a courier.")
    tracking_number: str = ""
    third_party_code: ThirdPartyCode | None = Field(
        default=None, description="How far they are by their last report."
    )
    heard_at: datetime | None = Field(default=None, description="When they last said something.")

    @classmethod
    def of(
        cls, step: StageStep[StageRun, Handoff, FollowUp], request: ServiceRequest, names: Names,
        now: datetime,
    ) -> Self:  # fmt: skip
        """The stage as it is in this request."""
        stage = step.stage
        values: dict[str, Any] = {
            "key": stage.key,
            "name": stage.name,
            "title": stage.title.in_language(request.customer.locale),
            "department": stage.department,
            "department_name": names.department_of(stage.department).name,
            "state": STAGE_STATES[step.state],
            "passage": sum(run.stage_key == stage.key for run in request.runs),
        }
        if step.facts is None:
            return cls(**values)
        run = step.facts.run
        return cls.from_object(
            run,
            **values,
            late=run.is_overdue(now),
            paused=run.is_paused,
            assignee=StaffReference.of(names, run.assignee_id),
        )


class HandoffResponse(ResponseModel):
    """A move from one department to the next; ``void`` when its stage was undone before an answer."""

    stage: str
    from_: str = Field(alias="from")
    to: str
    state: HandoffState
    sent_at: datetime
    accept_by: datetime | None
    accepted_at: datetime | None
    refused_at: datetime | None
    refused_reason: str
    recalled_at: datetime | None
    note: str = Field(description="From the sender to whoever takes it up.")

    @classmethod
    def of(cls, handoff: Handoff, names: Names) -> Self:
        """The handoff, with its departments by key."""
        return cls.from_object(
            handoff,
            stage=handoff.run.stage_key,
            from_=names.department_key(handoff.from_department_id),
            to=names.department_key(handoff.to_department_id),
            state=_handoff_state(handoff),
        )


class HoldResponse(ResponseModel):
    """Why a stage is on hold, and until when."""

    stage: str
    reason: str
    until: datetime | None


class ArrivalResponse(ResponseModel):
    """When the whole request should be done: a date, or how long it takes after a wait."""

    label: str = Field(description='What the customer reads before the date: "With you by".')
    by: datetime | None
    usually_by: datetime | None = Field(description="By when half of similar requests are done.")
    previous_by: datetime | None = Field(description="The date given before it moved to `by`.")
    seconds_after_wait: int | None = Field(description="Without a date: how long after the wait.")

    @classmethod
    def of(cls, arrival: Arrival, request: ServiceRequest) -> Self:
        """The arrival, with its label in the customer's language."""
        label, duration = request.definition.arrives, arrival.duration
        return cls(
            label=label.in_language(request.customer.locale) if label else "Ready by",
            by=arrival.by,
            usually_by=arrival.usually_by,
            previous_by=arrival.previous_by,
            seconds_after_wait=int(duration.total_seconds()) if duration else None,
        )


class RequestResponse(ResponseModel):
    """A request with its stages, handoffs and people."""

    link_fields: ClassVar[Collection[str]] = ("status_url",)

    id: int
    reference: str
    status_url: str | None = Field(
        description="The customer's page; null once revoked, and when a key without `act` reads."
    )
    status: RequestStatus
    workflow: str
    workflow_version: int
    title: str
    external_id: str | None
    fields: dict[str, Any]
    customer: CustomerResponse
    stages: list[StageResponse]
    open_stages: list[str]
    handoffs: list[HandoffResponse]
    department: str = Field(description="The key of the one that has it.")
    department_name: str
    owner: StaffReference | None
    coordinator: StaffReference | None = Field(description="Named while several stages are open.")
    question: FollowUpResponse | None = Field(description="Asked and not yet answered.")
    hold: HoldResponse | None
    waits_for: str = Field(
        description='Whose turn it is: "customer", or a third party by its name; empty where ours.'
    )
    ask: str = Field(description="What the customer does: files, come, decide or time; or empty.")
    arrival: ArrivalResponse | None = Field(description="Null where late, or nothing is left.")
    unanswered_since: datetime | None = Field(description="Since when the customer waits for us.")
    version: int
    page_version: int
    opened_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    close_reason: str
    warning: str = Field(
        description="Where the date given is earlier than half of its like are done by; else empty."
    )

    @classmethod
    def of(
        cls, request: ServiceRequest, names: Names, public_url: str | None, now: datetime
    ) -> Self:
        """The request, which is loaded whole; without ``public_url`` it has no ``status_url``."""
        link = request.live_link
        question = request.open_question
        timeline = timeline_of(request, lambda key: names.department_of(key).calendar, now)
        arrival = arrival_of(timeline)
        return cls.from_object(
            request,
            status_url=f"{public_url}/r/{link.token}" if link and public_url else None,
            workflow=request.workflow.key,
            workflow_version=request.workflow.version,
            customer=_customer(request, now),
            stages=[
                StageResponse.of(timeline.stage_step(stage), request, names, now)
                for stage in request.definition.stages
            ],
            open_stages=[run.stage_key for run in request.open_runs],
            handoffs=[HandoffResponse.of(handoff, names) for handoff in request.handoffs],
            department=names.department_key(request.department_id),
            department_name=names.departments[request.department_id].name,
            owner=StaffReference.of(names, request.owner_id),
            coordinator=StaffReference.of(names, request.coordinator_id),
            question=FollowUpResponse.of(question, question.run) if question else None,
            hold=_hold(request),
            waits_for=_waits_for(request),
            ask=_ask(request),
            arrival=ArrivalResponse.of(arrival, request) if arrival else None,
            close_reason=UNCONFIRMED if request.closed_unconfirmed else request.close_reason,
            warning=_warning(request),
        )


class RequestList(PageResponse[RequestResponse]):
    """Requests, newest first."""


def _handoff_state(handoff: Handoff) -> HandoffState:
    if handoff.is_pending:
        return "waiting"
    if handoff.accepted_at:
        return "accepted"
    if handoff.recalled_at:
        return "recalled"
    return "refused" if handoff.refused_at else "void"


def _customer(request: ServiceRequest, now: datetime) -> CustomerResponse:
    customer = request.customer
    return CustomerResponse.from_object(
        customer,
        phone=customer.address(Channel.SMS, now),
        email=customer.address(Channel.EMAIL, now),
    )


def _hold(request: ServiceRequest) -> HoldResponse | None:
    run = next((run for run in request.open_runs if run.held_at), None)
    if run is None:
        return None
    return HoldResponse(stage=run.stage_key, reason=run.hold_reason, until=run.hold_until)


def _waits_for(request: ServiceRequest) -> str:
    for run in request.open_runs:
        party = request.definition.stage(run.stage_key).third_party_awaited
        if run.held_at is None and run.waits_on_third_party and party is not None:
            return party.in_language(request.customer.locale)
    is_asked = request.open_question is not None
    return "customer" if is_asked or any(_awaits_customer(run) for run in request.open_runs) else ""


def _ask(request: ServiceRequest) -> str:
    stages = (
        request.definition.stage(run.stage_key)
        for run in request.open_runs
        if _awaits_customer(run)
    )
    return next((stage.customer_action for stage in stages if stage.customer_action), "")


def _awaits_customer(run: StageRun) -> bool:
    return run.waits_on_customer and run.held_at is None


def _warning(request: ServiceRequest) -> str:
    for run in request.open_runs:
        if run.is_date_unlikely and run.p50_at is not None:
            name = request.definition.stage(run.stage_key).name
            return f"{name}: this date is unlikely. Half are done by {run.p50_at:%Y-%m-%dT%H:%MZ}."
    return ""
