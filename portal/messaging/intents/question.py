"""What was asked when a customer replied: it decides what the words of the reply mean."""

from enum import StrEnum


class Question(StrEnum):
    """The kind of the question that is open.

    ``ARRIVAL``: has it come, does it work, is all well now. ``DECISION``: shall we go ahead (a
    price, a quote, a consent). ``TIME``: when does it suit. ``WHICH``: which of several requests.
    """

    NONE = "none"
    ARRIVAL = "arrival"
    DECISION = "decision"
    TIME = "time"
    WHICH = "which"
