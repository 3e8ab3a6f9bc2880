"""Who sent a text, by the ``From`` of its webhook."""

import re
from collections.abc import Collection

from portal.models.messages.transport import Transport
from portal.models.people.contact_address import parse_phone, without_invisible

CHANNEL_PREFIX = re.compile(r"\A(rcs|whatsapp):", re.IGNORECASE)
"""What Twilio puts before an address of RCS or WhatsApp (a "channel address")."""
WHATSAPP_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
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


def read_transport(text: str) -> Transport:
    """What carries texts from or to this address of Twilio's."""
    prefix = CHANNEL_PREFIX.match(without_invisible(text).strip())
    return Transport(prefix[1].lower()) if prefix else Transport.SMS


def read_whatsapp_number(text: str) -> str:
    """The number in an address of WhatsApp's, as WhatsApp spells it; "" for any other address.

    WhatsApp keeps old spellings, such as +52 1 in Mexico, and is reached by no other.
    """
    number = CHANNEL_PREFIX.sub("", without_invisible(text).strip())
    is_number = read_transport(text) == Transport.WHATSAPP and WHATSAPP_NUMBER.fullmatch(number)
    return number if is_number else ""


def channel_address(number: str, transport: Transport) -> str:
    """Twilio's address of an E.164 number by this transport.

    The messaging service itself decides between RCS and SMS, so both have the number alone.
    """
    return f"whatsapp:{number}" if transport == Transport.WHATSAPP else number


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
