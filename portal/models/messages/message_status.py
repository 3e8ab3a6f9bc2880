"""The states of a message, and which of them may follow which."""

from enum import StrEnum


class MessageStatus(StrEnum):
    """The state of a message; it never goes back (see ``STATUS_RANK``)."""

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


STATUS_RANK = {
    MessageStatus.ACCEPTED: 1,
    MessageStatus.SENT: 2,
    MessageStatus.DELIVERED: 3,
    MessageStatus.UNDELIVERED: 3,
    MessageStatus.FAILED: 3,
}
"""The order of the provider's statuses; one of a lower or equal rank changes nothing."""

FINAL_STATUSES = frozenset(
    {MessageStatus.DELIVERED, MessageStatus.UNDELIVERED, MessageStatus.FAILED}
)
"""Statuses that the provider does not change any more."""

FAILED_STATUSES = FINAL_STATUSES - {MessageStatus.DELIVERED}


def statuses_conflict(current_status: MessageStatus, word: MessageStatus) -> bool:
    """Whether a message that counts as failed is reported as delivered.

    The opposite is no conflict: a delivered message stays delivered.
    """
    return current_status in FAILED_STATUSES and word == MessageStatus.DELIVERED


def is_forward_status(current_status: MessageStatus, word: MessageStatus) -> bool:
    """Whether the provider's status takes a message forward."""
    if current_status in (MessageStatus.SUPPRESSED, MessageStatus.EXPIRED):
        return False
    return STATUS_RANK.get(word, 0) > STATUS_RANK.get(current_status, 0)
