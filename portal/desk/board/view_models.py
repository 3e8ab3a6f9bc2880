"""View models of the board: departments, sections and rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from portal.desk.widgets import Badge, Person, When


@dataclass(frozen=True, slots=True)
class DepartmentTab:
    """One department in the side list, with its counts."""

    key: str
    name: str
    url: str
    to_accept: int
    unanswered: int
    late: int
    in_work: int
    mine: bool = True
    current: bool = False


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One open stage of one request, as the board and the search list it.

    `accept_stage` is the key of the stage to accept, in an incoming handoff;
    `quote` is the customer's last message, where a reply is due.
    """

    reference: str
    url: str
    customer: str
    title: str
    stage: str
    version: int
    owner: Person | None
    since: When
    due: When | None
    badges: Sequence[Badge] = ()
    accept_stage: str | None = None
    sent_by: str = ""
    quote: str = ""


@dataclass(frozen=True, slots=True)
class BoardSection:
    """A group of rows on the board, oldest due first; `next_page_url` leads to the next page."""

    key: str
    title: str
    hint: str
    due_heading: str
    rows: Sequence[BoardRow]
    next_page_url: str | None = None
