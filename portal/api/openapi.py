"""The OpenAPI document, made from the endpoints and their models."""

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from portal.api.endpoint import FileEndpoint, ReadEndpoint, WriteEndpoint
from portal.api.problem_details import ProblemDetails

REFUSALS = {
    "400": "The body is not JSON.",
    "401": "There is no key, or it is unknown, revoked or expired.",
    "403": "The key lacks the scope, or the person may not do this.",
    "404": "There is no such thing.",
    "409": "Not possible as things stand, or `version` is old.",
    "422": "Something cannot be used; `errors` names each place.",
    "429": "Too many tries with a wrong key.",
    "503": "The database is away for a moment.",
}
SCOPES = (
    "A key has scopes: `read` for each GET, `open` to open requests, `act` for every other POST, and "
    "`act_as_staff` in addition where `by` names a person. Reading gives no `status_url` to a key "
    "without `act`; opening a request gives that of the request."
)
REFUSAL_HEADERS = {
    "401": {"WWW-Authenticate": {"schema": {"type": "string"}}},
    "429": {
        "Retry-After": {
            "description": "Seconds until the next call.",
            "schema": {"type": "string", "pattern": "^[0-9]+$"},
        }
    },
}
REPLAY_HEADERS = {
    "Idempotent-Replayed": {
        "description": "`true` where this is the answer to an earlier call.",
        "schema": {"type": "string"},
    }
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Your own id of this call: repeated within 24 hours, it is answered alike. ASCII, "
    "without a space at its ends.",
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": 255,
        "pattern": "^[!-~]([ -~]*[!-~])?$",
    },
}


def describe(
    calls: Sequence[WriteEndpoint | ReadEndpoint | FileEndpoint], public_url: str
) -> dict[str, Any]:
    """The OpenAPI 3.1 document of these endpoints."""
    models: list[tuple[type[BaseModel], Any]] = [(ProblemDetails, "serialization")]
    for call in calls:
        if not isinstance(call, FileEndpoint):
            models.append((call.response_model, "serialization"))
        if isinstance(call, WriteEndpoint):
            models.append((call.input_model, "validation"))
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
            "(ISO 8601), phone numbers E.164. No text holds a NUL, and a reason is more than blanks. "
            "Refusals are problem details (RFC 9457).",
        },
        "servers": [{"url": f"{public_url}/api/v1"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": SCOPES}},
            "schemas": definitions["$defs"],
            "responses": {
                status: {
                    "description": description,
                    "content": {"application/problem+json": {"schema": refs[models[0]]}},
                    "headers": REFUSAL_HEADERS.get(status, {}),
                }
                for status, description in REFUSALS.items()
            }
            # The server's own response, before the body is read.
            | {"413": {"description": "More than 1 MB was sent.", "content": {"text/plain": {}}}},
        },
    }


def _operation(
    call: WriteEndpoint | ReadEndpoint | FileEndpoint, refs: dict[Any, Any]
) -> dict[str, Any]:
    handler = call.handler
    response: dict[str, Any]
    if isinstance(call, FileEndpoint):
        response = {"description": "The file.", "content": {"image/*": {}, "application/pdf": {}}}
    else:
        schema = refs[call.response_model, "serialization"]
        response = {
            "description": call.response_model.__doc__,
            "content": {"application/json": {"schema": schema}},
        }
    operation: dict[str, Any] = {
        "operationId": handler.__name__,
        "summary": (handler.__doc__ or "").strip().splitlines()[0],
        "description": _scope_needed(call),
        "security": [{"key": [call.scope.value]}],
        "parameters": [*_in_path(call.path), *_in_query(call.query)],
        "responses": {
            str(call.status): response,
            **{
                status: {"$ref": f"#/components/responses/{status}"}
                for status in [*REFUSALS, "413"]
            },
        },
    }
    if isinstance(call, WriteEndpoint) and call.prepare is not None:
        problem = operation["responses"]["422"]
        operation["responses"]["415"] = problem | {"description": "The file is none that is taken."}
    if isinstance(call, WriteEndpoint):
        operation["parameters"].append(IDEMPOTENCY_KEY)
        schema = call.input_model.model_json_schema()
        operation["requestBody"] = {
            "required": bool(schema.get("required")),
            "content": {"application/json": {"schema": refs[call.input_model, "validation"]}},
        }
        response["headers"] = REPLAY_HEADERS | (
            {"Location": {"schema": {"type": "string"}}} if call.location else {}
        )
    return operation


def _scope_needed(call: WriteEndpoint | ReadEndpoint | FileEndpoint) -> str:
    needed = f"Needs the scope `{call.scope}`"
    return f"{needed}, with `by` also `act_as_staff`." if call.method == "POST" else f"{needed}."


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
    required = schema.get("required", [])
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            # "?owner=&q=" is what a form sends where nothing is filled in.
            "allowEmptyValue": name not in required,
            "description": shape.pop("description", ""),
            "schema": _without_null(shape),
        }
        for name, shape in schema.get("properties", {}).items()
    ]


def _without_null(shape: dict[str, Any]) -> dict[str, Any]:
    """The schema of a parameter that may be left out: a URL has no null."""
    options = [option for option in shape.get("anyOf", []) if option != {"type": "null"}]
    if len(options) != 1:
        return shape
    rest = {key: value for key, value in shape.items() if key not in {"anyOf", "default"}}
    return {**rest, **options[0]}
