"""Who calls: another system, by its key."""

from sqlmodel import col, select
from starlette.requests import Request

from portal.api.problem_details import Unauthorised
from portal.models import ApiKey, hash_token
from portal.web.rate_limit import client_address

RATE_LIMIT_WRONG_KEYS = "30/minute"
"""Tries with a wrong key from one address; a right key is never counted."""


async def get_api_key(request: Request) -> ApiKey:
    """The API key of the call. Raises Unauthorised for none, an unknown or a revoked one."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and secret.strip():
        # Looked up by its hash, so the response time reveals nothing about the key.
        query = select(ApiKey).where(
            col(ApiKey.hash) == hash_token(secret.strip()), col(ApiKey.revoked_at).is_(None)
        )
        async with request.app.state.database.reading() as session:
            api_key: ApiKey | None = (await session.exec(query)).one_or_none()
        if api_key is not None:
            return api_key
    await request.app.state.rate_limiter.allow(
        RATE_LIMIT_WRONG_KEYS, "api key", client_address(request)
    )
    raise Unauthorised(
        "Please send a key that is in use: Authorization: Bearer KEY. "
        "`kept apikey create NAME` makes one."
    )
