"""What is wrong with a workflow file: where, and what to do about it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True)
class WorkflowIssue:
    """One thing to put right. `line` counts from 1 and is None where the whole file is meant."""

    line: int | None
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.message}. {self.remedy}"


class WorkflowFileError(Exception):
    """A workflow file that cannot be used; holds every mistake found, in the order of its lines.

    `str()` gives one line for each: `card.toml:14: stage "made" ... Did you mean ...?`
    """

    def __init__(self, issues: Sequence[WorkflowIssue], source: str = "") -> None:
        self.issues = tuple(sorted(issues, key=lambda mistake: mistake.line or 0))
        self.source = source or "workflow file"
        super().__init__("\n".join(self.lines()))

    def lines(self) -> list[str]:
        """One line for each mistake, as compilers print them."""
        return [
            f"{self.source}:{mistake.line}: {mistake}"
            if mistake.line
            else f"{self.source}: {mistake}"
            for mistake in self.issues
        ]


def did_you_mean(word: str, known: Collection[str]) -> str:
    """A remedy for a word that nobody knows: the nearest that somebody does, or all of a few."""
    if near := get_close_matches(word, known, n=1, cutoff=0.6):
        return f'Did you mean "{near[0]}"?'
    if not known:
        return "There is none to name yet."
    if len(known) > 20:  # more than one reads at a glance
        return "Look at the spelling."
    return f"Known: {', '.join(sorted(known))}."
