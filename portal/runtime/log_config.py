"""Logging: plain lines on stderr, without personal data of customers."""

import sys

import structlog


def configure_logging(lowest_level: str = "INFO") -> None:
    """Set up logging for a process, from this level on.

    Tracebacks show lines of code and never values, which may have a customer's message, number
    or link.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer(
                colors=False, exception_formatter=structlog.dev.plain_traceback
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(lowest_level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
