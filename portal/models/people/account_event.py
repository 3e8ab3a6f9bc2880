"""What happened to a person's account at the desk: sign-ins, refusals and changes."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import SQLModel

from portal.models.columns import (
    enum_column,
    foreign_key_column,
    primary_key,
    text_column,
    timestamp_column,
)
from portal.models.people.staff_sign_in import SignInEnd


class AccountEventKind(StrEnum):
    """The kinds of account event."""

    INVITED = "invited"
    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGN_IN_LIMITED = "sign_in_limited"
    SIGN_IN_ENDED = "sign_in_ended"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 (a kind)
    PASSWORD_REFUSED = "password_refused"  # noqa: S105 (a kind)
    DISABLED = "disabled"


class AccountEvent(SQLModel, table=True):
    """One fact about the account of a person. ``actor`` is who did it, by name.

    ``browser`` and ``network`` are those of a `StaffSignIn`; empty where no browser took part.
    """

    __tablename__ = "account_event"
    # Serves: the newest events of one person.
    __table_args__ = (sa.Index("ix_account_event_staff", "staff_id", "at"),)

    id: int | None = primary_key()
    staff_id: int = foreign_key_column("staff_member.id")
    at: datetime = timestamp_column()
    kind: AccountEventKind = enum_column(AccountEventKind)
    end_reason: SignInEnd | None = enum_column(SignInEnd, nullable=True)
    actor: str = text_column(120)
    browser: str = text_column(60)
    network: str = text_column(49)
