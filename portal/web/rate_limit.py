"""Rate limits against guessing, by the `limits` library."""

from limits import parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter
from starlette.requests import Request

from portal.errors import RateLimited
from portal.i18n.lazy_string import LazyString

__all__ = ["RateLimited", "RateLimiter", "client_address"]


def client_address(request: Request) -> str:
    """The IP address whose attempts are counted together; empty over a socket file.

    Proxy headers do not count: a client could send a new one with each attempt.
    """
    return request.client.host if request.client else ""


class RateLimiter:
    """Counts attempts by a key, such as a client's address."""

    def __init__(self) -> None:
        # In memory: each process counts for itself, which is enough against guessing, and no
        # page depends on Redis.
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def allow(self, limit: str, *who: str) -> None:
        """Count one attempt. Raises RateLimited past ``limit`` ("5/minute")."""
        if not await self._limiter.hit(parse(limit), *who):
            raise RateLimited(
                LazyString("That was too often in a short time. Please try again in a minute.")
            )
