"""A person at the desk."""

import hashlib
import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlmodel import Field, SQLModel

from portal.models.columns import (
    enum_column,
    foreign_key_column,
    primary_key,
    text_column,
    timestamp_column,
)
from portal.models.people.actor import Actor, ActorKind

INVITATION_LIFE = timedelta(days=7)


class Role(StrEnum):
    """Agents do their departments' work, managers all work, and admins everything."""

    AGENT = "agent"
    MANAGER = "manager"
    ADMIN = "admin"


def hash_token(token: str) -> str:
    """The stored hash of a secret link or key: SHA-256, enough for a random 128-bit secret."""
    return hashlib.sha256(token.encode()).hexdigest()


class StaffMember(SQLModel, table=True):
    """A member of staff. They may own requests at once, before they have signed in."""

    __tablename__ = "staff_member"

    id: int | None = primary_key()
    email: str = Field(unique=True, max_length=254)
    name: str = text_column(120)
    role: Role = enum_column(Role, Role.AGENT)
    password_hash: str | None = text_column(255, default=None, nullable=True)
    invitation_hash: str | None = Field(default=None, max_length=64, unique=True)
    invited_until: datetime | None = timestamp_column(nullable=True)
    disabled_at: datetime | None = timestamp_column(nullable=True)
    # Absent between these times (without an end until they return); the deputy substitutes.
    absent_from: datetime | None = timestamp_column(nullable=True)
    absent_until: datetime | None = timestamp_column(nullable=True)
    deputy_id: int | None = foreign_key_column("staff_member.id", nullable=True)
    # Grows with each new password and invitation, so that browsers are known no longer.
    sign_in_version: int = 1

    @property
    def actor(self) -> Actor:
        """The person as the actor of an event."""
        return Actor(ActorKind.STAFF, self.name, self.id)

    @property
    def manages_all(self) -> bool:
        """True for those who may act for every department."""
        return self.role in (Role.MANAGER, Role.ADMIN)

    def is_away(self, now: datetime) -> bool:
        """True while they are absent."""
        if self.absent_from is None or now < self.absent_from:
            return False
        return self.absent_until is None or now < self.absent_until

    def will_be_away(self, now: datetime) -> bool:
        """True where an absence is noted that is not over: it lasts, or is yet to come."""
        return self.absent_from is not None and (
            self.absent_until is None or now < self.absent_until
        )

    def set_absence(self, from_: datetime, until: datetime | None, deputy_id: int | None) -> None:
        """Set an absence; without an end it lasts until they return. The deputy substitutes."""
        self.absent_from, self.absent_until, self.deputy_id = from_, until, deputy_id

    def end_absence(self) -> None:
        """Be here again; the deputy is remembered for the next time."""
        self.absent_from = self.absent_until = None

    def describe_absence(self, now: datetime, timezone: str) -> str:
        """Their absence as it follows a name: "away until Tue 3 Jun", in this zone.

        ``until`` is when they are back. An absence to come has its beginning too.
        """
        has_begun = self.absent_from is None or self.absent_from <= now
        text = "away"
        if self.absent_from is not None and not has_begun:
            text += f" from {_day_text(self.absent_from, now, timezone)}"
        if self.absent_until is not None:
            text += f" until {_day_text(self.absent_until, now, timezone)}"
        return text

    def invite(self, now: datetime) -> str:
        """Make a one-time invitation, valid for a week. Returns the secret; its hash is stored.

        It takes the password away: whoever had it can no longer sign in.
        """
        secret = secrets.token_urlsafe(24)
        self.invitation_hash = hash_token(secret)
        self.invited_until = now + INVITATION_LIFE
        self.password_hash = None
        self.sign_in_version += 1
        return secret

    def may_accept_invitation(self, now: datetime) -> bool:
        """True while the invitation is unused, in time, and the person not disabled."""
        return bool(self.invited_until and now < self.invited_until and not self.disabled_at)

    def set_password(self, password_hash: str) -> None:
        """Take a new password (an argon2id hash) and use up the invitation."""
        self.password_hash = password_hash
        self.invitation_hash = None
        self.invited_until = None
        self.sign_in_version += 1


def _day_text(at: datetime, now: datetime, timezone: str) -> str:
    """As in "Tue 3 Jun"; on the very day the time, "3:30 pm"; in another year with the year."""
    zone = ZoneInfo(timezone)
    local, today = at.astimezone(zone), now.astimezone(zone)
    if local.date() == today.date():
        minutes = f":{local.minute:02}" if local.minute else ""
        return f"{local.hour % 12 or 12}{minutes} {'am' if local.hour < 12 else 'pm'}"
    year = f" {local.year}" if local.year != today.year else ""
    return f"{local:%a} {local.day} {local:%b}{year}"
