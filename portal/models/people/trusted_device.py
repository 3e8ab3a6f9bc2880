"""A browser that has shown that it belongs to a customer, so that no code is asked for again."""

import hashlib
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import SQLModel

from portal.models.columns import (
    enum_column,
    foreign_key_column,
    primary_key,
    text_column,
    timestamp_column,
)
from portal.models.people.customer import Channel

TRUST_DURATION = timedelta(days=90)
SECRET_BYTES = 32


class TrustedDevice(SQLModel, table=True):
    """One browser that one customer is known on, by the code that came to this address.

    A browser that a family shares has a row for each of them, under one secret; of the secret
    only its hash is kept.
    """

    __tablename__ = "trusted_device"
    __table_args__ = (
        # Serves: whose browser is this? (each page with something personal)
        sa.UniqueConstraint("secret_hash", "customer_id"),
        # Serves: forgetting all of a customer's.
        sa.Index("ix_trusted_device_customer", "customer_id"),
    )

    id: int | None = primary_key()
    customer_id: int = foreign_key_column("customer.id")
    secret_hash: str = text_column(64)
    channel: Channel = enum_column(Channel)
    address: str = text_column(254)
    created_at: datetime = timestamp_column()
    expires_at: datetime = timestamp_column()


def new_device_secret() -> str:
    """What the browser keeps: 256 bits, so that a hash without salt hides it."""
    return secrets.token_urlsafe(SECRET_BYTES)


def hash_device_secret(secret: str) -> str:
    """What we keep of it."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
