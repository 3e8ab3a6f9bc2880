"""The description of the API, made from what serves it: the same models, the same table of calls."""

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from portal.api.endpoint import Change, Download, Read
from portal.api.problem_details import Problem

REFUSALS = {
    "400": "The body is not JSON.",
    "401": "There is no key, or it opens nothing.",
    "403": "The person may not do this.",
    "404": "There is no such thing.",
    "409": "Not possible as things stand, or `version` is old.",
    "422": "Something cannot be used; `errors` names each place.",
    "429": "Too many tries with a wrong key.",
    "503": "The database is away for a moment.",
}
REPEATED = {
    "Idempotent-Replayed": {
        "description": "`true` where this is the answer to an earlier call.",
        "schema": {"type": "string"},
    }
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Your own id of this call: repeated within 24 hours, it is answered alike.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}


def describe(calls: Sequence[Change | Read | Download], public_url: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of these calls."""
    models: list[tuple[type[BaseModel], Any]] = [(Problem, "serialization")]
    for call in calls:
        if not isinstance(call, Download):
            models.append((call.gives, "serialization"))
        if isinstance(call, Change):
            models.append((call.takes, "validation"))
    refs, definitions = models_json_schema(
        list(dict.fromkeys(models)), ref_template="#/components/schemas/{model}"
    )
    paths: dict[str, dict[str, Any]] = {}
    for call in calls:
        paths.setdefault(call.path, {})[call.method.lower()] = _operation(call, refs)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Kept",
            "version": "1",
            "description": "Follow a customer's request through the organisation. Times are UTC "
            "(ISO 8601), phone numbers E.164. Refusals are problem details (RFC 9457).",
        },
        "servers": [{"url": f"{public_url}/api/v1"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": definitions["$defs"],
            "responses": {
                status: {
                    "description": words,
                    "content": {"application/problem+json": {"schema": refs[models[0]]}},
                }
                for status, words in REFUSALS.items()
            }
            # Said by the server, before the body is read.
            | {"413": {"description": "More than 1 MB was sent.", "content": {"text/plain": {}}}},
        },
    }


def _operation(call: Change | Read | Download, refs: dict[Any, Any]) -> dict[str, Any]:
    serves = call.does if isinstance(call, Change) else call.looks
    answer: dict[str, Any]
    if isinstance(call, Download):
        answer = {"description": "The file.", "content": {"image/*": {}, "application/pdf": {}}}
    else:
        schema = refs[call.gives, "serialization"]
        answer = {
            "description": call.gives.__doc__,
            "content": {"application/json": {"schema": schema}},
        }
    operation: dict[str, Any] = {
        "operationId": serves.__name__,
        "summary": (serves.__doc__ or "").strip().splitlines()[0],
        "parameters": [*_in_path(call.path), *_in_query(call.query)],
        "responses": {
            str(call.status): answer,
            **{
                status: {"$ref": f"#/components/responses/{status}"}
                for status in [*REFUSALS, "413"]
            },
        },
    }
    if isinstance(call, Change):
        operation["parameters"].append(IDEMPOTENCY_KEY)
        schema = call.takes.model_json_schema()
        operation["requestBody"] = {
            "required": bool(schema.get("required")),
            "content": {"application/json": {"schema": refs[call.takes, "validation"]}},
        }
        answer["headers"] = REPEATED | (
            {"Location": {"schema": {"type": "string"}}} if call.location else {}
        )
    return operation


def _in_path(path: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "integer" if name.endswith("id") else "string"},
        }
        for name in re.findall(r"{(\w+)}", path)
    ]


def _in_query(model: type[BaseModel]) -> list[dict[str, Any]]:
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    return [
        {
            "name": name,
            "in": "query",
            "description": shape.pop("description", ""),
            "schema": shape,
        }
        for name, shape in schema.get("properties", {}).items()
    ]
