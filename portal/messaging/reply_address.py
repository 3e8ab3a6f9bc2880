"""The address to which a customer answers a mail: it alone says which request is meant."""

import hashlib
import hmac
import re

from portal.settings import Settings

TOKEN = re.compile(r"reply\+([0-9a-z]+)-([0-9a-f]{24})@", re.IGNORECASE)


def reply_address(settings: Settings, request_id: int) -> str:
    """An opaque address for one request; nobody can make one for another's. Empty without mail."""
    if not settings.mail_from:
        return ""
    domain = settings.mail_from.rpartition("@")[2].strip("> ")
    key = settings.secret_keys[0].get_secret_value()
    return f"reply+{request_id}-{_seal(key, request_id)}@{domain}"


def find_request_id(settings: Settings, address: str) -> int | None:
    """The request that an address names, where its seal is ours (an older key's counts too)."""
    found = TOKEN.search(address)
    if not found or not found[1].isdecimal():
        return None
    request_id = int(found[1][:18])
    for key in settings.secret_keys:
        if hmac.compare_digest(_seal(key.get_secret_value(), request_id), found[2].lower()):
            return request_id
    return None


def _seal(key: str, request_id: int) -> str:
    said = f"reply:{request_id}".encode()
    return hmac.new(key.encode(), said, hashlib.sha256).hexdigest()[:24]
