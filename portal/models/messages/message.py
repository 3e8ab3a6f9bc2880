"""A message to or from a customer, and each try at sending it."""

from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal.models.columns import (
    enum_column,
    foreign_key_column,
    primary_key,
    text_column,
    timestamp_column,
)
from portal.models.people.customer import Channel


class Direction(StrEnum):
    """From us, or to us."""

    IN = "in"
    OUT = "out"


class MessageKind(StrEnum):
    """What a message is for; with its cause and channel it is unique, so nothing is said twice."""

    MILESTONE = "milestone"
    FOLLOW_UP = "follow_up"
    REMINDER = "reminder"
    HOLD = "hold"
    RESUMED = "resumed"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    DECLINED = "declined"
    PROMISE = "promise"
    DELAY = "delay"
    UPDATE = "update"
    LINK = "link"
    STAFF = "staff"
    ACKNOWLEDGEMENT = "acknowledgement"
    ANSWER = "answer"
    WHICH_REQUEST = "which"
    CONSENT = "consent"
    CODE = "code"
    REOPEN_OFFER = "offer"
    CUSTOMER = "customer"
    AUTOMATIC = "automatic"
    NOTICE = "notice"


class MessageStatus(StrEnum):
    """Where a message is; it never goes back (see ``STATUS_RANK``)."""

    QUEUED = "queued"
    SENDING = "sending"
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    REVIEW = "review"
    RECEIVED = "received"


RESPONSE_KINDS = frozenset(
    {
        MessageKind.ACKNOWLEDGEMENT,
        MessageKind.ANSWER,
        MessageKind.WHICH_REQUEST,
        MessageKind.REOPEN_OFFER,
        MessageKind.CONSENT,
    }
)
"""Kinds that answer what somebody just did: quiet hours do not hold them."""

STATUS_RANK = {
    MessageStatus.ACCEPTED: 1,
    MessageStatus.SENT: 2,
    MessageStatus.DELIVERED: 3,
    MessageStatus.UNDELIVERED: 3,
    MessageStatus.FAILED: 3,
}
"""The provider's words in their order; a word of a lower or equal rank changes nothing."""

FINAL_STATUSES = frozenset(
    {MessageStatus.DELIVERED, MessageStatus.UNDELIVERED, MessageStatus.FAILED}
)
"""The provider's last words."""

RECEIPT_TIMEOUT = timedelta(days=3)
"""A receipt that has not come by then never will."""


NEEDS_ATTENTION = (
    "status IN ('failed', 'undelivered', 'review', 'unknown', 'expired') AND handled_at IS NULL"
)
"""What did not get through, or may not have, until the facts or a person settle it; as SQL."""


EDITED_SUFFIX = ":edited"
"""How the cause ends of words that a person sent in place of others."""


