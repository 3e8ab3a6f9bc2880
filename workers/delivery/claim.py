"""Claiming what is due: the database alone says who may send what, and to whom.

A batch takes a dozen statements however large it is, by rows and not by nouns: this is the way that
every message goes.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.messaging.send_rules import (
    KINDS_WITHOUT_OPT_OUT_HINT,
    NOT_DELIVERED,
    due_at,
    with_opt_out_hint,
)
from portal.messaging.sms.bidi import with_direction_mark
from portal.messaging.sms.segments import count_segments
from portal.messaging.verification_codes import reveal_code
from portal.models import (
    SYSTEM_ACTOR,
    Channel,
    Customer,
    Message,
    MessageKind,
    MessageStatus,
    SendAttempt,
    Sender,
)
from portal.models.columns import UtcDateTime
from portal.queries.consent import ConsentQuery, find_permitted
from portal.settings import Settings
from workers.delivery.sending_limits import LimitNotice, apply_sending_limits
from workers.delivery.staleness import find_stale

UNKNOWN_HOLD = timedelta(seconds=30)
"""How long a text whose outcome is unknown keeps the next one to the same person waiting."""


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """What one look at the outbox brought: messages to hand over now, and what staff should know.

    There may be ``more`` as soon as something was found, if only to be dropped. With ``not_before``
    the sender has no room until then.
    """

    messages: Sequence["OutgoingMessage"] = ()
    notices: Sequence[LimitNotice] = ()
    not_before: datetime | None = None
    more: bool = False


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A message taken for sending, and the claim under which it goes."""

    id: int
    channel: Channel
    to_address: str
    body: str
    claim_token: str
    provider_sid: str | None


async def claim_due(
    session: AsyncSession,
    settings: Settings,
    now: datetime,
    *,
    channel: Channel,
    sender: str,
    most: int,
) -> ClaimResult:
    """Take up to ``most`` due messages for sending, one a recipient, the oldest first.

    Each is checked again: expired, stopped, too late at night or over a ceiling, it is not taken.
    While ``sender`` rests nothing is, and no more than its pace allows. The caller commits before
    anything is sent, so that no other worker takes the same.
    """
    us = await _hold_sender(session, sender)
    rate = settings.provider_rate if channel == Channel.SMS else None
    room, not_before = _room(us, now, rate, most)
    if room == 0:
        return ClaimResult(not_before=not_before)
    connection = await session.connection()
    asked = {
        "now": now, "unknown_since": now - UNKNOWN_HOLD, "channel": channel, "most": room,
    }  # fmt: skip
    found = (await connection.execute(_due(), asked)).all()
    going = await _look_again(session, settings, now, found)
    notices: list[LimitNotice] = []
    if channel == Channel.SMS and going:
        going, notices = await apply_sending_limits(connection, settings, now, us, going)
    if not going:
        return ClaimResult(notices=notices, more=bool(found))
    us.add_segments(now, sum(row.segments for row in going))
    if rate is not None:
        us.use_capacity(now, rate, len(going))
    return ClaimResult(await _take(connection, settings, now, going), notices, more=True)


async def _look_again(
    session: AsyncSession, settings: Settings, now: datetime, found: Sequence[Any]
) -> list[Any]:
    """Those that may still go; on the others it is written why not, or from when."""
    if not found:
        return []
    welcome = await find_permitted(session, {_wish(row) for row in found})
    connection = await session.connection()
    stale = await find_stale(session, now, found)
    going: list[Any] = []
    for row in found:
        is_welcome = _wish(row) in welcome
        kept_back = _kept_back(row, now, settings, is_welcome=is_welcome) or stale.get(row.id)
        if kept_back:
            await connection.execute(
                sa.update(Message).where(col(Message.id) == row.id).values(kept_back)
            )
        else:
            going.append(row)
    return going


async def _take(
    connection: AsyncConnection, settings: Settings, now: datetime, rows: Sequence[Any]
) -> list[OutgoingMessage]:
    """Write the claims down, each with its attempt."""
    claimed = [_claim(row, settings) for row in rows]
    first = [_reworded(one) for one, row in zip(claimed, rows, strict=True) if one.body != row.body]
    if first:
        await connection.execute(_REWORD, first)
    tries = [row.attempts + 1 for row in rows]
    await connection.execute(_TAKE, [_taken(*one, now) for one in zip(claimed, tries)])  # noqa: B905 (made side by side)
    await connection.execute(
        sa.insert(SendAttempt),
        [
            {"message_id": one.id, "number": number, "claim_token": one.claim_token,
             "claimed_at": now, "status": MessageStatus.SENDING, "error": ""}
            for one, number in zip(claimed, tries, strict=True)
        ],
    )  # fmt: skip
    # Only now, when all that is kept has been written: digits are written nowhere.
    return [
        replace(one, body=reveal_code(settings, row.kind, row.cause, one.body))
        for one, row in zip(claimed, rows, strict=True)
    ]


def _room(us: Sender, now: datetime, rate: float | None, most: int) -> tuple[int, datetime | None]:
    """How many may go, and if none, when one may."""
    if us.is_paused(now):
        return 0, us.paused_until
    if us.pause_reason:
        most = 1  # One shows whether we are welcome again.
    if rate is None:
        return most, None
    available_capacity = min(most, us.available_capacity(now, rate))
    return available_capacity, None if available_capacity else us.next_capacity_at(now, rate)


