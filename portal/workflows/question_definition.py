"""A question to the customer: when it is asked, what answers it and what an answer does.

It is stored with its workflow as JSON: whatever is added here later needs a default.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from portal.business_time import Duration
from portal.workflows.json_duration import ZERO_DURATION, JsonDuration
from portal.workflows.localized_text import LocalizedText

REMIND_AFTER: Final = Duration(2, "d")
CLOSE_AFTER: Final = Duration(30, "d")
VISIT_LENGTH: Final = Duration(2, "h")
VISIT_EARLIEST: Final = Duration(1, "bd")
VISIT_LATEST: Final = Duration(20, "bd")
"""The defaults of a workflow file."""


@dataclass(frozen=True)
class AnswerAction:
    """What an answer to a question does.

    It completes the request (or the stage that asks), opens a `stage`, sends back to a `stage`,
    closes the request as declined, or leaves it to a person.
    """

    kind: Literal["complete", "open", "send_back", "close", "person"]
    stage: str | None = None


COMPLETE: Final = AnswerAction("complete")
PERSON: Final = AnswerAction("person")


@dataclass(frozen=True)
class VisitDefinition:
    """The windows in which a visit can be booked, and what the customer reads of it.

    Windows of ``slot`` fill the department's hours; each takes ``capacity`` visits of the
    department at once (None: without limit), from ``earliest`` to ``latest`` after now. ``slot`` is
    None where the file names none: a department that never closes then takes any time.
    """

    slot: JsonDuration | None = None
    capacity: int | None = None
    earliest: JsonDuration = VISIT_EARLIEST
    latest: JsonDuration = VISIT_LATEST
    name: LocalizedText | None = None
    prepare: LocalizedText | None = None
    place: LocalizedText | None = None


@dataclass(frozen=True)
class FollowUpDefinition:
    """A question to the customer: when `after_stage` completes, or when it is reached.

    `wait` passes before it is asked. Counted from the asking, it is asked once more after
    `remind_after` and closed as unconfirmed after `close_after`; zero is never. Business
    durations count in the hours of the stage's department. `no` is None where a person decides.
    """

    key: str
    after_stage: str
    question: LocalizedText
    asked_when: Literal["completed", "reached"] = "completed"
    wait: JsonDuration = ZERO_DURATION
    yes: AnswerAction = COMPLETE
    no: AnswerAction | None = None
    remind_after: JsonDuration = REMIND_AFTER
    close_after: JsonDuration = CLOSE_AFTER
    expects: Literal["yes_no", "time"] = "yes_no"
    """What answers it: a yes or a no; or a time (an appointment), which does what `yes` does."""
    title: LocalizedText | None = None
    """The title of the question's step on the customer's page: "In your hands"."""
    wrong: AnswerAction | None = None
    """What "yes, but something is wrong" does; None where that answer is not offered."""
    looking: LocalizedText | None = None
    """What is done after a no: "{owner} is looking for your card"; None for the product's text."""
    fields: tuple[str, ...] = ()
    """The fields of the question, such as "amount": it is not put while one is empty."""
    yes_label: LocalizedText | None = None
    """What the button for yes says, and that for no; None for the product's own labels."""
    no_label: LocalizedText | None = None
    visit: VisitDefinition = VisitDefinition()
    """The windows of a question that a time answers."""
