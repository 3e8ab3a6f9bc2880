"""View model of the list of dropped balls."""

from dataclasses import dataclass

from portal.desk.widgets import When


@dataclass(frozen=True, slots=True)
class DroppedBallLine:
    """One dropped ball. `url` is where it is fixed; `may_dismiss` is for this reader.

    `asks_same_person`: two buttons settle it in place of a reason.
    """

    id: int
    label: str
    detail: str
    remedy: str
    since: When
    assignee: str
    escalation: str
    url: str
    customer: str = ""
    title: str = ""
    reference: str = ""
    department: str = ""
    may_dismiss: bool = False
    mine: bool = False
    asks_same_person: bool = False
