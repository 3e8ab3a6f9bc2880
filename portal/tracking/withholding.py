"""What a link alone does not show: it is taken off the page before the page is drawn."""

from dataclasses import replace
from typing import Literal

from portal.tracking.view import FileLine, Line, StatusPage

CodeFor = Literal["documents", "conversation", "nothing"]


def withhold(page: StatusPage, code_for: CodeFor) -> StatusPage:
    """The page without what asks for a code. What is not in it cannot slip out in a template."""
    if code_for == "nothing":
        return page
    if code_for == "conversation":
        return replace(page, conversation=(), lines_behind_code=len(page.conversation))
    return replace(page, conversation=tuple(_without_files(line) for line in page.conversation))


def _without_files(line: Line) -> Line:
    return replace(line, files=tuple(_closed(one) for one in line.files)) if line.files else line


def _closed(file: FileLine) -> FileLine:
    """Even its name may say too much. What was refused, or is on its way, is said without one."""
    if file.kept is None:
        return file
    return FileLine(file.key, behind_code="photo" if file.kept.is_picture else "paper")
