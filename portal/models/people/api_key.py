"""The API key of another system, and the stored responses of its repeated calls."""

import secrets
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal.models.columns import foreign_key_column, primary_key, text_column, timestamp_column
from portal.models.people.actor import Actor, ActorKind
from portal.models.people.staff_member import hash_token


class ApiKey(SQLModel, table=True):
    """An API key. It is shown once when it is made; only its hash is stored."""

    __tablename__ = "api_key"

    id: int | None = primary_key()
    name: str = Field(unique=True, max_length=120)
    hash: str = Field(unique=True, max_length=64)
    created_at: datetime = timestamp_column()
    revoked_at: datetime | None = timestamp_column(nullable=True)

    @classmethod
    def make(cls, name: str, now: datetime) -> tuple["ApiKey", str]:
        """A new key and its secret, which is not stored."""
        secret = f"kept_{secrets.token_urlsafe(24)}"
        return cls(name=name, hash=hash_token(secret), created_at=now), secret

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
