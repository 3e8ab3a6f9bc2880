"""The result of one check of `kept doctor`."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How a check ends. A warning counts as wrong with `--strict` only."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True)
class CheckResult:
    """How one check ended, and a sentence that says so or names the remedy."""

    level: Level
    words: str


def right(words: str) -> CheckResult:
    """In order."""
    return CheckResult(Level.OK, words)


def warning(words: str) -> CheckResult:
    """Allowed, but perhaps not intended."""
    return CheckResult(Level.WARNING, words)


def wrong(words: str) -> CheckResult:
    """To be put right."""
    return CheckResult(Level.WRONG, words)