class Message(SQLModel, table=True):
    """One SMS, e-mail or web message. An outgoing row is the outbox: written with its cause."""

    __tablename__ = "message"
    __table_args__ = (
        # One cause speaks once: the database holds it, whoever calls twice.
        sa.UniqueConstraint("cause", "kind", "channel"),
        # Serves: the conversation of a request, oldest first.
        sa.Index("ix_message_request", "request_id", "id"),
        # Serves: the claim, what is due and not yet sent, oldest first.
        sa.Index(
            "ix_message_due",
            "due_at",
            "id",
            sqlite_where=sa.text("status = 'queued'"),
            postgresql_where=sa.text("status = 'queued'"),
        ),
        # Serves: is something under way to this recipient, and what is stuck (claim, sweep).
        sa.Index(
            "ix_message_in_flight",
            "to_address",
            sqlite_where=sa.text("status IN ('sending', 'unknown')"),
            postgresql_where=sa.text("status IN ('sending', 'unknown')"),
        ),
        # Serves: asking the provider about what it has not told us.
        sa.Index(
            "ix_message_poll",
            "poll_at",
            sqlite_where=sa.text("poll_at IS NOT NULL"),
            postgresql_where=sa.text("poll_at IS NOT NULL"),
        ),
        # Serves: the messages that may need a person, oldest first.
        sa.Index(
            "ix_message_needs_attention",
            "id",
            sqlite_where=sa.text(NEEDS_ATTENTION),
            postgresql_where=sa.text(NEEDS_ATTENTION),
        ),
        # Serves: what somebody has written lately (a flood, a text that waits for "which?").
        sa.Index(
            "ix_message_from",
            "from_address",
            "id",
            sqlite_where=sa.text("direction = 'in'"),
            postgresql_where=sa.text("direction = 'in'"),
        ),
        # Serves: what we last said to an address, and which text a reply may mean.
        sa.Index("ix_message_to", "to_address", "id"),
    )

    id: int | None = primary_key()
    request_id: int | None = foreign_key_column("service_request.id", nullable=True)
    customer_id: int | None = foreign_key_column("customer.id", nullable=True)
    # The event behind it: also the id by which the customer's page learns of it.
    event_id: int | None = foreign_key_column("event.id", nullable=True)
    direction: Direction = enum_column(Direction, Direction.OUT)
    channel: Channel = enum_column(Channel)
    kind: MessageKind = enum_column(MessageKind)
    cause: str = Field(max_length=96)
    subject: str = text_column(200)
    body: str = text_column()
    to_address: str = text_column(254)
    from_address: str = text_column(254)
    author: str = text_column(120)
    author_id: int | None = foreign_key_column("staff_member.id", nullable=True)
    status: MessageStatus = enum_column(MessageStatus, MessageStatus.QUEUED)
    reason: str = text_column(400)
    segments: int = 0
    error_code: str | None = text_column(16, default=None, nullable=True)
    # Serves: recognising the provider's own id (callback, reconciliation, an inbound repeat).
    provider_sid: str | None = Field(default=None, max_length=200, unique=True)
    attempts: int = 0
    claim_token: str | None = text_column(32, default=None, nullable=True)
    claimed_at: datetime | None = timestamp_column(nullable=True)
    reconciled_at: datetime | None = timestamp_column(nullable=True)
    possible_duplicate: bool = False
    # What a customer's words were taken to mean, and by whom: nobody (the rules), or a person.
    intent: str = text_column(32)
    intent_corrected_by: str = text_column(120)
    # Quiet hours do not hold it.
    urgent: bool = False
    # When to ask the provider what became of it, should it not have said by then.
    poll_at: datetime | None = timestamp_column(nullable=True)
    # A person has seen to it: it was retried, worded anew, or told by phone.
    handled_at: datetime | None = timestamp_column(nullable=True)
    handled_by: str = text_column(120)
    created_at: datetime = timestamp_column()
    due_at: datetime = timestamp_column()
    expires_at: datetime | None = timestamp_column(nullable=True)
    sent_at: datetime | None = timestamp_column(nullable=True)
    delivered_at: datetime | None = timestamp_column(nullable=True)

    @property
    def is_final(self) -> bool:
        """Whether the provider has said its last word about it."""
        return self.status in FINAL_STATUSES

    def waits_for_receipt(self, now: datetime) -> bool:
        """True for a text that the carrier has, while its last word may still come."""
        return self._is_on_its_way and not self.has_no_receipt(now)

    def has_no_receipt(self, now: datetime) -> bool:
        """True when the carrier has never said what became of this text, and will not any more."""
        if not self._is_on_its_way or self.sent_at is None:
            return False
        return now - self.sent_at >= RECEIPT_TIMEOUT

    @property
    def _is_on_its_way(self) -> bool:
        on_its_way = (MessageStatus.ACCEPTED, MessageStatus.SENT)
        return self.channel == Channel.SMS and self.status in on_its_way

    def apply_status(
        self,
        status: MessageStatus,
        now: datetime,
        error_code: str | None = None,
        *,
        is_confirmed: bool = False,
    ) -> bool:
        """Take the provider's word about this message; False when it would go back or repeat.

        A provider that speaks of it has it, so the word also settles a send whose outcome was
        unknown. What we ended ourselves (suppressed, expired) stays ended. Of two different last
        words neither is believed until the provider has been asked: that is ``is_confirmed``.
        """
        if not is_forward_status(self.status, status):
            contradicts = statuses_conflict(self.status, status)
            if contradicts and not is_confirmed:
                self.poll_at = now
            if not (contradicts and is_confirmed):
                return False
        self.status = status
        self.sent_at = self.sent_at or now
        self.delivered_at = now if status == MessageStatus.DELIVERED else None
        if error_code or status == MessageStatus.DELIVERED:
            self.error_code = error_code
        if self.is_final:
            self.poll_at = None
        return True

    def mark_handled(self, by: str, now: datetime) -> None:
        """Nobody needs to look at it any more: ``by`` has seen to it."""
        self.handled_at, self.handled_by = now, by

    def retry_copy(self, now: datetime, later: timedelta) -> "Message":
        """The same words to the same person, as a message of its own; this one has ended."""
        copied = (
            "request_id", "customer_id", "event_id", "channel", "kind", "subject", "body",
            "to_address", "from_address", "author", "author_id", "segments", "attempts", "urgent",
            "expires_at",
        )  # fmt: skip
        return Message(
            **{name: getattr(self, name) for name in copied},
            cause=f"message:{self.id}:again",
            created_at=now,
            due_at=now + later,
        )


def statuses_conflict(current_status: MessageStatus, word: MessageStatus) -> bool:
    """Whether these are two different last words: arrived, and not."""
    return {current_status, word} <= FINAL_STATUSES and (
        current_status == MessageStatus.DELIVERED
    ) != (word == MessageStatus.DELIVERED)


def is_forward_status(current_status: MessageStatus, word: MessageStatus) -> bool:
    """Whether the provider's word takes a message on from where it stands."""
    if current_status in (MessageStatus.SUPPRESSED, MessageStatus.EXPIRED):
        return False
    return STATUS_RANK.get(word, 0) > STATUS_RANK.get(current_status, 0)


class SendAttempt(SQLModel, table=True):
    """One try at sending a Message: its claim, the provider's sid, what became of it."""

    __tablename__ = "send_attempt"

    id: int | None = primary_key()
    message_id: int = foreign_key_column("message.id", index=True)
    number: int = 1
    # Serves: recording what became of a claim.
    claim_token: str = Field(max_length=32, index=True)
    claimed_at: datetime = timestamp_column()
    finished_at: datetime | None = timestamp_column(nullable=True)
    provider_sid: str | None = Field(default=None, max_length=200, unique=True)
    status: MessageStatus = enum_column(MessageStatus, MessageStatus.SENDING)
    error_code: str | None = text_column(16, default=None, nullable=True)
    error: str = text_column(400)
