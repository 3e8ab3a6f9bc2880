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


QUESTION_FIELDS: Final = ("amount", "window", "address")
"""The fields of a question that need no declaration; others are declared in its ``fields``."""

_FIELD_NAME: Final = re.compile(r"[a-z][a-z_]{0,29}")


def is_field_name(name: str) -> bool:
    """Whether a question may declare a field of this name: lower case, and no placeholder."""
    return _FIELD_NAME.fullmatch(name) is not None and name not in PLACEHOLDERS


def placeholders_in(text: str) -> list[str]:
    """The placeholders of a text, each once, in their order."""
    return list(dict.fromkeys(re.findall(r"\{([^{}]*)\}", text)))


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
