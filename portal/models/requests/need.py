"""What is needed from the customer: an item of a stage, and what became of it."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal.errors import Conflict
from portal.models.columns import (
    enum_column,
    foreign_key_column,
    primary_key,
    text_column,
    timestamp_column,
)


class NeedState(StrEnum):
    """Needed until it is sent; then checked, and accepted or sent back for a correction.

    ``CHECKING``: its stage is done, and the next departments work with it. ``WITHDRAWN``: it is
    needed no more.
    """

    NEEDED = "needed"
    SENT = "sent"
    CHECKING = "checking"
    ACCEPTED = "accepted"
    CORRECTION = "correction"
    WITHDRAWN = "withdrawn"


TO_SEND = (NeedState.NEEDED, NeedState.CORRECTION)
"""The states in which the customer has something to send."""


class Need(SQLModel, table=True):
    """One item that a request needs from its customer, such as the floor plans.

    An item that is sent and not checked yet has an owner and a due time: those of its promise.
    """

    __tablename__ = "need"
    __table_args__ = (sa.UniqueConstraint("request_id", "key"),)

    id: int | None = primary_key()
    request_id: int = foreign_key_column("service_request.id")
    stage_key: str = Field(max_length=64)
    key: str = Field(max_length=64)
    state: NeedState = enum_column(NeedState, NeedState.NEEDED)
    # What is to be corrected, as the customer reads it, and who asks.
    reason: str = text_column()
    asked_by_id: int | None = foreign_key_column("staff_member.id", nullable=True)
    asked_at: datetime = timestamp_column()
    sent_at: datetime | None = timestamp_column(nullable=True)
    # The customer's message with the files; None where staff received it otherwise.
    message_id: int | None = foreign_key_column("message.id", nullable=True)
    # The promise to check it, of which only staff know; the page shows its owner and its time.
    promise_id: int | None = foreign_key_column("promise.id", nullable=True)
    accepted_at: datetime | None = timestamp_column(nullable=True)

    @property
    def is_to_send(self) -> bool:
        """Whether the customer has something to send."""
        return self.state in TO_SEND

    @property
    def is_received(self) -> bool:
        """Whether it has come and nobody has accepted it yet."""
        return self.state in (NeedState.SENT, NeedState.CHECKING)

    def send(self, now: datetime, message_id: int | None) -> None:
        """The customer has sent it, once more after a correction."""
        self.state, self.sent_at, self.message_id = NeedState.SENT, now, message_id

    def ask_again(self) -> None:
        """What has come does not count: it is to be sent, or corrected as was asked before."""
        self.state = NeedState.CORRECTION if self.reason else NeedState.NEEDED

    def accept(self, now: datetime) -> None:
        """A person has found it right. Raises Conflict where that is done already."""
        if self.state in (NeedState.ACCEPTED, NeedState.WITHDRAWN):
            raise Conflict("This item is settled already.")
        self.state, self.accepted_at, self.reason = NeedState.ACCEPTED, now, ""
        self.sent_at = self.sent_at or now

    def ask_correction(self, now: datetime, reason: str, staff_id: int | None) -> None:
        """A person asks the customer to correct it. Raises Conflict where nothing has come yet."""
        if self.sent_at is None:
            raise Conflict("Nothing has come for this item yet, so there is nothing to correct.")
        self.state, self.reason = NeedState.CORRECTION, reason
        self.asked_by_id, self.asked_at, self.accepted_at = staff_id, now, None
