"""A browser that shows a customer's news as notifications, instead of texts."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from portal.models.columns import (
    foreign_key_column,
    primary_key,
    text_column,
    timestamp_column,
)

MAX_SUBSCRIPTIONS = 5
"""Of one customer; a further one replaces the oldest."""


class PushSubscription(SQLModel, table=True):
    """One browser's subscription. Whoever has all of it can only notify; the endpoint is a secret.

    It stands in for texts to the customer's number, so a stop from that number ends it too.
    """

    __tablename__ = "push_subscription"

    id: int | None = primary_key()
    # Serves: whom a text is for (delivery).
    customer_id: int = foreign_key_column("customer.id", index=True)
    endpoint: str = Field(unique=True, max_length=1_000)
    p256dh: str = text_column(100)
    auth: str = text_column(40)
    # Our public key under which it was made.
    public_key: str = text_column(100)
    created_at: datetime = timestamp_column()
