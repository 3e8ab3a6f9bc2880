"""The child process of one task: sets its own limits, runs one function, writes the result, ends.

``python -I child.py '{"root": …, "task": "package.module:function", …}'``. The input is four bytes
with its length (big-endian) and the bytes themselves on standard input, which stays open: its end
means that the parent has ended. The output is a line of JSON (the sizes of the blobs, and the
fields) and the blobs. It imports little, since each task pays for it.
"""

import importlib
import json
import os
import resource
import signal
import sys
import threading
from contextlib import suppress
from io import FileIO
from typing import Any

MEMORY_EXIT, ERROR_EXIT, BROKEN_EXIT = 71, 70, 69
"""Exit codes: memory is used up, the task has raised, the task itself cannot be imported."""
MAX_OPEN_FILES = 64


def main() -> int:
    """Run the task that the first argument describes; gives the exit code."""
    order = json.loads(sys.argv[1])
    _limit(order)
    sys.path.append(order["root"])
    module, _, name = order["task"].partition(":")
    try:
        task = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        return BROKEN_EXIT
    # Only now: Python stores what it compiles on import.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    with open(0, "rb", buffering=0, closefd=False) as source:
        data = _read(source, int.from_bytes(_read(source, 4), "big"))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        _write(*task(data, **order["arguments"]))
    except MemoryError:
        return MEMORY_EXIT
    except Exception:  # noqa: BLE001 (decoders raise anything on hostile input)
        return ERROR_EXIT
    return 0


def _limit(order: dict[str, Any]) -> None:
    """Apply the limits, for good: time ends the process by SIGXCPU or SIGALRM."""
    cpu, memory = order["cpu_seconds"], order["memory_bytes"]
    for limit, soft, hard in (
        # SIGXCPU comes at the soft limit, SIGKILL at the hard one.
        (resource.RLIMIT_CPU, cpu, cpu + 1),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NOFILE, MAX_OPEN_FILES, MAX_OPEN_FILES),
        (resource.RLIMIT_AS, memory, memory),
    ):
        # macOS refuses RLIMIT_AS on some versions, and a hard limit below ours stays.
        with suppress(ValueError, OSError):
            resource.setrlimit(limit, (soft, hard))
    for number in (signal.SIGXCPU, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, order["wall_seconds"])


def _read(source: FileIO, length: int) -> bytes:
    data = bytearray(length)
    view, at = memoryview(data), 0
    while at < length:
        count = source.readinto(view[at:])
        if not count:
            os._exit(BROKEN_EXIT)  # The parent has ended.
        at += count
    return bytes(data)


def _end_with_parent() -> None:
    os.read(0, 1)
    os._exit(BROKEN_EXIT)


def _write(fields: dict[str, Any], blobs: list[bytes]) -> None:
    head = json.dumps({"sizes": [len(blob) for blob in blobs], "fields": fields})
    with open(1, "wb", closefd=False) as output:
        output.write(head.encode() + b"\n")
        output.writelines(blobs)


if __name__ == "__main__":
    exit_code = main()
    os._exit(exit_code)  # Nothing is left to be done, and a decoder may have left anything.
