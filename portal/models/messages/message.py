"""A message to or from a customer, and each try at sending it."""

from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal.models.columns import moment, primary_key, refers_to, word, words
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
    WHICH = "which"
    CONSENT = "consent"
    CODE = "code"
    OFFER = "offer"
    CUSTOMER = "customer"
    AUTOMATIC = "automatic"
    NOTICE = "notice"


class MessageStatus(StrEnum):
    """Where a message is; it never goes back (see ``RANK``)."""

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


ANSWERS = frozenset(
    {
        MessageKind.ACKNOWLEDGEMENT,
        MessageKind.ANSWER,
        MessageKind.WHICH,
        MessageKind.OFFER,
        MessageKind.CONSENT,
    }
)
"""Kinds that answer what somebody just did: quiet hours do not hold them."""

RANK = {
    MessageStatus.ACCEPTED: 1,
    MessageStatus.SENT: 2,
    MessageStatus.DELIVERED: 3,
    MessageStatus.UNDELIVERED: 3,
    MessageStatus.FAILED: 3,
}
"""The provider's words in their order; a word of a lower or equal rank changes nothing."""

FINAL = frozenset({MessageStatus.DELIVERED, MessageStatus.UNDELIVERED, MessageStatus.FAILED})
"""The provider's last words."""

RECEIPTS_COME_WITHIN = timedelta(days=3)
"""A receipt that has not come by then never will."""


UNSETTLED = (
    "status IN ('failed', 'undelivered', 'review', 'unknown', 'expired') AND settled_at IS NULL"
)
"""What did not get through, or may not have, until the facts or a person settle it; as SQL."""


EDITED = ":edited"
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
            "ix_message_ask",
            "ask_at",
            sqlite_where=sa.text("ask_at IS NOT NULL"),
            postgresql_where=sa.text("ask_at IS NOT NULL"),
        ),
        # Serves: the messages that may need a person, oldest first.
        sa.Index(
            "ix_message_unsettled",
            "id",
            sqlite_where=sa.text(UNSETTLED),
            postgresql_where=sa.text(UNSETTLED),
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
    request_id: int | None = refers_to("service_request.id", nullable=True)
    customer_id: int | None = refers_to("customer.id", nullable=True)
    # The event behind it: also the id by which the customer's page learns of it.
    event_id: int | None = refers_to("event.id", nullable=True)
    direction: Direction = word(Direction, Direction.OUT)
    channel: Channel = word(Channel)
    kind: MessageKind = word(MessageKind)
    cause: str = Field(max_length=96)
    subject: str = words(200)
    body: str = words()
    to_address: str = words(254)
    from_address: str = words(254)
    author: str = words(120)
    author_id: int | None = refers_to("staff_member.id", nullable=True)
    status: MessageStatus = word(MessageStatus, MessageStatus.QUEUED)
    reason: str = words(400)
    segments: int = 0
    error_code: str | None = words(16, default=None, nullable=True)
    # Serves: recognising the provider's own id (callback, reconciliation, an inbound repeat).
    provider_sid: str | None = Field(default=None, max_length=200, unique=True)
    attempts: int = 0
    claim_token: str | None = words(32, default=None, nullable=True)
    claimed_at: datetime | None = moment(nullable=True)
    looked_at: datetime | None = moment(nullable=True)
    possible_duplicate: bool = False
    # What a customer's words were taken to mean, and by whom: nobody (the rules), or a person.
    meaning: str = words(32)
    meaning_by: str = words(120)
    # Quiet hours do not hold it.
    urgent: bool = False
    # When to ask the provider what became of it, should it not have said by then.
    ask_at: datetime | None = moment(nullable=True)
    # A person has seen to it: it was retried, worded anew, or told by phone.
    settled_at: datetime | None = moment(nullable=True)
    settled_by: str = words(120)
    created_at: datetime = moment()
    due_at: datetime = moment()
    expires_at: datetime | None = moment(nullable=True)
    sent_at: datetime | None = moment(nullable=True)
    delivered_at: datetime | None = moment(nullable=True)

    @property
    def is_final(self) -> bool:
        """Whether the provider has said its last word about it."""
        return self.status in FINAL

    def waits_for_receipt(self, now: datetime) -> bool:
        """True for a text that the carrier has, while its last word may still come."""
        return self._is_on_its_way and not self.has_no_receipt(now)

    def has_no_receipt(self, now: datetime) -> bool:
        """True when the carrier has never said what became of this text, and will not any more."""
        if not self._is_on_its_way or self.sent_at is None:
            return False
        return now - self.sent_at >= RECEIPTS_COME_WITHIN

    @property
    def _is_on_its_way(self) -> bool:
        on_its_way = (MessageStatus.ACCEPTED, MessageStatus.SENT)
        return self.channel == Channel.SMS and self.status in on_its_way

    def hear(
        self,
        status: MessageStatus,
        now: datetime,
        error_code: str | None = None,
        *,
        for_certain: bool = False,
    ) -> bool:
        """Take the provider's word about this message; False when it would go back or repeat.

        A provider that speaks of it has it, so the word also settles a send whose outcome was
        unknown. What we ended ourselves (suppressed, expired) stays ended. Of two different last
        words neither is believed until the provider has been asked: that is ``for_certain``.
        """
        if not rises(self.status, status):
            contradicts = contradict(self.status, status)
            if contradicts and not for_certain:
                self.ask_at = now
            if not (contradicts and for_certain):
                return False
        self.status = status
        self.sent_at = self.sent_at or now
        self.delivered_at = now if status == MessageStatus.DELIVERED else None
        if error_code or status == MessageStatus.DELIVERED:
            self.error_code = error_code
        if self.is_final:
            self.ask_at = None
        return True

    def settle(self, by: str, now: datetime) -> None:
        """Nobody needs to look at it any more: ``by`` has seen to it."""
        self.settled_at, self.settled_by = now, by

    def once_more(self, now: datetime, later: timedelta) -> "Message":
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


def contradict(standing: MessageStatus, word: MessageStatus) -> bool:
    """Whether these are two different last words: arrived, and not."""
    return {standing, word} <= FINAL and (standing == MessageStatus.DELIVERED) != (
        word == MessageStatus.DELIVERED
    )


def rises(standing: MessageStatus, word: MessageStatus) -> bool:
    """Whether the provider's word takes a message on from where it stands."""
    if standing in (MessageStatus.SUPPRESSED, MessageStatus.EXPIRED):
        return False
    return RANK.get(word, 0) > RANK.get(standing, 0)


class SendAttempt(SQLModel, table=True):
    """One try at sending a Message: its claim, the provider's sid, what became of it."""

    __tablename__ = "send_attempt"

    id: int | None = primary_key()
    message_id: int = refers_to("message.id", index=True)
    number: int = 1
    # Serves: recording what became of a claim.
    claim_token: str = Field(max_length=32, index=True)
    claimed_at: datetime = moment()
    finished_at: datetime | None = moment(nullable=True)
    provider_sid: str | None = Field(default=None, max_length=200, unique=True)
    status: MessageStatus = word(MessageStatus, MessageStatus.SENDING)
    error_code: str | None = words(16, default=None, nullable=True)
    error: str = words(400)
