"""A department: who does a part of the work, and when it is open."""

from datetime import UTC, datetime

from sqlmodel import Field, SQLModel

from portal.business_time import BusinessCalendar, Duration, business_calendar
from portal.models.columns import primary_key, text_column


class Department(SQLModel, table=True):
    """A department. A workflow file creates a missing one and refers to it by ``key``."""

    __tablename__ = "department"

    id: int | None = primary_key()
    key: str = Field(unique=True, max_length=64)
    name: str = text_column(120)
    timezone: str = text_column(64, default="UTC")
    hours: str = text_column(400)
    holidays: str = text_column(16)
    accept_within: str | None = text_column(16, default=None, nullable=True)
    reply_within: str = text_column(16, default="4bh")
    # A dropped ball escalates to the lead, then to a manager, this long after it was raised.
    lead_after: str = text_column(16, default="4bh")
    manager_after: str = text_column(16, default="1bd")

    @property
    def calendar(self) -> BusinessCalendar:
        """Its hours, holidays and time zone, as a clock that counts only open time."""
        return business_calendar(self.hours or None, self.timezone, self.holidays or None)

    def accept_by(self, sent_at: datetime) -> datetime | None:
        """By when a handoff must be accepted; None where no acceptance is needed."""
        if not self.accept_within:
            return None
        return self.calendar.add(sent_at, Duration.parse(self.accept_within))

    def reply_due_at(self, asked_at: datetime) -> datetime:
        """When a customer who wrote now is answered at the latest."""
        return self.calendar.add(asked_at, Duration.parse(self.reply_within))

    def lead_escalation_at(self, raised_at: datetime) -> datetime:
        """When a ball raised at that time escalates to the lead."""
        return self.calendar.add(raised_at, Duration.parse(self.lead_after))

    def manager_escalation_at(self, raised_at: datetime, lead_notified_at: datetime) -> datetime:
        """When a ball raised then escalates to a manager: the lead has as long as the owner."""
        return max(
            self.calendar.add(raised_at, Duration.parse(self.manager_after)),
            self.lead_escalation_at(lead_notified_at),
        )

    def call_due_at(self, asked_at: datetime, at: datetime | None) -> datetime:
        """When a customer is called who asked for it now: `at` the time named, if it is open then.

        Else as soon after as it replies; without a time, as soon as it replies.
        """
        if at is not None and self.calendar.is_open(at):
            return at.astimezone(UTC)
        return self.reply_due_at(at or asked_at)


class Membership(SQLModel, table=True):
    """A staff member's place in a department; a lead receives what names no other person."""

    __tablename__ = "membership"

    staff_member_id: int = Field(foreign_key="staff_member.id", primary_key=True)
    # Serves: who is in this department (roster).
    department_id: int = Field(foreign_key="department.id", primary_key=True, index=True)
    is_lead: bool = False
