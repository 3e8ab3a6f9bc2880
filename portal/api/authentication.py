"""Who calls: another system, by its key, and what the key can be used for."""

import structlog
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, or_, select, update
from starlette.requests import Request

from portal import business_time
from portal.api.problem_details import MissingScope, Unauthorised
from portal.models import ApiKey, ApiScope, hash_token
from portal.models.people.api_key import USE_RECORD_INTERVAL
from portal.web.client_address import client_address

log = structlog.get_logger()

RATE_LIMIT_WRONG_KEYS = "30/minute"
"""Tries with a wrong key from one address; a right key is never counted."""


async def get_api_key(request: Request, scope: ApiScope) -> ApiKey:
    """The API key of the call, which needs this scope.

    Raises Unauthorised for none, an unknown, a revoked or an expired one, and MissingScope.
    """
    api_key = await _find_key(request)
    if api_key is None:
        await request.app.state.rate_limiter.allow(
            RATE_LIMIT_WRONG_KEYS, "api key", client_address(request)
        )
        raise Unauthorised(
            "Please send a key that is in use: Authorization: Bearer KEY. "
            "`kept apikey create NAME` makes one."
        )
    if api_key.expires_at is not None and api_key.is_expired(business_time.now()):
        raise Unauthorised(
            f"The key {api_key.name!r} expired on {api_key.expires_at:%Y-%m-%d}. "
            "`kept apikey create NAME` makes a new one."
        )
    require_scope(api_key, scope)
    await _record_use(request, api_key)
    return api_key


def require_scope(api_key: ApiKey, scope: ApiScope) -> None:
    """Raises MissingScope where the key lacks it."""
    if not api_key.has_scope(scope):
        purpose = "to name a person in `by`" if scope == ApiScope.ACT_AS_STAFF else "for this call"
        raise MissingScope(
            f"The key {api_key.name!r} lacks the scope `{scope}`, which is needed {purpose}. "
            f"`kept apikey create NAME --scope {scope}` makes a key that has it."
        )


async def _find_key(request: Request) -> ApiKey | None:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        return None
    # Looked up by its hash, so the response time reveals nothing about the key.
    query = select(ApiKey).where(
        col(ApiKey.hash) == hash_token(secret.strip()), col(ApiKey.revoked_at).is_(None)
    )
    async with request.app.state.database.reading() as session:
        found: ApiKey | None = (await session.exec(query)).one_or_none()
    return found


async def _record_use(request: Request, api_key: ApiKey) -> None:
    """Write the time of this use, at most once an hour."""
    now = business_time.now()
    if not api_key.is_use_to_record(now):
        return
    used_at = col(ApiKey.last_used_at)
    statement = (
        update(ApiKey)
        .where(
            col(ApiKey.id) == api_key.id,
            or_(used_at.is_(None), used_at <= now - USE_RECORD_INTERVAL),
        )
        .values(last_used_at=now)
    )
    try:
        async with request.app.state.database.transaction() as session:
            await session.exec(statement)
    except DBAPIError as error:
        # A read is served all the same; the next call records its time.
        log.warning("the use of a key is not recorded", error=type(error).__name__)
