"""Parsing a workflow file as a whole, so that every issue is reported at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Final

from portal.workflows.issues import WorkflowFileError, WorkflowIssue
from portal.workflows.schema import WorkflowDefinition
from portal.workflows.table_reader import IssueCollector
from portal.workflows.toml_lines import TomlLines
from portal.workflows.validator import WorkflowValidator

MAX_FILE_BYTES: Final = 256 * 1024
"""Bytes."""

_SHIPPED: Final = Path(__file__).parent.parent / "shipped" / "workflows"


def shipped_workflow_files() -> list[Path]:
    """The workflow files that come with the product."""
    return sorted(_SHIPPED.glob("*.toml"))


def read_workflow_file(
    path: Path, *, known_departments: Collection[str] = ()
) -> WorkflowDefinition:
    """Read a file as `read_workflow` does; one that cannot be opened is an issue too."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or "it cannot be opened").lower()
        issue = WorkflowIssue(None, f"cannot be read: {reason}", "Check the name of the file.")
        raise WorkflowFileError([issue], str(path)) from error
    return read_workflow(content, known_departments=known_departments, source=str(path))


def read_toml_lines(path: Path) -> TomlLines:
    """The line numbers of a workflow file that `read_workflow_file` has read."""
    return TomlLines(_decoded(path.read_bytes()))


def read_workflow(
    text: str | bytes, *, known_departments: Collection[str] = (), source: str = ""
) -> WorkflowDefinition:
    """Parse and validate the TOML of a workflow; docs/workflow-files.md describes the format.

    `known_departments` are the keys of existing departments, which the file may refer to.
    Raises WorkflowFileError with every issue; `source` is the name of the file in it.
    """
    try:
        decoded = _decoded(text)
        values = _parsed(decoded)
    except _UnreadableError as error:
        raise WorkflowFileError([error.issue], source) from error
    collector = IssueCollector(TomlLines(decoded))
    definition = WorkflowValidator(collector, values, known_departments).read()
    if collector.issues:
        raise WorkflowFileError(collector.issues, source)
    return definition


class _UnreadableError(Exception):
    def __init__(self, line: int | None, message: str, remedy: str) -> None:
        super().__init__(message)
        self.issue = WorkflowIssue(line, message, remedy)


def _decoded(text: str | bytes) -> str:
    content = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    if len(content) > MAX_FILE_BYTES:
        size = f"is larger than {MAX_FILE_BYTES // 1024} kB"
        raise _UnreadableError(None, size, "A workflow file holds text only; is it the right one?")
    if b"\0" in content:
        line = content.count(b"\n", 0, content.index(b"\0")) + 1
        raise _UnreadableError(line, "has a NUL byte", "Save the file as plain UTF-8 text.")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = "has letters that are not UTF-8"
        raise _UnreadableError(line, message, "Save the file as UTF-8 text.") from error


def _parsed(text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        message = "has lists within lists that nobody can follow"
        raise _UnreadableError(None, message, "Write it flat.") from error
    except ValueError as error:
        problem, _, location = str(error).partition(" (at ")
        at = re.search(r"line (\d+)", location)
        line = int(at[1]) if at else text.rstrip("\n").count("\n") + 1
        message = f"is not TOML here: {problem[:1].lower()}{problem[1:200]}"
        remedy = 'A line is key = "text", a [table] or a [[list item]]; each key stands once.'
        raise _UnreadableError(line, message, remedy) from error
