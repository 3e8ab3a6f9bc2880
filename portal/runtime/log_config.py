"""Logging: lines on stderr, without personal data of customers.

The text of an exception may hold a name, a number, a message or a link, so no log has it: an error
is its class, the lines of code, and what a database says without values.
"""

import logging
import os
import sys
import traceback
from collections.abc import Iterator
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError
from structlog.typing import EventDict, ExcInfo, Processor

from portal.database_errors import driver_message

NOISY_LIBRARIES = (
    "aiohttp", "aiosqlite", "alembic", "asyncio", "hpack", "httpx", "mail", "multipart",
    "portal.messaging.twilio", "python_multipart", "sqlalchemy", "twilio", "urllib3", "uvicorn",
)  # fmt: skip
"""Libraries whose messages below a warning repeat what they send, store or read."""

HANDLER = "kept"


def configure_logging(
    log_format: str = "text", process: str = "", lowest_level: str = "INFO"
) -> None:
    """Set up logging for a process, from this level on; libraries log through the same lines.

    ``log_format`` is ``text`` or ``json`` (an object a line), which also names ``process``.
    """
    renderer: Processor
    if log_format == "json":
        renderer = structlog.processors.JSONRenderer()
    else:
        renderer = structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        )
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(format_error),
    ]
    if log_format == "json" and process:
        shared.append(_Process(process))
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(lowest_level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_first_line, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    handler.set_name(HANDLER)
    for before in [each for each in logging.root.handlers if each.name == HANDLER]:
        logging.root.removeHandler(before)
    logging.root.addHandler(handler)
    logging.root.setLevel(logging.WARNING)
    for name in NOISY_LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)


def format_error(exc_info: ExcInfo) -> str:
    """A traceback with its causes: classes and lines of code, without any exception's text."""
    return "\n".join(_lines(exc_info[1], set()))


def _lines(error: BaseException | None, seen: set[int]) -> Iterator[str]:
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in seen:
        yield from _lines(before, seen)
        yield "\nThat led to:\n"
    yield "Traceback (most recent call last):"
    yield "".join(traceback.format_tb(error.__traceback__)).rstrip("\n")
    name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    yield f"{name}: {driver_message(error)}" if isinstance(error, SQLAlchemyError) else name
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _lines(part, seen)


def _first_line(_logger: object, _method: str, event: EventDict) -> EventDict:
    """A library's further lines, such as asyncio's, hold the text of an exception."""
    event["event"] = str(event.get("event", "")).strip().partition("\n")[0]
    return event


class _Process:
    """Adds the process to each line."""

    def __init__(self, name: str) -> None:
        self._values: dict[str, Any] = {"process": name, "pid": os.getpid()}

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        return {**event, **self._values}
