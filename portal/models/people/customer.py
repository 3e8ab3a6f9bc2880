"""A customer, and the addresses at which they can be reached."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Relationship, SQLModel

from portal.models.columns import moment, primary_key, refers_to, word, words


class Channel(StrEnum):
    """The ways that words travel."""

    SMS = "sms"
    EMAIL = "email"
    WEB = "web"


class ContactPoint(SQLModel, table=True):
    """A phone (E.164) or e-mail (lower case). The same address may belong to several customers."""

    __tablename__ = "contact_point"
    __table_args__ = (
        sa.UniqueConstraint("customer_id", "channel", "address"),
        # Serves: whose number is this? (an inbound text, find my request, opening a request)
        sa.Index("ix_contact_point_address", "channel", "address"),
    )

    id: int | None = primary_key()
    customer_id: int = refers_to("customer.id")
    channel: Channel = word(Channel)
    address: str = words(254)
    verified_at: datetime | None = moment(nullable=True)
    valid_until: datetime | None = moment(nullable=True)


class Customer(SQLModel, table=True):
    """A person with a name, a locale, a time zone and preferences."""

    __tablename__ = "customer"

    id: int | None = primary_key()
    name: str = words(200)
    locale: str = words(16, default="en")
    timezone: str = words(64, default="UTC")
    prefers: Channel | None = word(Channel, nullable=True)
    merged_into_id: int | None = refers_to("customer.id", nullable=True)
    created_at: datetime = moment()

    contact_points: list[ContactPoint] = Relationship(
        sa_relationship_kwargs={
            "lazy": "raise",
            "order_by": "ContactPoint.id",
            "cascade": "save-update, merge",
        }
    )

    @property
    def first_name(self) -> str:
        """The first word of the name: all that a text or a shared link ever says of the person."""
        return self.name.split()[0] if self.name.split() else self.name

    def address(self, channel: Channel, now: datetime) -> str | None:
        """Where this customer is reached by that channel; the newest still valid one, or None."""
        valid = self.addresses(channel, now)
        return valid[-1] if valid else None

    def addresses(self, channel: Channel, now: datetime) -> list[str]:
        """Every address of that channel that is still valid, the newest last."""
        return [
            point.address
            for point in self.contact_points
            if point.channel == channel and (point.valid_until is None or now < point.valid_until)
        ]

    def channels(self) -> list[Channel]:
        """The channels to try, the preferred first; a text where nothing was chosen."""
        order = [Channel.SMS, Channel.EMAIL]
        if self.prefers in order:
            order.sort(key=lambda channel: channel != self.prefers)
        return order
