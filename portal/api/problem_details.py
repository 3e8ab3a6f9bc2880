"""Errors as problem details (RFC 9457)."""

from typing import Literal

from pydantic import BaseModel
from starlette.responses import Response

from portal.errors import PortalError

HEADERS = {
    401: {"WWW-Authenticate": 'Bearer realm="Kept"'},  # RFC 9110, 11.6.1
    429: {"Retry-After": "60"},
}


class Unauthorised(PortalError):
    """There is no key, or it is not valid."""

    status = 401
    title = "A key is needed"


class MissingScope(PortalError):
    """The key cannot be used for this."""

    status = 403
    title = "This key may not do this"


class MalformedJson(PortalError):
    """The body is not JSON."""

    status = 400
    title = "This is not JSON"


class FieldError(BaseModel):
    """One invalid field, and its remedy."""

    field: str
    detail: str


class ProblemDetails(BaseModel):
    """Why the call was rejected. Nothing was changed."""

    type: Literal["about:blank"] = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[FieldError] = []


def problem(status: int, title: str, detail: str, fields: dict[str, str] | None = None) -> Response:
    """The response to a rejected call; ``fields`` has the remedy for each invalid field."""
    errors = [FieldError(field=field, detail=remedy) for field, remedy in (fields or {}).items()]
    body = ProblemDetails(title=title, status=status, detail=detail, errors=errors)
    return Response(
        body.model_dump_json(exclude=None if errors else {"errors"}),
        status,
        headers=HEADERS.get(status),
        media_type="application/problem+json",
    )
