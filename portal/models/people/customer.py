"""A customer, and the addresses at which they can be reached."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Relationship, SQLModel

from portal.business_time import zone_or_utc
from portal.models.columns import (
    enum_column,
    foreign_key_column,
    primary_key,
    text_column,
    timestamp_column,
)
from portal.models.people.given_name import given_name
from portal.settings import QuietHours


class Channel(StrEnum):
    """The channels of messages."""

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
    customer_id: int = foreign_key_column("customer.id")
    channel: Channel = enum_column(Channel)
    address: str = text_column(254)
    verified_at: datetime | None = timestamp_column(nullable=True)
    valid_until: datetime | None = timestamp_column(nullable=True)


class Customer(SQLModel, table=True):
    """A person with a name, a locale, a time zone and preferences."""

    __tablename__ = "customer"

    id: int | None = primary_key()
    name: str = text_column(200)
    locale: str = text_column(16, default="en")
    timezone: str = text_column(64, default="UTC")
    preferred_channel: Channel | None = enum_column(Channel, nullable=True)
    # Their own quiet hours, in their zone, as the setting is written ("21:00-08:00"); may be empty.
    quiet_hours: str = text_column(16)
    # Whether follow-up questions are put to them.
    takes_questions: bool = True
    merged_into_id: int | None = foreign_key_column("customer.id", nullable=True)
    created_at: datetime = timestamp_column()

    contact_points: list[ContactPoint] = Relationship(
        sa_relationship_kwargs={
            "lazy": "raise",
            "order_by": "ContactPoint.id",
            "cascade": "save-update, merge",
        }
    )

    @property
    def given_name(self) -> str:
        """The name by which messages and shared links greet; empty where it is not sure."""
        return given_name(self.name, self.locale)

    @property
    def first_name(self) -> str:
        """What staff call the customer: the given name, or the whole name where it is not sure."""
        return self.given_name or self.name

    @property
    def readable_timezone(self) -> str:
        """The time zone for what is shown; UTC where the stored one cannot be read."""
        return zone_or_utc(self.timezone)

    @property
    def own_quiet_hours(self) -> QuietHours | None:
        """The quiet hours that they asked for; None where they asked for none."""
        return QuietHours.parse(self.quiet_hours)

    def address(self, channel: Channel, now: datetime) -> str | None:
        """The customer's newest valid address on that channel, or None."""
        valid = self.addresses(channel, now)
        return valid[-1] if valid else None

    def addresses(self, channel: Channel, now: datetime) -> list[str]:
        """Every address of that channel that is still valid, the newest last."""
        return [
            point.address
            for point in self.contact_points
            if point.channel == channel and (point.valid_until is None or now < point.valid_until)
        ]

    @property
    def unreachable_since(self) -> datetime | None:
        """When the last of their addresses was given up; None while one is valid or none was known."""
        ends = [point.valid_until for point in self.contact_points]
        known = [end for end in ends if end is not None]
        return max(known) if known and len(known) == len(ends) else None

    def channels(self) -> list[Channel]:
        """The channels to try, the preferred first; a text where nothing was chosen."""
        order = [Channel.SMS, Channel.EMAIL]
        if self.preferred_channel in order:
            order.sort(key=lambda channel: channel != self.preferred_channel)
        return order
