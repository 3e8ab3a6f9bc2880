"""Rate limits against guessing, by the `limits` library."""

import hashlib
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from limits import RateLimitItemPerDay, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter

from portal.errors import RateLimited
from portal.i18n.lazy_string import LazyString

MAX_KEY_LENGTH = 64


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
        # A moving window stores each unit, of which bytes have too many.
        self._amounts = FixedWindowRateLimiter(MemoryStorage())
        self._in_progress: Counter[FailureLimit] = Counter()

    async def allow(self, limit: str, *who: str) -> None:
        """Count one attempt. Raises RateLimited past ``limit`` ("5/minute")."""
        item, key = parse(limit), [_bounded(part) for part in who]
        if not await self._limiter.hit(item, *key):
            raise _too_often((await self._limiter.get_window_stats(item, *key)).reset_time)

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
                window = await self._limiter.get_window_stats(
                    parse(each.limit), *map(_bounded, each.key)
                )
                if window.remaining < self._in_progress[each]:
                    raise _too_often(window.reset_time)
            yield attempt
            if attempt.has_failed:
                for each in limits:
                    await self._limiter.hit(parse(each.limit), *map(_bounded, each.key))
        finally:
            self._in_progress.subtract(limits)
            self._in_progress = +self._in_progress

    async def spend(self, amount: int, limit: int, *who: str) -> bool:
        """Take an amount from what is allowed in a day.

        False where less than that is left; then nothing is taken.
        """
        day = RateLimitItemPerDay(limit)
        # ``hit`` adds before it compares. In memory neither call waits, so nothing comes between.
        return await self._amounts.test(day, *who, cost=amount) and await self._amounts.hit(
            day, *who, cost=amount
        )


def _too_often(reset_time: float) -> RateLimited:
    """The refusal until this time (seconds since 1970), in whole minutes."""
    minutes = max(math.ceil((reset_time - time.time()) / 60), 1)
    hours = math.ceil(minutes / 60)
    if minutes == 1:
        detail = LazyString("That was too often in a short time. Please try again in a minute.")
    elif minutes < 60:
        detail = LazyString.pluralized(
            "That was too often. Please try again in {count} minute.",
            "That was too often. Please try again in {count} minutes.",
            minutes,
        )
    else:
        detail = LazyString.pluralized(
            "That was too often. Please try again in {count} hour.",
            "That was too often. Please try again in {count} hours.",
            hours,
        )
    return RateLimited(detail, retry_after=minutes * 60)


def _bounded(key: str) -> str:
    """A key of at most 64 characters: memory is not for a stranger to fill."""
    return key if len(key) < MAX_KEY_LENGTH else hashlib.sha256(key.encode()).hexdigest()
