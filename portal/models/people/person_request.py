"""A person asks for a copy of their data, or for its erasure; the law sets a due date."""

import calendar
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import SQLModel

from portal.models.columns import (
    enum_column,
    foreign_key_column,
    primary_key,
    text_column,
    timestamp_column,
)

REMINDER_BEFORE = timedelta(days=7)
"""So long before its due date admins are reminded of an open one each day."""


class PersonRequestKind(StrEnum):
    """A copy of the data (GDPR Art. 15 and 20), or erasure (Art. 17)."""

    EXPORT = "export"
    ERASE = "erase"


class PersonRequest(SQLModel, table=True):
    """One such request. ``address`` is the phone (E.164) or e-mail that the person gave.

    Once the person is erased, ``address`` is a digest and ``names`` is empty: what stays is the
    evidence that it was done, when and by whom.
    """

    __tablename__ = "person_request"

    id: int | None = primary_key()
    kind: PersonRequestKind = enum_column(PersonRequestKind)
    address: str = text_column(254)
    # Which of the people at a shared address it is, one name a line; empty for the only one.
    names: str = text_column()
    received_at: datetime = timestamp_column()
    # Serves: requests that are due soon or overdue (the daily reminder).
    due_at: datetime = timestamp_column(index=True)
    recorded_by: str = text_column(120)
    recorded_by_id: int | None = foreign_key_column("staff_member.id", nullable=True)
    done_at: datetime | None = timestamp_column(nullable=True)
    done_by: str = text_column(120)

    def is_overdue(self, now: datetime) -> bool:
        """Whether its due date has passed and it is not done."""
        return self.done_at is None and now > self.due_at

    def is_due_soon(self, now: datetime) -> bool:
        """Whether it is overdue, or will be within the time of the reminder."""
        return self.done_at is None and now > self.due_at - REMINDER_BEFORE


def one_month_after(received_at: datetime) -> datetime:
    """The due date by GDPR Art. 12(3): the same day a month later, or that month's last day."""
    year, month = divmod(received_at.year * 12 + received_at.month, 12)
    last_day = calendar.monthrange(year, month + 1)[1]
    return received_at.replace(year=year, month=month + 1, day=min(received_at.day, last_day))
