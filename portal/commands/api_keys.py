"""`kept apikey`: keys with which other systems call the API."""

from sqlmodel import col, select

from portal.commands.runner import THE_TERMINAL, act
from portal.errors import BadInput, Conflict, NotFound
from portal.models import ApiKey
from portal.operations import Relay
from portal.settings import Settings

LONGEST_NAME = 120


def create(settings: Settings, name: str) -> list[str]:
    """Make a key; its secret is the only line, so that a script can take it."""
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise BadInput(f"A key's name has 1 to {LONGEST_NAME} letters.")

    async def make(relay: Relay) -> list[str]:
        async with relay.turn(THE_TERMINAL) as turn:
            taken = select(ApiKey.id).where(col(ApiKey.name) == name)
            if (await turn.session.exec(taken)).first() is not None:
                raise Conflict(f"There is a key named {name!r} already: choose another name.")
            key, secret = ApiKey.make(name, turn.now)
            turn.session.add(key)
        return [secret]

    return act(settings, make)


def list_keys(settings: Settings) -> list[str]:
    """A line for each key: its name, and since when it is good or was revoked."""

    async def read(relay: Relay) -> list[str]:
        async with relay.database.reading() as session:
            keys = (await session.exec(select(ApiKey).order_by(col(ApiKey.name)))).all()
        return [
            f"{key.name}: revoked on {key.revoked_at:%Y-%m-%d}"
            if key.revoked_at
            else f"{key.name}: made on {key.created_at:%Y-%m-%d}"
            for key in keys
        ] or ["No keys yet: `kept apikey create NAME`."]

    return act(settings, read)


def revoke(settings: Settings, name: str) -> list[str]:
    """Refuse a key from now on. Raises NotFound, or Conflict where it was revoked before."""

    async def refuse(relay: Relay) -> list[str]:
        async with relay.turn(THE_TERMINAL) as turn:
            query = select(ApiKey).where(col(ApiKey.name) == name.strip())
            key = (await turn.session.exec(query)).one_or_none()
            if key is None:
                raise NotFound(f"There is no key named {name.strip()[:120]!r}.")
            if key.revoked_at:
                raise Conflict(f"The key {key.name!r} is revoked already.")
            key.revoked_at = turn.now
            turn.session.add(key)
        return [f"The key {key.name!r} opens nothing any more."]

    return act(settings, refuse)
