"""How many event streams may be open at once, for one link, one client or one person."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from portal.errors import RateLimited
from portal.i18n.lazy_string import LazyString

MAX_PER_LINK = 20
MAX_PER_CLIENT = 100
"""Behind the address of a phone company are many customers; a page without a stream polls."""
MAX_PER_PERSON = 20


class StreamLimits:
    """Counts the open streams of this process by a key."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    @contextmanager
    def hold(self, *limits: tuple[str, int]) -> Iterator[None]:
        """Count one stream until the block ends. Raises RateLimited past the limit of any key."""
        if any(self._open[key] >= limit for key, limit in limits):
            raise RateLimited(
                LazyString("This page is open too often. Please close it elsewhere first.")
            )
        keys = [key for key, _ in limits]
        self._open.update(keys)
        try:
            yield
        finally:
            self._open.subtract(keys)
            for key in keys:
                if not self._open[key]:
                    del self._open[key]
