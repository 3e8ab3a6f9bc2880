"""A message to or from a customer."""

from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal.models.columns import (
    BigId,
    enum_column,
    foreign_key_column,
    partial_index,
    primary_key,
    text_column,
    timestamp_column,
)
from portal.models.messages.delivery_reason import DeliveryReason
from portal.models.messages.message_status import (
    FINAL_STATUSES,
    MessageStatus,
    is_forward_status,
    statuses_conflict,
)
from portal.models.messages.transport import Transport
from portal.models.people.customer import Channel


class Direction(StrEnum):
    """Outgoing, or incoming."""

    IN = "in"
    OUT = "out"


class MessageKind(StrEnum):
    """What a message is for; unique with its cause and channel, so nothing is sent twice."""

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
    VISIT = "visit"
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
    ADDRESS = "address"
    DOCUMENT = "document"


RESPONSE_KINDS = frozenset(
    {
        MessageKind.ACKNOWLEDGEMENT,
        MessageKind.ANSWER,
        MessageKind.WHICH_REQUEST,
        MessageKind.REOPEN_OFFER,
        MessageKind.CONSENT,
        MessageKind.ADDRESS,
    }
)
"""Kinds that answer what somebody just did: quiet hours do not delay them."""

RECEIPT_TIMEOUT = timedelta(days=3)
"""A receipt that has not come by then never will."""


NEEDS_ATTENTION = (
    "status IN ('failed', 'undelivered', 'review', 'unknown', 'expired') AND handled_at IS NULL"
)
"""Messages that failed, or may have, until the facts or a person settle them; as SQL."""


IS_NOTICE = "kind = 'notice'"
"""Mail to staff; as SQL."""
MAX_BECAUSE_LENGTH = 200
ASK_BACK_CAUSE = "ask_back:"
"""The beginning of the cause of the one message that asks back about a question."""
CALL_TIME_SUFFIX = ":call_time"
"""The end of the cause of a reply that asks when to call."""
OFFER_SUFFIX = ":offer"
"""The end of the cause of a reply that offers windows for a visit."""
EDITED_SUFFIX = ":edited"
"""The end of the cause of a message that a person sent in place of another."""


