"""The issues of a workflow file: where they are, and how to fix them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True)
class WorkflowIssue:
    """One issue. `line` counts from 1 and is None if the issue is about the whole file."""

    line: int | None
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.message}. {self.remedy}"


class WorkflowFileError(Exception):
    """An invalid workflow file, with every issue found, in the order of its lines.

    `str()` has one line for each: `card.toml:14: stage "made" ... Did you mean ...?`
    """

    def __init__(self, issues: Sequence[WorkflowIssue], source: str = "") -> None:
        self.issues = tuple(sorted(issues, key=lambda issue: issue.line or 0))
        self.source = source or "workflow file"
        super().__init__("\n".join(self.lines()))

    def lines(self) -> list[str]:
        """One line for each issue, in the format of compilers."""
        return [
            f"{self.source}:{issue.line}: {issue}" if issue.line else f"{self.source}: {issue}"
            for issue in self.issues
        ]


def did_you_mean(word: str, known: Collection[str]) -> str:
    """A remedy for an unknown word: the nearest known one, or all of them if they are few."""
    if near := get_close_matches(word, known, n=1, cutoff=0.6):
        return f'Did you mean "{near[0]}"?'
    if not known:
        return "There is none to name yet."
    if len(known) > 20:  # too many to list
        return "Look at the spelling."
    return f"Known: {', '.join(sorted(known))}."