async def _hold_sender(session: AsyncSession, name: str) -> Sender:
    """Our sender's row, held until the claim is committed: all workers keep to one pace."""
    us = await session.get(Sender, name, with_for_update=True)
    if us is None:
        us = Sender(name=name)
        session.add(us)
        await session.flush()
    return us


@cache
def _due() -> sa.Select[Any]:
    """Built once: it is asked every few seconds, and building it takes longer than the answer."""
    now = sa.bindparam("now", type_=UtcDateTime())
    unknown_since = sa.bindparam("unknown_since", type_=UtcDateTime())
    busy, older = aliased(Message), aliased(Message)
    under_way = sa.exists().where(
        col(busy.to_address) == col(Message.to_address),
        # Said as the partial index says it, so that it serves.
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
        sa.select(
            *(getattr(Message, name) for name in MESSAGE_COLUMNS),
            col(Customer.timezone),
            col(Customer.locale),
            (~_has_had_a_text()).label("is_first"),
        )
        .outerjoin(Customer, col(Customer.id) == col(Message.customer_id))
        .where(
            col(Message.status) == MessageStatus.QUEUED,
            col(Message.due_at) <= now,
            col(Message.channel) == sa.bindparam("channel"),
            ~under_way,
            ~before,
        )
        .order_by(col(Message.due_at), col(Message.id))
        .limit(sa.bindparam("most", type_=sa.Integer()))
        .with_for_update(skip_locked=True, of=Message)
    )


MESSAGE_COLUMNS = (
    "id", "channel", "kind", "to_address", "body", "request_id", "expires_at", "attempts",
    "provider_sid", "urgent", "segments", "created_at", "cause",
)  # fmt: skip


def _has_had_a_text() -> sa.Exists:
    earlier = aliased(Message)
    return sa.exists().where(
        col(earlier.to_address) == col(Message.to_address),
        col(earlier.channel) == Channel.SMS,
        col(earlier.status).not_in(NOT_DELIVERED | {MessageStatus.QUEUED}),
    )


def _wish(row: Any) -> ConsentQuery:
    return ConsentQuery(row.channel, row.to_address, row.request_id)


def _kept_back(
    row: Any, now: datetime, settings: Settings, *, is_welcome: bool
) -> dict[str, Any] | None:
    """What to write on a message that may not go now; None for one that may."""
    if row.expires_at is not None and row.expires_at <= now:
        reason = "It could not be sent in time, and later it would only confuse."
        late: dict[str, Any] = {"status": MessageStatus.EXPIRED, "reason": reason}
        if row.kind == MessageKind.CODE:
            late |= {
                "handled_at": now,
                "handled_by": SYSTEM_ACTOR.name,
            }  # Another is asked for in a moment.
        return late
    # The answer to a wish to stop is the last text of all; notices go to our own people.
    if row.kind not in (MessageKind.CONSENT, MessageKind.NOTICE) and not is_welcome:
        reason = "They asked us not to write here."
        return {"status": MessageStatus.SUPPRESSED, "reason": reason}
    if row.timezone is not None:
        later = due_at(settings, now, row.timezone, row.channel, row.kind, urgent=row.urgent)
        if later > now:
            return {"due_at": later}
    return None


def _claim(row: Any, settings: Settings) -> OutgoingMessage:
    token, sid = secrets.token_hex(12), row.provider_sid
    if row.channel == Channel.EMAIL and sid is None:
        # Its Message-ID, fixed before the first try: the same mail twice is one mail.
        domain = (settings.mail_from or "localhost").rpartition("@")[2].strip("> ")
        sid = f"<kept.{row.id}.{token}@{domain}>"
    body = row.body
    if row.channel == Channel.SMS and row.is_first and row.kind not in KINDS_WITHOUT_OPT_OUT_HINT:
        # The one that was to say so may have been dropped.
        locale = row.locale or "en"
        body = with_direction_mark(with_opt_out_hint(body, settings.brand, locale), locale)
    return OutgoingMessage(row.id, row.channel, row.to_address, body, token, sid)


def _reworded(claimed: OutgoingMessage) -> dict[str, Any]:
    segments = count_segments(claimed.body).segments
    return {"reworded_id": claimed.id, "words": claimed.body, "counted": segments}


def _taken(claimed: OutgoingMessage, tries: int, now: datetime) -> dict[str, Any]:
    return {
        "taken_id": claimed.id, "tries": tries, "token": claimed.claim_token, "now": now,
        "sid": claimed.provider_sid,
    }  # fmt: skip


_REWORD = (
    sa.update(Message)
    .where(col(Message.id) == sa.bindparam("reworded_id"))
    .values(body=sa.bindparam("words"), segments=sa.bindparam("counted"))
)
_TAKE = (
    sa.update(Message)
    .where(col(Message.id) == sa.bindparam("taken_id"))
    .values(
        status=MessageStatus.SENDING,
        attempts=sa.bindparam("tries"),
        claim_token=sa.bindparam("token"),
        claimed_at=sa.bindparam("now"),
        reconciled_at=None,
        provider_sid=sa.bindparam("sid"),
    )
)
