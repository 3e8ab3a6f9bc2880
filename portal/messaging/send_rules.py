"""What holds for each message, when it is written and again when it is claimed."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from portal.messaging.sms.gsm_text import to_gsm7
from portal.messaging.wording.renderer import product_text
from portal.models import RESPONSE_KINDS, Channel, MessageKind, MessageStatus
from portal.settings import QuietHours, Settings
from portal.settings.types import after_quiet_hours

OPT_OUT_HINT = re.compile(
    r"\bSTOP (?:to|2|for|para)\b"
    r"|(?:reply|text|send|with|opt[- ]?out|unsubscribe|baja|responda|conteste|env[ií]e|escriba|con)"
    r"\W{1,3}STOP\b"
    r"|[\u0600-\u06ff]\W{1,3}STOP\b",
    re.IGNORECASE,
)
"""How a text says the way out: by the keyword that carriers act on, in every language.

The keyword alone is none: it may stand in what a colleague or a customer has written.
"""
NOT_DELIVERED = frozenset(
    {
        MessageStatus.SUPPRESSED,
        MessageStatus.EXPIRED,
        MessageStatus.FAILED,
        MessageStatus.UNDELIVERED,
    }
)
"""Statuses of a text that the customer has not read."""

KINDS_WITHOUT_OPT_OUT_HINT = frozenset({MessageKind.CONSENT, MessageKind.CODE})
"""Kinds without an opt-out hint: they are about opting out, or their last line must stay last."""


def with_opt_out_hint(body: str, brand: str, locale: str) -> str:
    """The text for somebody who has had no text from us, with the brand and the opt-out hint."""
    brand = to_gsm7(brand)
    text = body if brand in body else f"{brand}: {body}"
    return text if OPT_OUT_HINT.search(text) else f"{text} {product_text('stop_hint', locale)}"


def due_at(
    settings: Settings,
    now: datetime,
    timezone: str,
    channel: Channel,
    kind: MessageKind,
    *,
    urgent: bool = False,
    own: QuietHours | None = None,
) -> datetime:
    """When such a message may be sent in this zone: now, or after the quiet hours.

    ``own`` are the hours that the customer asked for. Quiet hours delay neither urgent messages
    nor replies.
    """
    quiet = settings.mail_quiet_hours if channel == Channel.EMAIL else settings.quiet_hours
    if urgent or kind in RESPONSE_KINDS or not (quiet or own):
        return now
    return after_quiet_hours(now, ZoneInfo(timezone), (quiet, own))
