"""Leaves customers' links and signed reply addresses out of what staff and other systems read.

Who has such a link acts as its customer, or follows their request. It stands in messages, and in what people quote of them.
"""

import re
from typing import Any

from portal.messaging.email.signed_addresses import SIGNED_ADDRESS_PATTERN

MASKED_LINK = "[link]"
"""Stands for the link; in a message that is written it becomes the customer's link."""
LINK_PATTERN = re.compile(
    # The host is taken along as far as it goes. Possessive, so that the time is linear.
    r"(?<![\w.:-])(?:https?://)?[\w.:-]*+(?:/|%2F)[rs](?:/|%2F)[\w-]{22,64}(?:(?:/|%2F)[\w.-]*\w)*+",
    re.IGNORECASE,
)


def mask_secrets(text: str) -> str:
    """The text with "[link]" for each link, and without the signature of a reply address."""
    if "/r/" in text or "/s/" in text or "%2" in text:
        text = LINK_PATTERN.sub(MASKED_LINK, text)
    return SIGNED_ADDRESS_PATTERN.sub(r"\1@", text) if "+" in text else text


def mask_secrets_within(value: Any) -> Any:
    """The same for each text in a value of JSON; anything else stays as it is."""
    if type(value) is str:
        return mask_secrets(value)
    if isinstance(value, dict):
        return {name: mask_secrets_within(item) for name, item in value.items()}
    if isinstance(value, list):
        return [mask_secrets_within(item) for item in value]
    return value


def put_link(text: str, link: str) -> str:
    """The text with the customer's link in place of each "[link]"."""
    return text.replace(MASKED_LINK, link)
