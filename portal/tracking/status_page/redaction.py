"""What a link alone does not show: it is taken off the page before the page is drawn."""

from dataclasses import dataclass, replace
from typing import Literal

from portal.tracking.status_page.view_models import FileLine, Line, StatusPage

CodeFor = Literal["documents", "conversation", "nothing"]


@dataclass(frozen=True, slots=True)
class Sight:
    """What a browser sees beyond what the link alone shows.

    All of it, where it is ``known`` as the customer's; else ``own``, the messages that were sent
    from it a moment ago (by the keys of their lines).
    """

    known: bool = False
    own: frozenset[str] = frozenset()


LINK_ALONE = Sight()


def withhold(page: StatusPage, code_for: CodeFor, sight: Sight) -> StatusPage:
    """The page without what asks for a code. What is not in it cannot slip out in a template."""
    if code_for == "nothing" or sight.known:
        return page
    if code_for == "conversation":
        own = tuple(line for line in page.conversation if line.key in sight.own)
        others = len(page.conversation) - len(own)
        return replace(page, conversation=own, lines_behind_code=others)
    lines = (
        line if line.key in sight.own or not line.files else _without_files(line)
        for line in page.conversation
    )
    return replace(page, conversation=tuple(lines))


def _without_files(line: Line) -> Line:
    return replace(line, files=tuple(_closed(one) for one in line.files))


def _closed(file: FileLine) -> FileLine:
    """Even its name may say too much. What was refused, or is on its way, is said without one."""
    if file.kept is None:
        return file
    return FileLine(file.key, behind_code="photo" if file.kept.is_picture else "paper")
