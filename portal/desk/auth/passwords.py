"""Passwords: argon2id, in a thread of its own, at the same cost for everybody."""

import asyncio
import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from portal.errors import BadInput

MIN_LENGTH = 12
MAX_LENGTH = 200

# Its defaults are RFC 9106's second recommended choice (64 MiB).
_hasher = PasswordHasher()


async def hash_password(password: str) -> str:
    """The hash to keep. Raises BadInput for a password that is too short or far too long."""
    if len(password) < MIN_LENGTH:
        raise BadInput(
            f"Please choose at least {MIN_LENGTH} characters.",
            fields={"password": f"Please choose at least {MIN_LENGTH} characters."},
        )
    if len(password) > MAX_LENGTH:
        raise BadInput(
            f"Please keep it under {MAX_LENGTH} characters.",
            fields={"password": f"Please keep it under {MAX_LENGTH} characters."},
        )
    return await asyncio.to_thread(_hasher.hash, password)


async def verify_password(password_hash: str | None, password: str) -> bool:
    """True for the right password; without a hash it takes the same time."""
    return await asyncio.to_thread(_verify, password_hash, password[:MAX_LENGTH])


def _verify(password_hash: str | None, password: str) -> bool:
    try:
        _hasher.verify(password_hash or _unused_hash(), password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


@cache
def _unused_hash() -> str:
    return _hasher.hash(secrets.token_urlsafe(16))