class Message(SQLModel, table=True):
    """One SMS, e-mail or web message. Outgoing rows are the outbox, written with their cause."""

    __tablename__ = "message"
    __table_args__ = (
        # One cause makes one message: the database ensures it, even when the operation runs twice.
        sa.UniqueConstraint("cause", "kind", "channel"),
        # Serves: the conversation of a request, oldest first.
        sa.Index("ix_message_request", "request_id", "id"),
        # Serves: the claim of due messages that are not yet sent, oldest first.
        partial_index("ix_message_due", "due_at", "id", where="status = 'queued'"),
        # Serves: messages in flight to a recipient, and stuck ones (claim, sweep).
        partial_index(
            "ix_message_in_flight", "to_address", where="status IN ('sending', 'unknown')"
        ),
        # Serves: polling the provider for receipts that have not come.
        partial_index("ix_message_poll", "poll_at", where="poll_at IS NOT NULL"),
        # Serves: the messages that may need a person, oldest first.
        partial_index("ix_message_needs_attention", "id", where=NEEDS_ATTENTION),
        # Serves: recent messages from an address (a flood, a text that waits for "which?").
        partial_index("ix_message_from", "from_address", "id", where="direction = 'in'"),
        # Serves: the erasure of what mail to staff says about a person.
        partial_index("ix_message_notice", "id", where=IS_NOTICE),
        # Serves: our last message to an address, and the text that a reply may mean.
        sa.Index("ix_message_to", "to_address", "id"),
    )

    id: int | None = primary_key()
    request_id: int | None = foreign_key_column("service_request.id", nullable=True)
    customer_id: int | None = foreign_key_column("customer.id", nullable=True)
    # The event behind it: also the id by which the customer's page learns of it.
    event_id: int | None = foreign_key_column("event.id", nullable=True)
    direction: Direction = enum_column(Direction, Direction.OUT)
    channel: Channel = enum_column(Channel)
    # What carried a text, as far as it is known: of an outgoing one since it was claimed.
    transport: Transport | None = enum_column(Transport, nullable=True)
    # The number of an incoming WhatsApp text as WhatsApp spells it: it may differ from E.164 today.
    whatsapp_number: str = text_column(32)
    # The Content SID of the WhatsApp template by which it went; empty for free text.
    template_sid: str = text_column(64)
    kind: MessageKind = enum_column(MessageKind)
    cause: str = Field(max_length=96)
    subject: str = text_column(200)
    body: str = text_column()
    to_address: str = text_column(254)
    from_address: str = text_column(254)
    author: str = text_column(120)
    author_id: int | None = foreign_key_column("staff_member.id", nullable=True)
    status: MessageStatus = enum_column(MessageStatus, MessageStatus.QUEUED)
    # Why it was not sent, not delivered or waits, with the number of texts that reached a limit.
    reason: DeliveryReason | None = enum_column(DeliveryReason, nullable=True)
    reason_count: int = 0
    # The body is the beginning of a longer one.
    is_shortened: bool = False
    segments: int = 0
    error_code: str | None = text_column(16, default=None, nullable=True)
    # Serves: recognising the provider's own id (callback, reconciliation, an inbound repeat).
    provider_sid: str | None = Field(default=None, max_length=200, unique=True)
    attempts: int = 0
    claim_token: str | None = text_column(32, default=None, nullable=True)
    claimed_at: datetime | None = timestamp_column(nullable=True)
    reconciled_at: datetime | None = timestamp_column(nullable=True)
    possible_duplicate: bool = False
    # The intent of a customer's message, and who corrected it: empty for the rules.
    intent: str = text_column(32)
    # The customer's words that decided the intent, at most MAX_BECAUSE_LENGTH letters.
    because: str = text_column(MAX_BECAUSE_LENGTH)
    # Of a reaction: our message that it is about. Messages are never deleted, so it needs no key.
    reacted_to_id: int | None = Field(default=None, nullable=True, sa_type=BigId)
    intent_corrected_by: str = text_column(120)
    # Quiet hours do not hold it.
    urgent: bool = False
    # When to ask the provider for the status, should no receipt have come by then.
    poll_at: datetime | None = timestamp_column(nullable=True)
    # A person has resolved it: sent it again, sent another text, or informed the customer by phone.
    handled_at: datetime | None = timestamp_column(nullable=True)
    handled_by: str = text_column(120)
    created_at: datetime = timestamp_column()
    due_at: datetime = timestamp_column()
    expires_at: datetime | None = timestamp_column(nullable=True)
    sent_at: datetime | None = timestamp_column(nullable=True)
    delivered_at: datetime | None = timestamp_column(nullable=True)
    # When the customer read it, where the transport reports that.
    read_at: datetime | None = timestamp_column(nullable=True)

    @property
    def goes_at(self) -> datetime:
        """When it went to the provider, else when it is due to."""
        return self.sent_at or self.due_at

    @property
    def is_final(self) -> bool:
        """Whether the provider has reported a final status."""
        return self.status in FINAL_STATUSES

    def waits_for_receipt(self, now: datetime) -> bool:
        """Whether the carrier has this text and may still report a final status."""
        return self._is_unconfirmed and not self.has_no_receipt(now)

    def has_no_receipt(self, now: datetime) -> bool:
        """Whether the carrier never reported a final status of this text, and no longer will."""
        if not self._is_unconfirmed or self.sent_at is None:
            return False
        return now - self.sent_at >= RECEIPT_TIMEOUT

    @property
    def _is_unconfirmed(self) -> bool:
        unconfirmed = (MessageStatus.ACCEPTED, MessageStatus.SENT)
        return self.channel == Channel.SMS and self.status in unconfirmed

    def apply_status(
        self,
        status: MessageStatus,
        now: datetime,
        error_code: str | None = None,
        *,
        is_confirmed: bool = False,
    ) -> bool:
        """Apply the provider's status; return False where it repeats or would go back.

        A status from the provider proves that it has the message, so it also settles an unknown
        outcome. What we ended ourselves (suppressed, expired) stays ended, and so does what was
        delivered. A delivery after a failure counts once the provider has been asked: then
        ``is_confirmed`` is true.
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
        """The message needs no person any more: ``by`` has resolved it."""
        self.handled_at, self.handled_by = now, by

    def retry_copy(
        self, now: datetime, later: timedelta, transport: Transport | None = None
    ) -> "Message":
        """A new message with the same text to the same person; this one has ended.

        Without a ``transport`` the claim chooses it anew.
        """
        copied = (
            "request_id", "customer_id", "event_id", "channel", "kind", "subject", "body",
            "to_address", "from_address", "author", "author_id", "segments", "attempts", "urgent",
            "expires_at",
        )  # fmt: skip
        return Message(
            **{name: getattr(self, name) for name in copied},
            transport=transport,
            cause=f"message:{self.id}:again",
            created_at=now,
            due_at=now + later,
        )
