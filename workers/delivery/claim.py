"""Claims due messages: the database alone decides which worker may send which message.

A batch takes a dozen statements however large it is, by rows and not by models: every outgoing
message passes here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.business_time import zone_names
from portal.messaging.send_rules import due_at
from portal.models import (
    SYSTEM_ACTOR,
    Channel,
    DeliveryReason,
    Message,
    MessageKind,
    MessageStatus,
    Sender,
)
from portal.models.messages.sender import PROBE_INTERVAL
from portal.operations.delivery.rewording import has_waited, reword
from portal.queries.consent import ConsentQuery, find_permitted
from portal.settings import QuietHours, Settings
from workers.delivery.due_messages import due_message, due_messages
from workers.delivery.sending_limits import LimitNotice, apply_sending_limits
from workers.delivery.staleness import find_stale
from workers.delivery.stored_claims import OutgoingMessage, store_claims
from workers.delivery.whatsapp import WhatsAppRoute, find_routes

UNKNOWN_HOLD = timedelta(seconds=30)
"""How long a text with an unknown outcome delays the next one to the same number."""


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """The result of one look at the outbox: messages to send now, and notices for staff.

    ``more``: something was found, if only to be dropped, so there may be more. ``not_before``: the
    sender has no capacity until then. ``needs_probe``: the provider was down, and the caller is to
    ask whether it has recovered.
    """

    messages: Sequence[OutgoingMessage] = ()
    notices: Sequence[LimitNotice] = ()
    not_before: datetime | None = None
    needs_probe: bool = False
    more: bool = False


async def claim_due(
    session: AsyncSession,
    settings: Settings,
    now: datetime,
    *,
    channel: Channel,
    sender: str,
    most: int,
    only: int | None = None,
) -> ClaimResult:
    """Claim up to ``most`` due messages, one for each recipient, the oldest first.

    Each is checked again: one that has expired, whose recipient has stopped, that falls into quiet
    hours or is over a limit is not claimed. None is while ``sender`` is paused, and no more than its
    rate allows. One that has waited is worded anew. The caller commits before anything is sent, so
    that no other worker claims the same.
    ``only`` is the id of the one message to claim.
    """
    sender_row = await _hold_sender(session, sender)
    rate = settings.provider_rate if channel == Channel.SMS else None
    if sender_row.needs_probe(now):
        sender_row.pause(
            now + PROBE_INTERVAL, DeliveryReason.PROVIDER_DOWN
        )  # No other worker asks too.
        return ClaimResult(needs_probe=True)
    room, not_before = _room(sender_row, now, rate, most)
    if room == 0:
        return ClaimResult(not_before=not_before)
    connection = await session.connection()
    query = due_messages() if only is None else due_message()
    asked = due_parameters(now, channel, room) | ({} if only is None else {"only": only})
    found = (await connection.execute(query, asked)).all()
    going = await _recheck(session, settings, now, found)
    notices: list[LimitNotice] = []
    routes: Mapping[int, WhatsAppRoute] = {}
    if channel == Channel.SMS and going:
        routes = await find_routes(session, settings, now, going)
        going, notices = await apply_sending_limits(
            connection, settings, now, sender_row, going, without_segments=routes
        )
    if not going:
        return ClaimResult(notices=notices, more=bool(found))
    sender_row.begin_trial(now)
    sender_row.add_segments(now, sum(row.segments for row in going if row.id not in routes))
    if rate is not None:
        sender_row.use_capacity(now, rate, len(going))
    wordings = await reword(session, settings, now, [row for row in going if has_waited(row, now)])
    taken = await store_claims(connection, settings, now, going, wordings, routes)
    return ClaimResult(taken, notices, more=True)


def due_parameters(now: datetime, channel: Channel, most: int) -> dict[str, Any]:
    """The parameters of the queries for due messages."""
    since = now - UNKNOWN_HOLD
    return {"now": now, "unknown_since": since, "channel": channel, "most": most}


async def _recheck(
    session: AsyncSession, settings: Settings, now: datetime, found: Sequence[Any]
) -> list[Any]:
    """The messages that may still be sent; the others are updated with why not, or from when."""
    if not found:
        return []
    welcome = await find_permitted(session, {_wish(row) for row in found})
    connection = await session.connection()
    stale = await find_stale(session, now, found)
    going: list[Any] = []
    for row in found:
        is_welcome = _wish(row) in welcome
        held_back = _hold_back(row, now, settings, is_welcome=is_welcome) or stale.get(row.id)
        if held_back:
            await connection.execute(
                sa.update(Message).where(col(Message.id) == row.id).values(held_back)
            )
        else:
            going.append(row)
    return going


def _room(
    sender_row: Sender, now: datetime, rate: float | None, most: int
) -> tuple[int, datetime | None]:
    """How many messages may be sent, and if none, when one may."""
    if sender_row.is_paused(now):
        return 0, sender_row.paused_until
    if sender_row.is_on_trial(now):
        return 0, None  # The outcome wakes the sender.
    if sender_row.trial_size is not None:
        most = min(most, sender_row.trial_size)
    if rate is None:
        return most, None
    available_capacity = min(most, sender_row.available_capacity(now, rate))
    return available_capacity, None if available_capacity else sender_row.next_capacity_at(
        now, rate
    )


async def _hold_sender(session: AsyncSession, name: str) -> Sender:
    """The sender's row, locked until the claim is committed: all workers share one rate."""
    sender_row = await session.get(Sender, name, with_for_update=True)
    if sender_row is None:
        sender_row = Sender(name=name)
        session.add(sender_row)
        await session.flush()
    return sender_row


def _wish(row: Any) -> ConsentQuery:
    return ConsentQuery(row.channel, row.to_address, row.request_id)


def _hold_back(
    row: Any, now: datetime, settings: Settings, *, is_welcome: bool
) -> dict[str, Any] | None:
    """The columns of a message that may not be sent now; None for one that may."""
    if row.expires_at is not None and row.expires_at <= now:
        late: dict[str, Any] = {"status": MessageStatus.EXPIRED, "reason": DeliveryReason.EXPIRED}
        if row.kind == MessageKind.CODE:
            late |= {
                "handled_at": now,
                "handled_by": SYSTEM_ACTOR.name,
            }  # The customer asks for another code.
        return late
    if row.kind not in KINDS_WITHOUT_CONSENT and not is_welcome:
        return {"status": MessageStatus.SUPPRESSED, "reason": DeliveryReason.CONSENT_WITHDRAWN}
    if row.timezone is not None:
        if row.timezone not in zone_names():
            raise ValueError("The time zone of the customer cannot be read.")
        later = due_at(
            settings, now, row.timezone, row.channel, row.kind,
            urgent=row.urgent, own=QuietHours.parse(row.quiet_hours),
        )  # fmt: skip
        if later > now:
            return {"due_at": later}
    return None


KINDS_WITHOUT_CONSENT = (MessageKind.CONSENT, MessageKind.NOTICE, MessageKind.CODE)
"""The confirmation of a stop is the last text of all, staff read notices, and a code was asked for."""
