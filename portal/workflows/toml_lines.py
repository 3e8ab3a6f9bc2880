"""The line numbers of a TOML text, which the parser of the standard library does not report.

Only for text that `tomllib` has accepted, so that a simple scan is correct.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

TomlPath = tuple[str | int, ...]
"""The way to a value: ("stages", 2, "title") is the title of the third stage."""

_NAME: Final = r"""(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*')"""
_DOTTED: Final = rf"({_NAME}(?:[ \t]*\.[ \t]*{_NAME})*)"
_HEADER: Final = re.compile(rf"[ \t]*(\[\[?)[ \t]*{_DOTTED}[ \t]*\]")
_PAIR: Final = re.compile(rf"[ \t]*{_DOTTED}[ \t]*=")
_TOKEN: Final = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:"{0,2})'
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*"
    r"|[\[\]{}\n]",
    re.DOTALL,
)


class TomlLines:
    """The lines of the tables and keys of a text, counted from 1."""

    def __init__(self, text: str) -> None:
        self._lines: dict[TomlPath, int] = {}
        self._lengths: Counter[TomlPath] = Counter()
        self._scan(text)

    def of(self, path: TomlPath) -> int | None:
        """The line of this path, or of the nearest path around it; None for the whole text."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path)

    def _scan(self, text: str) -> None:
        position, line, table = 0, 1, TomlPath()
        while position < len(text):
            if header := _HEADER.match(text, position):
                table = self._enter(_names(header[2]), line, is_array=header[1] == "[[")
                position = header.end() + len(header[1]) - 1
            elif pair := _PAIR.match(text, position):
                self._record((*table, *_names(pair[1])), line)
                position = pair.end()
            position, passed = _end_of_statement(text, position)
            line += passed

    def _enter(self, names: list[str], line: int, *, is_array: bool) -> TomlPath:
        path = TomlPath()
        for name in names:
            if self._lengths[path]:  # what follows an array of tables belongs to its last
                path = (*path, self._lengths[path] - 1)
            path = (*path, name)
        if is_array:
            self._lengths[path] += 1
            path = (*path, self._lengths[path] - 1)
        self._record(path, line)
        return path

    def _record(self, path: TomlPath, line: int) -> None:
        for end in range(1, len(path) + 1):
            self._lines.setdefault(path[:end], line)


def _end_of_statement(text: str, position: int) -> tuple[int, int]:
    """Where the next statement begins, and how many lines later: values may span several."""
    depth = lines = 0
    for token in _TOKEN.finditer(text, position):
        lines += token[0].count("\n")
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if token[0] == "\n" and depth == 0:
            return token.end(), lines
    return len(text), lines


def _names(dotted: str) -> list[str]:
    return [name.strip("\"'") for name in re.findall(_NAME, dotted)]
