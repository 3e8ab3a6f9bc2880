"""Accepted messages, the most common outcome of sending: recorded in batches, by rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col

from portal.messaging.send_errors import NotSent, SendError
from portal.messaging.sms.twilio_client import Accepted
from portal.models import Channel, Message, MessageStatus, SendAttempt
from portal.operations.unit_of_work import UnitOfWork


class ClaimExpired(NotSent):
    """The message was not sent, because its claim had expired."""


@dataclass(frozen=True)
class SendOutcome:
    """The outcome of sending one claimed message."""

    message_id: int
    claim_token: str
    result: Accepted | SendError


async def record_accepted(uow: UnitOfWork, outcomes: Sequence[SendOutcome]) -> list[SendOutcome]:
    """Record the ordinary outcomes by rows; return the others.

    Ordinary: the provider accepted the message, and no receipt has come meanwhile.
    """
    connection = await uow.session.connection()
    query = (
        sa.select(
            *(getattr(Message, name) for name in ("id", "claim_token", "request_id", "channel"))
        )
        .where(
            col(Message.id).in_([outcome.message_id for outcome in outcomes]),
            col(Message.status) == MessageStatus.SENDING,
            sa.or_(col(Message.channel) != Channel.SMS, col(Message.provider_sid).is_(None)),
        )
        .order_by(col(Message.id))
        .with_for_update()
    )
    sending = {row.claim_token: row for row in await connection.execute(query)}
    poll_at = uow.now + timedelta(seconds=uow.settings.receipt_poll_seconds)
    accepted, special = [], []
    for outcome in outcomes:
        result, row = outcome.result, sending.get(outcome.claim_token)
        if (
            row is None
            or not isinstance(result, Accepted)
            or result.status == MessageStatus.DELIVERED
        ):
            special.append(outcome)
            continue
        status = at_least_accepted(result.status)
        accepted.append(
            {"token": outcome.claim_token, "sid": result.sid, "now": uow.now, "heard": status,
             "counted": result.segments, "message": row.id,
             "ask": poll_at if row.channel == Channel.SMS else None}
        )  # fmt: skip
        if row.request_id is not None:
            uow.changed_requests.add(row.request_id)
    if accepted:
        await connection.execute(_ACCEPT_MESSAGE, accepted)
        await connection.execute(_ACCEPT_ATTEMPT, accepted)
    return special


def at_least_accepted(status: MessageStatus) -> MessageStatus:
    """The status after the provider's first answer, which has accepted the message at least."""
    known = (MessageStatus.ACCEPTED, MessageStatus.SENT, MessageStatus.DELIVERED)
    return status if status in known else MessageStatus.ACCEPTED


_ACCEPT_MESSAGE = (
    sa.update(Message)
    .where(col(Message.id) == sa.bindparam("message"))
    .values(
        status=sa.bindparam("heard"),
        provider_sid=sa.func.coalesce(col(Message.provider_sid), sa.bindparam("sid")),
        segments=sa.func.coalesce(
            sa.func.nullif(sa.bindparam("counted", type_=sa.Integer), 0), col(Message.segments)
        ),
        sent_at=sa.func.coalesce(col(Message.sent_at), sa.bindparam("now")),
        poll_at=sa.bindparam("ask"),
    )
)
_ACCEPT_ATTEMPT = (
    sa.update(SendAttempt)
    .where(col(SendAttempt.claim_token) == sa.bindparam("token"))
    .values(
        status=MessageStatus.ACCEPTED,
        provider_sid=sa.bindparam("sid"),
        finished_at=sa.bindparam("now"),
    )
)
