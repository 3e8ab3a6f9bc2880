"""Parses and validates input strictly: each invalid field is named, with its remedy."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from portal.api.problem_details import MalformedJson
from portal.errors import BadInput

MAX_DEPTH = 20
"""Levels of lists and objects in a body."""

REMEDIES = {
    "missing": "This is needed.",
    "extra_forbidden": "There is no such field here.",
    "string_type": "This must be text.",
    "string_too_short": "Please give at least {min_length} letters.",
    "string_too_long": "Please keep it to {max_length} letters.",
    "int_type": "This must be a whole number.",
    "int_parsing": "This must be a whole number.",
    "greater_than_equal": "This must be at least {ge}.",
    "less_than_equal": "This must be at most {le}.",
    "bool_parsing": "This must be true or false.",
    "enum": "This must be {expected}.",
    "literal_error": "This must be {expected}.",
    "list_type": "This must be a list.",
    "too_long": "Please give at most {max_length}.",
    "dict_type": "This must be an object.",
    "model_type": "This must be an object.",
    "value_error": "{error}",
}

Model = TypeVar("Model", bound=BaseModel)


async def read_body(request: Request) -> dict[str, Any]:
    """The JSON object of the body; an empty body counts as ``{}``.

    Raises MalformedJson for invalid JSON, BadInput for another type than an object and for text
    that cannot be stored.
    """
    raw = await request.body()
    if not raw.strip():
        return {}
    try:
        document = json.loads(raw, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise MalformedJson("The body must be JSON (RFC 8259) in UTF-8.") from None
    if not isinstance(document, dict):
        raise BadInput("The body must be a JSON object, like {}.")
    invalid = dict(_unusable(document, "", MAX_DEPTH))
    if invalid:
        raise _bad_input(invalid)
    return document


def parse(model: type[Model], document: Mapping[str, Any]) -> Model:
    """The document as that model. Raises BadInput that names every invalid field."""
    try:
        return model.model_validate(document)
    except ValidationError as invalid:
        raise _bad_input(dict(map(_remedy, invalid.errors(include_url=False)))) from None


def _remedy(error: Any) -> tuple[str, str]:
    field = ".".join(str(part) for part in error["loc"])[:100]
    sentence = REMEDIES.get(error["type"])
    if sentence is None:
        return field, f"{error['msg']}."
    return field, sentence.format(**error.get("ctx", {}))


def _bad_input(remedies: dict[str, str]) -> BadInput:
    detail = " ".join(f"{field}: {remedy}" for field, remedy in remedies.items())
    return BadInput(detail, fields=remedies)


def _unusable(value: Any, place: str, levels: int) -> Iterator[tuple[str, str]]:
    """What JSON allows but no database can store, each by its place, with the remedy."""
    if isinstance(value, str):
        yield from _unusable_text(value, place)
    elif isinstance(value, float) and not math.isfinite(value):
        yield place, "This number is too large."
    elif isinstance(value, dict | list):
        if not levels:
            yield place, f"Please nest at most {MAX_DEPTH} levels."
            return
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for name, item in items:
            item_place = f"{place}.{name}".lstrip(".")[:100]
            if any(_unusable_text(str(name), item_place)):
                yield place or "body", "The name of a field here is no text."
            else:
                yield from _unusable(item, item_place, levels - 1)


def _unusable_text(text: str, place: str) -> Iterator[tuple[str, str]]:
    if "\x00" in text:
        yield place, "This holds a NUL, which no text can."
    elif not _is_unicode(text):
        yield place, "This holds half a letter (a lone surrogate)."


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
