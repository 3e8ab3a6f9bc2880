"""A browser's subscription as its page sends it: untrusted.

Apart from the client, whose library the web processes need not load.
"""

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import urlsplit

MAX_ENDPOINT_LENGTH = 1_000
POINT_BYTES, AUTH_BYTES = 65, 16
"""The lengths of the browser's public key and of its shared secret (RFC 8291)."""


@dataclass(frozen=True, slots=True)
class PushTarget:
    """A browser's subscription: the secret URL of its push service, and its keys in base64url."""

    endpoint: str
    p256dh: str
    auth: str

    def check(self) -> None:
        """Raises ValueError for what is no subscription, or leads to no public push service."""
        url = urlsplit(self.endpoint)
        host = url.hostname or ""
        if (
            len(self.endpoint) > MAX_ENDPOINT_LENGTH
            or not self.endpoint.isascii()
            or url.scheme != "https"
            or url.port not in (None, 443)
            or "@" in url.netloc
            or "." not in host
            or _is_address(host)
        ):
            raise ValueError("no push service")
        if _length(self.p256dh) != POINT_BYTES or _length(self.auth) != AUTH_BYTES:
            raise ValueError("no keys of a browser")


def _is_address(host: str) -> bool:
    """Whether the host is an address, which no resolver would check."""
    return ":" in host or host.rsplit(".", 1)[-1].isdigit()


def _length(base64url: str) -> int:
    try:
        return len(
            base64.b64decode(base64url + "=" * (-len(base64url) % 4), altchars=b"-_", validate=True)
        )
    except (binascii.Error, ValueError):
        return 0
