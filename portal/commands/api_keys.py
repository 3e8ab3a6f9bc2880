"""`kept apikey`: keys with which other systems call the API."""

from sqlmodel import col, select

from portal.commands.runner import COMMAND_LINE_ACTOR, command
from portal.errors import BadInput, Conflict, NotFound
from portal.models import ApiKey
from portal.operations import Operations

MAX_NAME_LENGTH = 120


@command
async def create_key(operations: Operations, name: str) -> list[str]:
    """Create a key; its secret is the only line, so that a script can read it."""
    name = name.strip()
    if not 0 < len(name) <= MAX_NAME_LENGTH or not name.isprintable():
        raise BadInput(f"A key's name has 1 to {MAX_NAME_LENGTH} letters.")
    async with operations.begin(COMMAND_LINE_ACTOR) as uow:
        taken = select(ApiKey.id).where(col(ApiKey.name) == name)
        if (await uow.session.exec(taken)).first() is not None:
            raise Conflict(f"There is a key named {name!r} already: choose another name.")
        key, secret = ApiKey.make(name, uow.now)
        uow.session.add(key)
    return [secret]


@command
async def list_keys(operations: Operations) -> list[str]:
    """A line for each key: its name, and since when it is valid or revoked."""
    async with operations.database.reading() as session:
        keys = (await session.exec(select(ApiKey).order_by(col(ApiKey.name)))).all()
    return [
        f"{key.name}: revoked on {key.revoked_at:%Y-%m-%d}"
        if key.revoked_at
        else f"{key.name}: made on {key.created_at:%Y-%m-%d}"
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
