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
    """A browser on which one customer is trusted, after the code sent to this address.

    A browser that a family shares has a row for each of them, with one secret, of which only
    the hash is stored.
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
    """A secret for the browser: 256 bits, so a hash without salt is safe."""
    return secrets.token_urlsafe(SECRET_BYTES)


def hash_device_secret(secret: str) -> str:
    """The stored hash of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
