"""The statements of the status page, compiled once for the database's driver.

Everything that a page shows is read by one statement, so that all of it is of one moment.
"""

from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import SQLModel, col

from portal.models import (
    Attachment,
    Customer,
    Department,
    Event,
    EventKind,
    FollowUp,
    FollowUpState,
    Handoff,
    Message,
    Need,
    Promise,
    PromiseKind,
    ServiceRequest,
    StaffMember,
    StaffPhoto,
    Stage,
    StageRun,
    TrackingLink,
    Workflow,
)
from portal.queries.status_page.rows import (
    AttachmentRow,
    DepartmentRow,
    FollowUpRow,
    HandoffRow,
    MessageRow,
    NeedRow,
    PromiseRow,
    RunRow,
    ThirdPartyUpdateRow,
)

THIRD_PARTY_UPDATED_KIND = EventKind.THIRD_PARTY_UPDATED


class StatusPageStatements:
    """The compiled statements of the status page, each with one parameter.

    ``group`` and ``array`` are the names of the database's JSON functions, the only difference
    between the databases.
    """

    def __init__(self, dialect: sa.Dialect, group: str, array: str) -> None:
        self._dialect = dialect
        self._group = getattr(sa.func, group)
        self._array = getattr(sa.func, array)
        token = sa.bindparam("token", type_=sa.String())
        is_live = (col(TrackingLink.token) == token, col(TrackingLink.revoked_at).is_(None))
        columns = [col(ServiceRequest.id), col(ServiceRequest.page_version), col(Customer.locale)]
        self.version = self._compiled(self._select_by_link(*columns).where(*is_live))
        self.page = self._compiled(self._select_by_link(*self._page()).where(*is_live))
        workflow_id = sa.bindparam("workflow_id", type_=sa.BigInteger())
        self.workflow = self._compiled(
            sa.select(col(Workflow.document)).where(col(Workflow.id) == workflow_id)
        )

    def _select_by_link(self, *columns: Any) -> sa.Select[Any]:
        return (
            sa.select(*columns)
            .select_from(TrackingLink)
            .join(ServiceRequest, col(ServiceRequest.id) == col(TrackingLink.request_id))
            .join(Customer, col(Customer.id) == col(ServiceRequest.customer_id))
        )

    def _page(self) -> list[Any]:
        request = (
            "id", "page_version", "workflow_id", "reference", "title", "status", "department_id",
            "closed_at", "close_reason", "closed_unconfirmed", "closed_by_customer",
        )  # fmt: skip
        customer = ("name", "locale", "timezone")
        in_workflow = (
            sa.select(col(Stage.department_id))
            .where(col(Stage.workflow_id) == col(ServiceRequest.workflow_id))
            .correlate(ServiceRequest)
        )
        in_conversation = (
            sa.select(col(Message.id))
            .where(col(Message.request_id) == col(ServiceRequest.id))
            .correlate(ServiceRequest)
        )
        return [
            *(sa.cast(getattr(ServiceRequest, name), sa.Text) if name.endswith("_at")
              else getattr(ServiceRequest, name) for name in request),
            *(getattr(Customer, name) for name in customer),
            _name_of(ServiceRequest.owner_id),
            self._rows(
                StageRun, RunRow,
                assignee=_name_of(StageRun.assignee_id),
                assignee_photo=_photo_of(StageRun.assignee_id),
                correction_by=_name_of(StageRun.correction_by_id),
            ),
            self._rows(Handoff, HandoffRow, col(Handoff.closed_at).is_(None)),
            self._rows(Promise, PromiseRow, *_visible_promises(), owner=_name_of(Promise.owner_id)),
            self._rows(
                FollowUp, FollowUpRow,
                fields=sa.cast(col(FollowUp.fields), sa.Text),
                is_for_visit=col(FollowUp.offered).is_not(None),
            ),
            self._rows(Need, NeedRow, **self._check_of_need()),
            self._rows(Message, MessageRow),
            self._rows(
                Attachment, AttachmentRow, col(Attachment.message_id).in_(in_conversation), own=False
            ),
            self._rows(
                # A literal: the token is the only parameter of the statement.
                Event, ThirdPartyUpdateRow, col(Event.kind) == sa.literal_column(f"'{THIRD_PARTY_UPDATED_KIND.value}'"),
                data=sa.cast(col(Event.data), sa.Text),
            ),
            self._rows(Department, DepartmentRow, col(Department.id).in_(in_workflow), own=False),
            self._booked_visits(),
            sa.cast(_answered_at(), sa.Text),
        ]  # fmt: skip

    def _booked_visits(self) -> Any:
        """The visits ahead of the department of the open question about a visit."""
        asking, asked_of = aliased(FollowUp), aliased(StageRun)
        other, run, request = aliased(FollowUp), aliased(StageRun), aliased(ServiceRequest)
        state: sa.ColumnElement[str] = sa.literal_column(f"'{FollowUpState.ASKED.value}'")
        is_open = (
            sa.select(col(asking.id))
            .join(asked_of, col(asked_of.id) == col(asking.run_id))
            .where(
                col(asking.request_id) == col(ServiceRequest.id),
                col(asking.state) == state,
                col(asking.offered).is_not(None),
                col(asked_of.department_id) == col(run.department_id),
                col(asking.asked_at) < col(other.answer_until),
            )
            .correlate(ServiceRequest, run, other)
            .exists()
        )
        return (
            sa.select(self._group(self._array(other.id, other.answer_at, other.answer_until)))
            .select_from(other)
            .join(run, col(run.id) == col(other.run_id))
            .join(request, col(request.id) == col(other.request_id))
            .where(col(other.answer_until).is_not(None), col(request.closed_at).is_(None), is_open)
            .correlate(ServiceRequest)
            .scalar_subquery()
        )

    def _check_of_need(self) -> dict[str, Any]:
        """Who asks for a correction, who checks an item by when, and the name of its first file."""
        promise = (
            sa.select(Promise)
            .where(col(Promise.id) == col(Need.promise_id), col(Promise.closed_at).is_(None))
            .correlate(Need)
        )
        file = (
            sa.select(sa.func.min(col(Attachment.name)))
            .where(col(Attachment.message_id) == col(Need.message_id))
            .correlate(Need)
        )
        return {
            "asked_by": _name_of(Need.asked_by_id),
            "owner": promise.with_only_columns(_name_of(Promise.owner_id)).scalar_subquery(),
            "due_at": promise.with_only_columns(col(Promise.due_at)).scalar_subquery(),
            "file": file.scalar_subquery(),
        }

    def _rows(
        self, table: type[SQLModel], row: Any, *where: Any, own: bool = True, **other: Any
    ) -> Any:
        """The table's rows, those of the request where ``own``, as one JSON array of arrays."""
        columns = [other.get(name, getattr(table, name, None)) for name in row.__slots__]
        query = sa.select(self._group(self._array(*columns))).select_from(table).where(*where)
        if own:
            query = query.where(table.request_id == col(ServiceRequest.id))  # type: ignore[attr-defined]
        return query.correlate(ServiceRequest).scalar_subquery()

    def _compiled(self, query: sa.Select[Any]) -> str:
        return str(query.compile(dialect=self._dialect))


