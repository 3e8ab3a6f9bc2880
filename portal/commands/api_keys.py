"""`kept apikey`: keys with which other systems call the API."""

import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from sqlmodel import col, select

from portal import business_time
from portal.commands.runner import COMMAND_LINE_ACTOR, command
from portal.errors import BadInput, Conflict, NotFound
from portal.models import ApiKey, ApiScope
from portal.models.people.api_key import KEY_LIFETIME
from portal.operations import Operations

MAX_NAME_LENGTH = 120
MAX_DAYS = 3650


@command
async def create_key(
    operations: Operations, name: str, scopes: Collection[str] = (), expires: str = ""
) -> list[str]:
    """Create a key; its secret is the only line, so that a script can read it.

    ``scopes`` is all of them by default. ``expires`` is a day, a number of days such as "90d", or
    "never"; by default a year.
    """
    key_scopes, lifetime = _read_scopes(scopes), _read_lifetime(expires, business_time.now())
    name = name.strip()
    if not 0 < len(name) <= MAX_NAME_LENGTH or not name.isprintable():
        raise BadInput(f"A key's name has 1 to {MAX_NAME_LENGTH} letters.")

    async with operations.begin(COMMAND_LINE_ACTOR) as uow:
        existing_key = select(ApiKey.id).where(col(ApiKey.name) == name)
        if (await uow.session.exec(existing_key)).first() is not None:
            raise Conflict(f"There is a key named {name!r} already: choose another name.")
        key, secret = ApiKey.make(name, uow.now, key_scopes, lifetime)
        uow.session.add(key)
    return [secret]


@command
async def list_keys(operations: Operations) -> list[str]:
    """A line for each key: its name, since when it is valid or revoked, and what it is for."""
    async with operations.database.reading() as session:
        keys = (await session.exec(select(ApiKey).order_by(col(ApiKey.name)))).all()
    return [
        f"{key.name}: revoked on {key.revoked_at:%Y-%m-%d}"
        if key.revoked_at
        else _describe(key, business_time.now())
        for key in keys
    ] or ["No keys yet: `kept apikey create NAME`."]


@command
async def revoke_key(operations: Operations, name: str) -> list[str]:
    """Revoke a key. Raises NotFound, or Conflict if it is revoked already."""
    async with operations.begin(COMMAND_LINE_ACTOR) as uow:
        query = select(ApiKey).where(col(ApiKey.name) == name.strip())
        key = (await uow.session.exec(query)).one_or_none()
        if key is None:
            raise NotFound(f"There is no key named {name.strip()[:120]!r}.")
        if key.revoked_at:
            raise Conflict(f"The key {key.name!r} is revoked already.")
        key.revoked_at = uow.now
        uow.session.add(key)
    return [f"The key {key.name!r} opens nothing any more."]


def _describe(key: ApiKey, now: datetime) -> str:
    if key.expires_at is None:
        validity = "no expiry"
    else:
        word = "expired on" if key.is_expired(now) else "valid until"
        validity = f"{word} {key.expires_at:%Y-%m-%d}"
    used = f"last used on {key.last_used_at:%Y-%m-%d}" if key.last_used_at else "never used"
    scopes = ", ".join(key.scopes.split())
    return f"{key.name}: made on {key.created_at:%Y-%m-%d}, {validity}, {used}; {scopes}"


def _read_scopes(names: Collection[str]) -> list[ApiScope]:
    """The scopes by their names, which may be separated by commas. Raises BadInput."""
    given = [name.strip() for names_ in names for name in names_.split(",")]
    try:
        return [ApiScope(name) for name in given] or list(ApiScope)
    except ValueError:
        raise BadInput(f"The scopes are {', '.join(ApiScope)}.") from None


def _read_lifetime(expires: str, now: datetime) -> timedelta | None:
    """How long the key is valid; None for "never". Raises BadInput."""
    text = expires.strip().lower()
    if not text:
        return KEY_LIFETIME
    if text == "never":
        return None
    days = text.removesuffix("d")
    if text.endswith("d") and re.fullmatch(r"[0-9]{1,6}", days) and 0 < int(days) <= MAX_DAYS:
        return timedelta(days=int(days))
    try:
        lifetime = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC) - now
    except ValueError:
        lifetime = timedelta()
    if not timedelta() < lifetime <= timedelta(days=MAX_DAYS):
        raise BadInput(
            'Give the expiry as a day to come, such as 2030-12-31, as days, such as 90d, or "never".'
        )
    return lifetime
