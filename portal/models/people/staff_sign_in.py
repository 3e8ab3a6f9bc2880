"""A sign-in of a person at the desk: the row decides whether its cookie still counts."""

import hashlib
import secrets
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Field, SQLModel

from portal.models.columns import (
    enum_column,
    foreign_key_column,
    primary_key,
    text_column,
    timestamp_column,
)

LAST_SEEN_INTERVAL = timedelta(minutes=5)
"""``last_seen_at`` is written at most once in this time."""
TOKEN_BYTES = 32


class SignInEnd(StrEnum):
    """Why a sign-in ended before its time."""

    SIGNED_OUT = "signed_out"
    SIGNED_OUT_EVERYWHERE = "signed_out_everywhere"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 (a reason)
    INVITED = "invited"
    DISABLED = "disabled"


class StaffSignIn(SQLModel, table=True):
    """A sign-in in one browser. The browser has the token; only its hash is stored.

    ``browser`` is a short label ("Firefox on Windows"), ``network`` the client's network
    (IPv4 /24, IPv6 /48), not its whole address.
    """

    __tablename__ = "staff_sign_in"

    id: int | None = primary_key()
    # Serves: the sign-ins of one person.
    staff_id: int = foreign_key_column("staff_member.id", index=True)
    token_hash: str = Field(unique=True, max_length=64)
    created_at: datetime = timestamp_column()
    last_seen_at: datetime = timestamp_column()
    browser: str = text_column(60)
    network: str = text_column(49)
    ended_at: datetime | None = timestamp_column(nullable=True)
    end_reason: SignInEnd | None = enum_column(SignInEnd, nullable=True)

    def expires_at(self, idle: timedelta, longest: timedelta) -> datetime:
        """When it expires where it is not used again; ``ended_at`` ends it at once."""
        return min(self.last_seen_at + idle, self.created_at + longest)

    def is_use_worth_noting(self, now: datetime) -> bool:
        """True once ``last_seen_at`` is LAST_SEEN_INTERVAL old."""
        return now - self.last_seen_at >= LAST_SEEN_INTERVAL

    def end(self, reason: SignInEnd, now: datetime) -> None:
        """End it; one that has ended keeps its reason."""
        if self.ended_at is None:
            self.ended_at, self.end_reason = now, reason


def new_sign_in_token() -> str:
    """A token for the browser: 256 bits, so a hash without salt is safe."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_sign_in_token(token: str) -> str:
    """The stored hash of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
