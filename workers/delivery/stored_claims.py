"""Stores claims: what is sent, by which transport, and the attempt that is made."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from portal.messaging.code_masking import reveal_code
from portal.messaging.send_rules import KINDS_WITHOUT_OPT_OUT_HINT, with_opt_out_hint
from portal.messaging.sms.bidi import with_direction_mark
from portal.messaging.sms.segments import count_segments
from portal.models import Channel, Message, MessageStatus, SendAttempt, Transport
from portal.operations.delivery.rewording import Wording
from portal.settings import Settings
from workers.delivery.whatsapp import WhatsAppRoute


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A message claimed for sending, and its claim.

    ``transport`` is None for what is no text. With a ``content_sid`` it goes by that WhatsApp
    template, whose variables are the JSON ``content_variables``; ``body`` is then what we keep of it.
    ``whatsapp_number`` is the recipient as WhatsApp spells it.
    """

    id: int
    channel: Channel
    to_address: str
    body: str
    claim_token: str
    provider_sid: str | None
    transport: Transport | None = None
    content_sid: str = ""
    content_variables: str = ""
    whatsapp_number: str = ""


async def store_claims(
    connection: AsyncConnection,
    settings: Settings,
    now: datetime,
    rows: Sequence[Any],
    wordings: Mapping[int, Wording],
    routes: Mapping[int, WhatsAppRoute],
) -> list[OutgoingMessage]:
    """Store the claim of each row, with its attempt; ``routes`` are those that go by WhatsApp."""
    worded = [wordings.get(row.id) or Wording(row.body, row.subject) for row in rows]
    claimed = [
        _routed(_claim(row, wording.body, settings), routes.get(row.id), row, settings)
        for row, wording in zip(rows, worded, strict=True)
    ]
    changed = [
        {"reworded_id": message.id, "new_body": message.body, "new_subject": wording.subject}
        for message, wording, row in zip(claimed, worded, rows, strict=True)
        if (message.body, wording.subject) != (row.body, row.subject)
    ]
    if changed:
        await connection.execute(_REWORD, changed)
    await connection.execute(
        _TAKE, [_taken(message, row, now) for message, row in zip(claimed, rows, strict=True)]
    )
    await connection.execute(
        sa.insert(SendAttempt),
        [
            {"message_id": message.id, "number": row.attempts + 1, "claim_token": message.claim_token,
             "claimed_at": now, "status": MessageStatus.SENDING, "error": ""}
            for message, row in zip(claimed, rows, strict=True)
        ],
    )  # fmt: skip
    # Only after everything is stored: the digits of a code are stored nowhere.
    return [
        replace(message, body=reveal_code(settings, row.kind, row.cause, message.body))
        for message, row in zip(claimed, rows, strict=True)
    ]


def _claim(row: Any, body: str, settings: Settings) -> OutgoingMessage:
    token, sid = secrets.token_hex(12), row.provider_sid
    if row.channel == Channel.EMAIL and sid is None:
        # Its Message-ID, set before the first attempt: the same mail twice is one mail.
        domain = (settings.mail_from or "localhost").rpartition("@")[2].strip("> ")
        sid = f"<kept.{row.id}.{token}@{domain}>"
    if row.channel == Channel.SMS and row.is_first and row.kind not in KINDS_WITHOUT_OPT_OUT_HINT:
        # The text that was to have the opt-out hint may have been dropped.
        locale = row.locale or "en"
        body = with_direction_mark(with_opt_out_hint(body, settings.brand, locale), locale)
    return OutgoingMessage(row.id, row.channel, row.to_address, body, token, sid)


def _routed(
    claimed: OutgoingMessage, route: WhatsAppRoute | None, row: Any, settings: Settings
) -> OutgoingMessage:
    """The message with its transport."""
    if claimed.channel != Channel.SMS:
        return claimed
    if route is None:
        return replace(claimed, transport=Transport.SMS)
    variables = route.content_variables(settings, claimed.body, row.locale or "en")
    return replace(
        claimed,
        transport=Transport.WHATSAPP,
        content_sid=route.content_sid,
        content_variables=variables,
        whatsapp_number=route.number,
    )


def _taken(claimed: OutgoingMessage, row: Any, now: datetime) -> dict[str, Any]:
    """The parameters of _TAKE. WhatsApp has no segments; a text that it refused has them again."""
    segments = row.segments
    if claimed.transport == Transport.WHATSAPP:
        segments = 0
    elif claimed.transport == Transport.SMS and (claimed.body != row.body or not segments):
        segments = count_segments(claimed.body).segments
    return {
        "taken_id": claimed.id, "tries": row.attempts + 1, "token": claimed.claim_token, "now": now,
        "sid": claimed.provider_sid, "counted": segments, "by": claimed.transport,
        "template": claimed.content_sid,
    }  # fmt: skip


_REWORD = (
    sa.update(Message)
    .where(col(Message.id) == sa.bindparam("reworded_id"))
    .values(body=sa.bindparam("new_body"), subject=sa.bindparam("new_subject"))
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
        segments=sa.bindparam("counted"),
        transport=sa.bindparam("by"),
        template_sid=sa.bindparam("template"),
    )
)
