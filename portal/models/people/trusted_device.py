"""A browser that has shown that it belongs to a customer, so that no code is asked for again."""

import hashlib
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import SQLModel

from portal.models.columns import moment, primary_key, refers_to, word, words
from portal.models.people.customer import Channel

REMEMBERED = timedelta(days=90)
SECRET_BYTES = 32


class KnownDevice(SQLModel, table=True):
    """One browser that one customer is known on, by the code that came to this address.

    A browser that a family shares has a row for each of them, under one secret; of the secret
    only its hash is kept.
    """

    __tablename__ = "known_device"
    __table_args__ = (
        # Serves: whose browser is this? (each page with something personal)
        sa.UniqueConstraint("secret_hash", "customer_id"),
        # Serves: forgetting all of a customer's.
        sa.Index("ix_known_device_customer", "customer_id"),
    )

    id: int | None = primary_key()
    customer_id: int = refers_to("customer.id")
    secret_hash: str = words(64)
    channel: Channel = word(Channel)
    address: str = words(254)
    made_at: datetime = moment()
    expires_at: datetime = moment()


def new_secret() -> str:
    """What the browser keeps: 256 bits, so that a hash without salt hides it."""
    return secrets.token_urlsafe(SECRET_BYTES)


def hash_secret(secret: str) -> str:
    """What we keep of it."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
