"""A person at the desk."""

import hashlib
import secrets
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Field, SQLModel

from portal.models.actor import Actor, ActorKind
from portal.models.columns import moment, primary_key, refers_to, word, words

INVITATION_LIFE = timedelta(days=7)


class Role(StrEnum):
    """What a person may do: agents their departments' work, managers all work, admins everything."""

    AGENT = "agent"
    MANAGER = "manager"
    ADMIN = "admin"


def token_hash(token: str) -> str:
    """What is stored of a secret link or key: SHA-256, enough for a random 128-bit secret."""
    return hashlib.sha256(token.encode()).hexdigest()


class StaffMember(SQLModel, table=True):
    """Owns work from the moment they are added, whether or not they have signed in yet."""

    __tablename__ = "staff_member"

    id: int | None = primary_key()
    email: str = Field(unique=True, max_length=254)
    name: str = words(120)
    role: Role = word(Role, Role.AGENT)
    password_hash: str | None = words(255, default=None, nullable=True)
    invitation_hash: str | None = Field(default=None, max_length=64, unique=True)
    invited_until: datetime | None = moment(nullable=True)
    disabled_at: datetime | None = moment(nullable=True)
    # Away from one moment until another (None: until they say so); the deputy stands in.
    absent_from: datetime | None = moment(nullable=True)
    absent_until: datetime | None = moment(nullable=True)
    deputy_id: int | None = refers_to("staff_member.id", nullable=True)
    # Grows with each new password, so that older sign-ins end with it.
    sign_in_version: int = 1

    @property
    def actor(self) -> Actor:
        """The person as the hand behind an event."""
        return Actor(ActorKind.STAFF, self.name, self.id)

    @property
    def oversees(self) -> bool:
        """True for those who may act for every department."""
        return self.role in (Role.MANAGER, Role.ADMIN)

    def invite(self, now: datetime) -> str:
        """Make a one-time invitation good for a week; gives the secret once, keeps its hash."""
        secret = secrets.token_urlsafe(24)
        self.invitation_hash = token_hash(secret)
        self.invited_until = now + INVITATION_LIFE
        return secret

    def may_accept_invitation(self, now: datetime) -> bool:
        """True while the invitation is unused, in time, and the person not disabled."""
        return bool(self.invited_until and now < self.invited_until and not self.disabled_at)

    def set_password(self, password_hash: str) -> None:
        """Take a new password (an argon2id hash), use up the invitation, end older sign-ins."""
        self.password_hash = password_hash
        self.invitation_hash = None
        self.invited_until = None
        self.sign_in_version += 1
