"""A limit on the CPU time of a block of a test."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def cpu_limit(seconds: float) -> Iterator[None]:
    """Fails when the block takes more CPU seconds; a pattern's search that is under way ends too."""

    def fail(number: int, frame: FrameType | None) -> None:
        raise AssertionError(f"more than {seconds} seconds of CPU")

    before = signal.signal(signal.SIGVTALRM, fail)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
