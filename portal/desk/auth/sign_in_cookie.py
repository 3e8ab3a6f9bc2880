"""The signed cookie of a sign-in at the desk, and the form tokens that are bound to it."""

import secrets
from datetime import timedelta
from typing import Any

from itsdangerous import BadData, URLSafeSerializer, URLSafeTimedSerializer
from starlette.requests import HTTPConnection
from starlette.responses import Response

from portal.models import StaffMember
from portal.settings import Settings

SIGN_IN_COOKIE = "kept_desk"
SIGN_IN_LIFETIME = timedelta(hours=12)


def set_sign_in_cookie(settings: Settings, response: Response, staff: StaffMember) -> None:
    """Give the browser the cookie of a new sign-in."""
    content = {
        "staff": staff.id,
        "version": staff.sign_in_version,
        "nonce": secrets.token_urlsafe(12),
    }
    response.set_cookie(
        SIGN_IN_COOKIE,
        _sign_ins(settings).dumps(content),
        max_age=int(SIGN_IN_LIFETIME.total_seconds()),
        path="/desk",
        httponly=True,
        samesite="lax",
        secure=settings.public_url.startswith("https:"),
    )


def clear_sign_in_cookie(response: Response) -> None:
    """Take the cookie back."""
    response.delete_cookie(SIGN_IN_COOKIE, path="/desk", httponly=True, samesite="lax")


def read_sign_in_cookie(settings: Settings, connection: HTTPConnection) -> dict[str, Any] | None:
    """The content of the cookie: ``staff``, ``version`` and ``nonce``; None if it is invalid or expired."""
    cookie = connection.cookies.get(SIGN_IN_COOKIE, "")
    try:
        content = _sign_ins(settings).loads(cookie, max_age=int(SIGN_IN_LIFETIME.total_seconds()))
    except BadData:
        return None
    return dict(content)


def make_form_token(settings: Settings, nonce: str) -> str:
    """The token of every form of this sign-in."""
    return _form_tokens(settings).dumps(nonce)


def is_valid_form_token(settings: Settings, connection: HTTPConnection, token: str) -> bool:
    """True for a form token that was made for this very sign-in, by any key still accepted."""
    content = read_sign_in_cookie(settings, connection)
    try:
        return content is not None and _form_tokens(settings).loads(token) == content["nonce"]
    except BadData:
        return False


def _sign_ins(settings: Settings) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings.signing_keys, salt="desk sign-in")


def _form_tokens(settings: Settings) -> URLSafeSerializer:
    return URLSafeSerializer(settings.signing_keys, salt="desk form")
