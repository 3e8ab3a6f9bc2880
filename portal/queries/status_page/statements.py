"""The statements of the status page, compiled once for the database's driver.

Everything that a page shows is read by one statement, so that all of it is of one moment.
"""

from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import SQLModel, col

from portal.models import (
    Attachment,
    Customer,
    Department,
    Event,
    EventKind,
    FollowUp,
    Handoff,
    Message,
    Promise,
    PromiseKind,
    ServiceRequest,
    StaffMember,
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
        owner, request_owner, assignee = (
            sa.select(col(StaffMember.name))
            .where(col(StaffMember.id) == owner_id)
            .scalar_subquery()
            for owner_id in (
                col(Promise.owner_id),
                col(ServiceRequest.owner_id),
                col(StageRun.assignee_id),
            )
        )
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
            request_owner,
            self._rows(StageRun, RunRow, assignee=assignee),
            self._rows(Handoff, HandoffRow, col(Handoff.closed_at).is_(None)),
            self._rows(Promise, PromiseRow, *_visible_promises(), owner=owner),
            self._rows(FollowUp, FollowUpRow, fields=sa.cast(col(FollowUp.fields), sa.Text)),
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
        ]  # fmt: skip

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
