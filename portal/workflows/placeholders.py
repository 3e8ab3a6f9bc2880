"""The placeholders in the texts of a workflow file: `{first_name}`, `{link}`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from portal.workflows.issues import did_you_mean

PLACEHOLDERS: Final = (
    "brand", "first_name", "title", "next", "next_by", "department", "link", "reference",
)  # fmt: skip
"""The placeholders of an sms and of a question."""


_OF_THE_PERSON: Final = (
    "name", "full_name", "last_name", "surname", "customer", "phone", "email", "address", "birthday",
)  # fmt: skip


def placeholder_issues(
    text: str, fields: Sequence[str] = PLACEHOLDERS
) -> Iterator[tuple[str, str]]:
    """The issues of a text and their remedies: unknown placeholders, links that would break."""
    for field in re.findall(r"\{([^{}]*)\}", text):
        if field in fields:
            continue
        remedy = did_you_mean(field, fields)
        if field in _OF_THE_PERSON:
            remedy = "Of the person a text says no more than {first_name}."
        yield f'the field "{{{field}}}", which nobody fills', remedy
    if re.search(r"[{}]", re.sub(r"\{[^{}]*\}", "", text)):
        yield "a brace without its partner", "Fields stand in braces, like {first_name}."
    if broken := re.search(r"\{link\}([^ ])", text):
        yield (
            f'"{broken[1]}" right after {{link}}, and phones would make it part of the link',
            "Put a space after {link}, or end the text with it.",
        )
