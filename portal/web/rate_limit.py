"""Rate limits against guessing, by the `limits` library."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from limits import parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter
from starlette.requests import Request

from portal.errors import RateLimited
from portal.i18n.lazy_string import LazyString

__all__ = ["Attempt", "FailureLimit", "RateLimited", "RateLimiter", "client_address"]


def client_address(request: Request) -> str:
    """The IP address whose attempts are counted together; empty over a socket file.

    Proxy headers do not count: a client could send a new one with each attempt.
    """
    return request.client.host if request.client else ""


@dataclass(frozen=True, slots=True)
class FailureLimit:
    """The most failures ("10/minute") of a key, such as an account and a client's address."""

    limit: str
    key: tuple[str, ...]


@dataclass(slots=True)
class Attempt:
    """An attempt that was let through."""

    has_failed: bool = False

    def fail(self) -> None:
        """Count it: it was wrong. An attempt that is right counts nowhere."""
        self.has_failed = True


class RateLimiter:
    """Counts attempts by a key, such as a client's address."""

    def __init__(self) -> None:
        # In memory: each process counts for itself, which is enough against guessing, and no
        # page depends on Redis.
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._in_progress: Counter[FailureLimit] = Counter()

    async def allow(self, limit: str, *who: str) -> None:
        """Count one attempt. Raises RateLimited past ``limit`` ("5/minute")."""
        if not await self._limiter.hit(parse(limit), *who):
            raise _too_often()

    @asynccontextmanager
    async def attempt(self, limits: Sequence[FailureLimit]) -> AsyncIterator[Attempt]:
        """An attempt of which only the failure counts, towards each of these limits.

        Raises RateLimited where a limit is reached. Attempts in progress count as failures
        meanwhile, so that many at once are no way past it.
        """
        self._in_progress.update(limits)
        attempt = Attempt()
        try:
            for each in limits:
                window = await self._limiter.get_window_stats(parse(each.limit), *each.key)
                if window.remaining < self._in_progress[each]:
                    raise _too_often()
            yield attempt
            if attempt.has_failed:
                for each in limits:
                    await self._limiter.hit(parse(each.limit), *each.key)
        finally:
            self._in_progress.subtract(limits)
            self._in_progress = +self._in_progress


def _too_often() -> RateLimited:
    return RateLimited(
        LazyString("That was too often in a short time. Please try again in a minute.")
    )
