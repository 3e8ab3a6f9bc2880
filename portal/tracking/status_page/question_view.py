"""The open question on the status page: plain values in the customer's language."""

from dataclasses import dataclass

from portal.i18n.lazy_string import LazyString
from portal.tracking.status_page.appointment_view import VisitDay


@dataclass(frozen=True, slots=True)
class Question:
    """An open question to the customer, with a label for each answer; ``asks_time``: for a time.

    ``read_back``: the customer has said yes while they wait for an answer of ours, and may confirm.
    ``takes_wrong``: "yes, but something is wrong" is an answer too.
    ``windows`` are the free windows of a visit, by day; empty where any time answers it.
    ``zone`` is that of their hours, "London time"; empty where it is the customer's.
    ``has_more``: there are later ones; ``is_full``: a visit is asked for, and no window is free.
    """

    follow_up: str
    text: str
    yes: str = LazyString("Yes")
    no: str = LazyString("No")
    asks_time: bool = False
    read_back: bool = False
    takes_wrong: bool = False
    windows: tuple[VisitDay, ...] = ()
    zone: str = ""
    has_more: bool = False
    is_full: bool = False
