"""Who sent a text, by the ``From`` of its webhook."""

import re
from collections.abc import Collection

from portal.models.people.contact_address import parse_phone, without_invisible

CHANNEL_PREFIX = re.compile(r"\A(?:rcs|whatsapp):", re.IGNORECASE)
"""What Twilio puts before a number that writes by RCS or WhatsApp."""
KEYPAD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")
"""The digit of each letter on a phone (ITU-T E.161)."""
HIDDEN_NUMBERS = frozenset(
    "+" + word.translate(KEYPAD)
    for word in ("ANONYMOUS", "BLOCKED", "PRIVATE", "RESTRICTED", "UNAVAILABLE", "UNKNOWN")
)
"""Carriers spell such a word in digits where the sender hides the number, as +266696687."""


def read_sender(text: str) -> str:
    """The sender's number in E.164, by whatever channel; what is no phone number, as it is."""
    address = CHANNEL_PREFIX.sub("", without_invisible(text).strip())
    if not address.startswith("+"):
        return address
    try:
        return parse_phone(address)
    except ValueError:
        return address


def takes_texts(address: str, own_numbers: Collection[str | None]) -> bool:
    """Whether a text can go back to this sender.

    Letters, short codes and hidden numbers take none; one of our own numbers would answer itself.
    """
    if address in HIDDEN_NUMBERS or address in own_numbers or not address.startswith("+"):
        return False
    try:
        return parse_phone(address) == address
    except ValueError:
        return False
