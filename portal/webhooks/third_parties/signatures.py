"""The signatures of these webhooks: each is an HMAC-SHA256 (RFC 2104) with a shared secret."""

import base64
import hashlib
import hmac
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta

from starlette.datastructures import Headers

AFTERSHIP_HEADERS = ("aftership-hmac-sha256", "as-signature-hmac-sha256")
EASYPOST_HEADER = "x-hmac-signature"
GENERIC_HEADER = "kept-signature"
TOLERANCE = timedelta(minutes=5)
"""How far the time of a signed call of your own systems may be from ours."""


def is_signed_by_aftership(
    secrets: Sequence[str], body: bytes, headers: Headers, now: datetime
) -> bool:
    """The Base64 of the HMAC of the body. Source: AfterShip, "Webhook Signature"."""
    del now
    signatures = [headers[name] for name in AFTERSHIP_HEADERS if name in headers]
    return any(
        _equal(signature, base64.b64encode(_digest(secret, body)).decode())
        for secret in secrets
        for signature in signatures
    )


def is_signed_by_easypost(
    secrets: Sequence[str], body: bytes, headers: Headers, now: datetime
) -> bool:
    """``hmac-sha256-hex=`` and the HMAC in hex; the secret is normalised to NFKD.

    Source: EasyPost, "Webhooks Guide", and ``validate_webhook`` of its clients.
    """
    del now
    signature = headers.get(EASYPOST_HEADER, "")
    return any(
        _equal(
            signature,
            f"hmac-sha256-hex={_digest(unicodedata.normalize('NFKD', secret), body).hex()}",
        )
        for secret in secrets
    )


def is_signed_generic(secrets: Sequence[str], body: bytes, headers: Headers, now: datetime) -> bool:
    """``t=SECONDS,v1=HEX``: the HMAC of the seconds, a full stop and the body, and not too old."""
    signed_at = find_signed_at(headers)
    if signed_at is None or abs(now.timestamp() - signed_at) > TOLERANCE.total_seconds():
        return False
    signatures = [value for name, value in _parts(headers) if name == "v1"]
    return any(
        _equal(signature, _digest(secret, f"{signed_at}.".encode() + body).hex())
        for secret in secrets
        for signature in signatures
    )


def find_signed_at(headers: Headers) -> int | None:
    """When the call was signed, in seconds since 1970 UTC; None where that is not said."""
    times = [value for name, value in _parts(headers) if name == "t"]
    if len(times) != 1 or not (times[0].isascii() and times[0].isdecimal() and len(times[0]) < 12):
        return None
    return int(times[0])


def _parts(headers: Headers) -> list[tuple[str, str]]:
    parts = headers.get(GENERIC_HEADER, "").split(",")[:10]
    return [
        (name.strip(), value.strip()) for name, _, value in (part.partition("=") for part in parts)
    ]


def _digest(secret: str, body: bytes) -> bytes:
    return hmac.new(secret.encode(), body, hashlib.sha256).digest()


def _equal(given: str, expected: str) -> bool:
    """Whether they are equal, in a time that does not depend on where they differ."""
    return hmac.compare_digest(given.strip().encode(), expected.encode())
