"""Passwords: argon2id, in a thread of its own, at the same cost for everybody."""

import asyncio
import secrets
from collections.abc import Iterable
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from portal.desk.auth.common_passwords import reason_to_refuse
from portal.errors import BadInput

MIN_LENGTH = 12
MAX_LENGTH = 200

# Its defaults are RFC 9106's second recommended choice (64 MiB).
_hasher = PasswordHasher()


async def hash_password(password: str, personal: Iterable[str] = ()) -> str:
    """The hash to keep. Raises BadInput for a password that is too short, far too long or common.

    ``personal`` are texts that others know, such as the person's name and address.
    """
    if len(password) < MIN_LENGTH:
        refusal: str | None = f"Please choose at least {MIN_LENGTH} characters."
    elif len(password) > MAX_LENGTH:
        refusal = f"Please keep it under {MAX_LENGTH} characters."
    else:
        refusal = reason_to_refuse(password, personal)
    if refusal is not None:
        raise BadInput(refusal, fields={"password": refusal})
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
