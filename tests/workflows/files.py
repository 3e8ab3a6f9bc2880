"""Workflow files and their changes that the tests share."""

import pytest

from portal.workflows import WorkflowFileError, read_workflow

CARD = """\
key = "card"
name = "Credit card"
timezone = "America/New_York"

[departments.processing]
name = "Card Processing"
hours = "Mon-Fri 09:00-17:30"
holidays = "US"
accept_within = "4bh"

[[stages]]
key = "made"
department = "processing"
title = "Your card is being made"
expected = "4bh"

[[stages]]
key = "courier"
department = "processing"
title = "On its way to you"
expected = "2d"

[[follow_ups]]
after_stage = "courier"
question = "Has your card arrived? Reply YES or NO."
no = { send_back = "made" }
"""


FORK = """\
key = "permit"
name = "Permit"
[departments.counter]
name = "Counter"
"""


def stages(**after: str) -> str:
    """A file with one stage for each argument: the text after its key."""
    return FORK + "".join(
        f'[[stages]]\nkey = "{key}"\ndepartment = "counter"\ntitle = "T"\nexpected = "1h"\n{rest}\n'
        for key, rest in after.items()
    )


def mistakes(text: str | bytes, known_departments: tuple[str, ...] = ()) -> list[str]:
    """The lines that the command line prints about an invalid file."""
    with pytest.raises(WorkflowFileError) as refused:
        read_workflow(text, known_departments=known_departments, source="card.toml")
    return refused.value.lines()


def changed(old: str, new: str) -> str:
    """The card workflow with one change."""
    assert old in CARD
    return CARD.replace(old, new, 1)
