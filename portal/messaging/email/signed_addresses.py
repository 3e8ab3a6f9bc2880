"""Signed mail addresses: for replies of customers, and for bounces.

The address alone names the request or the message; nobody can make one for another.
"""

import hashlib
import hmac
import re

from portal.settings import Settings

SIGNED_ADDRESS_PATTERN = re.compile(
    r"\b(reply|bounce)\+([0-9]{1,18})-([0-9a-f]{24})@", re.IGNORECASE
)
MAX_FOUND = 10
"""Requests that one mail is recorded on."""


def reply_address(settings: Settings, request_id: int) -> str:
    """Where a customer answers a mail about this request. Empty without mail."""
    return _sealed(settings, "reply", request_id)


def bounce_address(settings: Settings, message_id: int) -> str:
    """The sender on this mail's envelope, to which a mail server returns it (RFC 5321, 4.5.5).

    Empty where no mail comes in: then it is returned to our own sender, where people read it.
    """
    return _sealed(settings, "bounce", message_id) if settings.mail_hook_token else ""


def find_request_id(settings: Settings, addresses: str) -> int | None:
    """The first request that one of these addresses names, by a seal of ours."""
    return next(iter(find_request_ids(settings, addresses)), None)


def find_request_ids(settings: Settings, addresses: str) -> list[int]:
    """The requests that these addresses name, by seals of ours: ``MAX_FOUND`` at most."""
    return _find(settings, "reply", addresses)


def find_message_id(settings: Settings, addresses: str) -> int | None:
    """The message whose return one of these addresses takes, by a seal of ours."""
    return next(iter(_find(settings, "bounce", addresses)), None)


def mail_domain(settings: Settings) -> str:
    """The domain that our mail comes from. Empty without mail."""
    return (settings.mail_from or "").rpartition("@")[2].strip("> ")


def _sealed(settings: Settings, purpose: str, number: int) -> str:
    if not settings.mail_from:
        return ""
    key = settings.secret_keys[0].get_secret_value()
    return f"{purpose}+{number}-{_seal(key, purpose, number)}@{mail_domain(settings)}"


def _find(settings: Settings, purpose: str, addresses: str) -> list[int]:
    """The numbers in the addresses whose seal is ours; an older key's counts too."""
    found: dict[int, None] = {}
    for said, number, seal in SIGNED_ADDRESS_PATTERN.findall(addresses):
        for key in settings.secret_keys:
            ours = _seal(key.get_secret_value(), purpose, int(number))
            if said.lower() == purpose and hmac.compare_digest(ours, seal.lower()):
                found[int(number)] = None
    return list(found)[:MAX_FOUND]


def _seal(key: str, purpose: str, number: int) -> str:
    said = f"{purpose}:{number}".encode()
    return hmac.new(key.encode(), said, hashlib.sha256).hexdigest()[:24]
