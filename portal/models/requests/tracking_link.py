"""A tracking link: a random token for one request."""

import secrets
from datetime import datetime

from sqlmodel import Field, SQLModel

from portal.models.columns import foreign_key_column, primary_key, timestamp_column

TOKEN_BYTES = 16
"""128 random bits cannot be guessed; their 22 letters fit a text."""
TOKEN_LENGTH = 22


class TrackingLink(SQLModel, table=True):
    """Opens one request's page until it is revoked."""

    __tablename__ = "tracking_link"

    id: int | None = primary_key()
    request_id: int = foreign_key_column("service_request.id", index=True)
    # Serves: every view of a page.
    token: str = Field(
        default_factory=lambda: secrets.token_urlsafe(TOKEN_BYTES), unique=True, max_length=64
    )
    created_at: datetime = timestamp_column()
    revoked_at: datetime | None = timestamp_column(nullable=True)