def _answered_at() -> Any:
    """When the last promise of an answer was kept."""
    answer: sa.ColumnElement[str] = sa.literal_column(f"'{PromiseKind.ANSWER.value}'")
    return (
        sa.select(sa.func.max(col(Promise.kept_at)))
        .where(col(Promise.request_id) == col(ServiceRequest.id), col(Promise.kind) == answer)
        .correlate(ServiceRequest)
        .scalar_subquery()
    )


def _name_of(staff_id: Any) -> Any:
    """The name of the member of staff with this id."""
    query = sa.select(col(StaffMember.name)).where(col(StaffMember.id) == col(staff_id))
    return query.correlate_except(StaffMember).scalar_subquery()


def _photo_of(staff_id: Any) -> Any:
    """The digest of this person's photo; null where they have none."""
    query = sa.select(col(StaffPhoto.digest)).where(
        col(StaffPhoto.staff_member_id) == col(staff_id)
    )
    return query.correlate_except(StaffPhoto).scalar_subquery()


@cache
def compile_statements(dialect: sa.Dialect, group: str, array: str) -> StatusPageStatements:
    """The statements for this dialect, compiled once."""
    return StatusPageStatements(dialect, group, array)


def _visible_promises() -> tuple[Any, ...]:
    # Literals: the token is the only parameter of the statement.
    empty: sa.ColumnElement[str] = sa.literal_column("''")
    answer: sa.ColumnElement[str] = sa.literal_column(f"'{PromiseKind.ANSWER.value}'")
    is_open = col(Promise.closed_at).is_(None)
    return (
        col(Promise.is_told),
        col(Promise.closed_reason) == empty,
        is_open | (col(Promise.kind) != answer),
    )
