"""WhatsApp and RCS at the carrier: channel addresses, templates and the customer service window.

Source: https://www.twilio.com/docs/messaging/channels and .../docs/whatsapp/key-concepts
"""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from portal.demo.fake_providers.config import CarrierConfig
from portal.demo.fake_providers.errors import CarrierError
from portal.demo.fake_providers.faults import Fault, FaultKind
from portal.demo.fake_providers.sms import Text, number_of

WHATSAPP, RCS = "whatsapp", "rcs"
PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")


def channel_of(address: str) -> str:
    """The channel of an address: whatsapp, rcs, or "" for a number alone."""
    channel, colon, _ = address.partition(":")
    return channel.lower() if colon else ""


def route(config: CarrierConfig, to: str) -> tuple[str, str]:
    """The sender and the recipient of a text to this address, as the messaging service picks them.

    RCS comes first where the service has it and the phone takes it; else the text goes by SMS.
    Raises CarrierError where no sender of the channel is there.
    """
    channel, number = channel_of(to), number_of(to)
    takes_rcs = config.rcs_agent is not None and number in config.rcs_numbers
    if channel == WHATSAPP:
        if config.whatsapp_number is None:
            raise CarrierError(63007)
        return f"whatsapp:{config.whatsapp_number}", f"whatsapp:{number}"
    if takes_rcs and config.messaging_service_sid:
        return f"rcs:{config.rcs_agent}", f"rcs:{number}"
    if channel == RCS:
        raise CarrierError(63007)
    return config.from_number, number


def receiver(config: CarrierConfig, from_: str) -> str:
    """Our address that a customer's text from this one goes to."""
    if channel_of(from_) == WHATSAPP:
        return f"whatsapp:{config.whatsapp_number}"
    return f"rcs:{config.rcs_agent}" if channel_of(from_) == RCS else config.from_number


def fill_template(config: CarrierConfig, sid: str, variables: str) -> str:
    """The body of a template with its variables. Raises CarrierError as Twilio refuses them."""
    template = config.templates.get(sid)
    if template is None:
        raise CarrierError(21655)
    try:
        values = json.loads(variables or "{}")
    except ValueError:
        raise CarrierError(21656) from None
    is_filled = isinstance(values, Mapping) and all(map(_is_value, values.values()))
    if not is_filled or not set(PLACEHOLDER.findall(template)) <= set(values):
        raise CarrierError(21656)
    return PLACEHOLDER.sub(lambda found: str(values[found[1]]), template)


def window_fault(
    config: CarrierConfig, texts: Iterable[Text], text: Text, now: datetime
) -> Fault | None:
    """Free text by WhatsApp fails with 63016 where the customer has not written within the window."""
    if channel_of(text.to) != WHATSAPP or text.content_sid:
        return None
    since = now - timedelta(seconds=config.whatsapp_window)
    is_open = any(
        item.is_inbound and channel_of(item.from_) == WHATSAPP and item.created_at > since
        for item in texts
    )
    return None if is_open else Fault(do=FaultKind.FAILED, code=63016)


def _is_value(value: object) -> bool:
    """WhatsApp takes a variable in one line, and none that is empty."""
    return isinstance(value, str) and bool(value) and not set(value) & set("\n\t")
