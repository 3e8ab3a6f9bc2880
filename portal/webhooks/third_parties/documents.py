"""Reads values of a provider's JSON of which nothing is sure: a wrong type counts as missing."""

import json
from datetime import date, datetime, time
from typing import Any

from portal.errors import BadInput

MAX_TEXT_LENGTH = 1_000


def read_document(body: bytes) -> dict[str, Any]:
    """The JSON object. Raises BadInput for anything else."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise BadInput("The body must be JSON (RFC 8259) in UTF-8.") from None
    if not isinstance(document, dict):
        raise BadInput("The body must be a JSON object, like {}.")
    return document


def table(document: dict[str, Any], name: str) -> dict[str, Any]:
    """The object of that name, else an empty one."""
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def last_of(document: dict[str, Any], name: str) -> dict[str, Any]:
    """The last object of the list of that name, else an empty one."""
    value = document.get(name)
    last = value[-1] if isinstance(value, list) and value else None
    return last if isinstance(last, dict) else {}


def text(document: dict[str, Any], name: str) -> str:
    """The text of that name, else an empty one."""
    value = document.get(name)
    return value[:MAX_TEXT_LENGTH] if isinstance(value, str) else ""


def moment(document: dict[str, Any], name: str) -> datetime | None:
    """The ISO 8601 time of that name, with or without an offset; None for anything else."""
    try:
        return datetime.fromisoformat(text(document, name))
    except ValueError:
        return None


def day_or_moment(document: dict[str, Any], name: str) -> date | datetime | None:
    """The day or the time of that name; providers write a day as its midnight."""
    value = moment(document, name)
    if value is None:
        return None
    return value.date() if value.time() == time() else value
