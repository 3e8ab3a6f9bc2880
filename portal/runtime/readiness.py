"""How a web or worker process tells the supervisor that it is ready: one byte into a pipe.

Without a supervisor, or under another, it does nothing.
"""

import os
from contextlib import suppress

READY_FD = "KEPT_READY_FD"
"""The variable with the number of the pipe's file descriptor; the supervisor sets it."""


def take_ready_pipe() -> int | None:
    """The pipe of this process, which no process that it starts inherits; None without a supervisor."""
    number = os.environ.pop(READY_FD, "")
    if not number:
        return None
    os.set_inheritable(int(number), False)  # noqa: FBT003 (the standard library's signature)
    return int(number)


def report_ready(pipe: int | None) -> None:
    """Say once that this process works, and close the pipe; nobody may be reading it any more."""
    if pipe is not None:
        try:
            with suppress(OSError):
                os.write(pipe, b"1")
        finally:
            os.close(pipe)
