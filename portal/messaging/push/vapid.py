"""The keys by which push services know us (VAPID, RFC 8292): derived from the secret key.

So there is no further secret to make, to keep and to share among processes; while an older secret
key is accepted, so are the subscriptions that were made under it.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
TOKEN_LIFETIME = timedelta(hours=12)
"""At most 24 hours (RFC 8292, section 2)."""


def public_key(secret: str) -> str:
    """The public key under this secret key, as a browser's ``applicationServerKey`` (base64url)."""
    point = _private_key(secret).public_key()
    encoded = point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(encoded).rstrip(b"=").decode()


def authorization(
    endpoint: str, for_key: str, secrets: Iterable[str], host: str, now: datetime
) -> str | None:
    """The Authorization header for this push service, signed by the key with that public key.

    ``host`` is ours. None where no secret key that is still accepted has that public key.
    """
    secret = next((each for each in secrets if public_key(each) == for_key), None)
    if secret is None:
        return None
    service = urlsplit(endpoint)
    claims = {
        "sub": f"https://{host}",
        "aud": f"{service.scheme}://{service.netloc}",
        "exp": int((now + TOKEN_LIFETIME).timestamp()),
    }
    # Not strict: a host without a dot is as good for a machine of one's own.
    vapid = Vapid02(private_key=_private_key(secret), conf={"no-strict": True})
    signed: str = vapid.sign(claims)["Authorization"]
    return signed


@cache
def _private_key(secret: str) -> ec.EllipticCurvePrivateKey:
    seed = hmac.digest(secret.encode(), b"web push", hashlib.sha512)
    return ec.derive_private_key(int.from_bytes(seed) % (P256_ORDER - 1) + 1, ec.SECP256R1())
