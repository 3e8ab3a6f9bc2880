"""A reply that a department keeps at hand, with fields for the request's facts."""

from datetime import datetime

from sqlmodel import SQLModel

from portal.models.columns import moment, primary_key, refers_to, words


class CannedReply(SQLModel, table=True):
    """Words to start from; of one department, or with none of everybody."""

    __tablename__ = "canned_reply"

    id: int | None = primary_key()
    # Serves: what is at hand in a department.
    department_id: int | None = refers_to("department.id", index=True, nullable=True)
    title: str = words(80)
    body: str = words()
    # What customers' words it suits best (a reason of a Contact), if one.
    reason: str = words(32)
    written_by: str = words(120)
    created_at: datetime = moment()
    retired_at: datetime | None = moment(nullable=True)
