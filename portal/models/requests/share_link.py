"""A share link: a random token that shows the timeline of one request, and nothing else."""

import secrets
from datetime import datetime

from sqlmodel import Field, SQLModel

from portal.models.columns import foreign_key_column, primary_key, timestamp_column
from portal.models.requests.tracking_link import TOKEN_BYTES


class ShareLink(SQLModel, table=True):
    """Shows one request's timeline to whoever the customer gives it, until it is ended.

    It ends with the tracking link from which it was made. A table of its own, so that no query for
    tracking links ever finds one.
    """

    __tablename__ = "share_link"

    id: int | None = primary_key()
    request_id: int = foreign_key_column("service_request.id", index=True)
    # Serves: every view of a shared page.
    token: str = Field(
        default_factory=lambda: secrets.token_urlsafe(TOKEN_BYTES), unique=True, max_length=64
    )
    created_at: datetime = timestamp_column()
    ended_at: datetime | None = timestamp_column(nullable=True)
