"""The API key of another system, and the stored responses of its repeated calls."""

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal.models.columns import foreign_key_column, primary_key, text_column, timestamp_column
from portal.models.people.actor import Actor, ActorKind
from portal.models.people.staff_member import hash_token


class ApiScope(StrEnum):
    """What a key can be used for.

    ``act_as_staff`` is for ``by``, a person named in a call, in addition to what the call needs.
    """

    READ = "read"
    OPEN = "open"
    ACT = "act"
    ACT_AS_STAFF = "act_as_staff"


KEY_LIFETIME = timedelta(days=365)
"""How long a key is valid where nothing else is asked for."""
USE_RECORD_INTERVAL = timedelta(hours=1)
"""The last use of a key is written at most this often."""


class ApiKey(SQLModel, table=True):
    """An API key. It is shown once when it is made; only its hash is stored.

    ``scopes`` are separated by spaces. A key without ``expires_at`` does not expire.
    """

    __tablename__ = "api_key"

    id: int | None = primary_key()
    name: str = Field(unique=True, max_length=120)
    hash: str = Field(unique=True, max_length=64)
    scopes: str = text_column(200)
    created_at: datetime = timestamp_column()
    expires_at: datetime | None = timestamp_column(nullable=True)
    last_used_at: datetime | None = timestamp_column(nullable=True)
    revoked_at: datetime | None = timestamp_column(nullable=True)

    @classmethod
    def make(
        cls,
        name: str,
        now: datetime,
        scopes: Collection[ApiScope] = tuple(ApiScope),
        lifetime: timedelta | None = KEY_LIFETIME,
    ) -> tuple["ApiKey", str]:
        """A new key and its secret, which is not stored. ``lifetime`` None: it does not expire."""
        secret = f"kept_{secrets.token_urlsafe(24)}"
        key = cls(
            name=name,
            hash=hash_token(secret),
            scopes=" ".join(scope for scope in ApiScope if scope in scopes),
            created_at=now,
            expires_at=now + lifetime if lifetime else None,
        )
        return key, secret

    def has_scope(self, scope: ApiScope) -> bool:
        """Whether the key can be used for this."""
        return scope in self.scopes.split()

    def is_expired(self, now: datetime) -> bool:
        """Whether the time of the key has passed."""
        return self.expires_at is not None and self.expires_at <= now

    def is_use_to_record(self, now: datetime) -> bool:
        """Whether the last recorded use is so long ago that this one is recorded."""
        return self.last_used_at is None or now - self.last_used_at >= USE_RECORD_INTERVAL

    @property
    def actor(self) -> Actor:
        """The key as the actor of an event."""
        return Actor(ActorKind.API, self.name)


class IdempotentResponse(SQLModel, table=True):
    """The response to a call with an ``Idempotency-Key``, returned again for 24 hours."""

    __tablename__ = "idempotent_response"
    __table_args__ = (sa.UniqueConstraint("api_key_id", "idempotency_key"),)

    id: int | None = primary_key()
    api_key_id: int = foreign_key_column("api_key.id")
    idempotency_key: str = Field(max_length=255)
    body_hash: str = text_column(64)
    status: int = 200
    body: str = text_column()
    # Serves: the sweep that forgets old answers.
    created_at: datetime = timestamp_column(index=True)
