"""The query for the messages of a channel that are due, one for each recipient."""

from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col

from portal.messaging.send_rules import NOT_DELIVERED
from portal.models import Channel, Customer, Event, Message, MessageStatus
from portal.models.columns import UtcDateTime


@cache
def due_messages() -> sa.Select[Any]:
    """The query, built once: it runs every few seconds, and building it takes longer.

    Its parameters are ``now``, ``unknown_since``, ``channel`` and ``most``.
    """
    return _due(
        *(getattr(Message, name) for name in MESSAGE_COLUMNS),
        col(Customer.timezone),
        col(Customer.locale),
        col(Customer.quiet_hours),
        col(Event.at).label("happened_at"),
        (~_was_texted_before()).label("is_first"),
    )


@cache
def due_message_ids() -> sa.Select[Any]:
    """The ids only, which can be read whatever the rows hold; with the same parameters."""
    return _due(col(Message.id))


@cache
def due_message() -> sa.Select[Any]:
    """One of the due messages; the parameter ``only`` is its id."""
    return due_messages().where(col(Message.id) == sa.bindparam("only", type_=sa.BigInteger()))


def _due(*columns: Any) -> sa.Select[Any]:
    now = sa.bindparam("now", type_=UtcDateTime())
    unknown_since = sa.bindparam("unknown_since", type_=UtcDateTime())
    busy, older = aliased(Message), aliased(Message)
    in_flight = sa.exists().where(
        col(busy.to_address) == col(Message.to_address),
        # Written as in the partial index, so that the database uses it.
        col(busy.status).in_((MessageStatus.SENDING, MessageStatus.UNKNOWN)),
        sa.or_(col(busy.status) == MessageStatus.SENDING, col(busy.claimed_at) > unknown_since),
    )
    before = sa.exists().where(
        col(older.to_address) == col(Message.to_address),
        col(older.status) == MessageStatus.QUEUED,
        col(older.due_at) <= now,
        col(older.id) < col(Message.id),
    )
    return (
        sa.select(*columns)
        .select_from(Message)
        .outerjoin(Customer, col(Customer.id) == col(Message.customer_id))
        .outerjoin(Event, col(Event.id) == col(Message.event_id))
        .where(
            col(Message.status) == MessageStatus.QUEUED,
            col(Message.due_at) <= now,
            col(Message.channel) == sa.bindparam("channel"),
            ~in_flight,
            ~before,
        )
        .order_by(col(Message.due_at), col(Message.id))
        .limit(sa.bindparam("most", type_=sa.Integer()))
        .with_for_update(skip_locked=True, of=Message)
    )


MESSAGE_COLUMNS = (
    "id", "channel", "kind", "to_address", "body", "request_id", "expires_at", "attempts",
    "provider_sid", "urgent", "segments", "created_at", "due_at", "cause", "subject",
    "transport",
)  # fmt: skip


def _was_texted_before() -> sa.Exists:
    earlier = aliased(Message)
    return sa.exists().where(
        col(earlier.to_address) == col(Message.to_address),
        col(earlier.channel) == Channel.SMS,
        col(earlier.status).not_in(NOT_DELIVERED | {MessageStatus.QUEUED}),
    )
