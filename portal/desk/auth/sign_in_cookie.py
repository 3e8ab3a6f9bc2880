"""The cookies of the desk: the token of a sign-in, and what makes a browser known.

A sign-in's cookie has a random token; the row of the sign-in decides (decision 21). A browser is
known to the people who signed in there since their last new password; its cookie is signed.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from itsdangerous import BadData, URLSafeTimedSerializer
from starlette.requests import HTTPConnection
from starlette.responses import Response

from portal.models import StaffMember
from portal.settings import Settings
from portal.web.cookies import cookie_name, delete_cookie, read_cookie, set_cookie

SIGN_IN_COOKIE = "kept_desk"
BROWSER_COOKIE = "kept_browser"
MAX_TOKEN_LENGTH = 64
KNOWN_BROWSER_LIFETIME = timedelta(days=180)
MAX_KNOWN_PEOPLE = 8
"""Of a browser that several people share; the latest stay known."""


@dataclass(frozen=True, slots=True)
class KnownBrowser:
    """The people to whom a browser is known. ``nonce`` is empty for a browser without our cookie."""

    nonce: str = ""
    versions: Mapping[str, int] = field(default_factory=dict)

    def is_known_to(self, staff: StaffMember | None) -> bool:
        """True where this person signed in here since their last new password or invitation."""
        return staff is not None and self.versions.get(str(staff.id)) == staff.sign_in_version


def read_sign_in_token(connection: HTTPConnection) -> str | None:
    """The token in the browser's cookie; None without one."""
    name = cookie_name(connection.app.state.settings, SIGN_IN_COOKIE)
    token = connection.cookies.get(name, "")
    return token if 0 < len(token) <= MAX_TOKEN_LENGTH else None


def set_sign_in_cookies(
    settings: Settings, response: Response, staff: StaffMember, token: str, browser: KnownBrowser
) -> None:
    """Give the browser the token of a new sign-in, and make it known to the person."""
    set_cookie(settings, response, SIGN_IN_COOKIE, token, lifetime=settings.sign_in_longest)
    versions = {key: version for key, version in browser.versions.items() if key != str(staff.id)}
    latest = [*versions.items(), (str(staff.id), staff.sign_in_version)][-MAX_KNOWN_PEOPLE:]
    content = {"nonce": browser.nonce or secrets.token_urlsafe(12), "staff": dict(latest)}
    signed = _known_browsers(settings).dumps(content)
    set_cookie(settings, response, BROWSER_COOKIE, str(signed), lifetime=KNOWN_BROWSER_LIFETIME)


def clear_sign_in_cookie(settings: Settings, response: Response) -> None:
    """Take the token back. The browser stays known."""
    delete_cookie(settings, response, SIGN_IN_COOKIE)


def read_known_browser(settings: Settings, connection: HTTPConnection) -> KnownBrowser:
    """The people to whom this browser is known; nobody for a cookie that is not ours."""
    cookie = read_cookie(connection, BROWSER_COOKIE)
    max_age = int(KNOWN_BROWSER_LIFETIME.total_seconds())
    try:
        content = _known_browsers(settings).loads(cookie, max_age=max_age)
    except BadData:
        return KnownBrowser()
    return KnownBrowser(content["nonce"], content["staff"])


def make_form_token(sign_in_token: str) -> str:
    """The token of every form of this sign-in. The sign-in's own token cannot be derived from it."""
    return hmac.new(sign_in_token.encode(), b"desk form", hashlib.sha256).hexdigest()


def is_valid_form_token(connection: HTTPConnection, token: str) -> bool:
    """True for a form token that was made for this very sign-in."""
    sign_in_token = read_sign_in_token(connection)
    return sign_in_token is not None and hmac.compare_digest(
        make_form_token(sign_in_token).encode(), token.encode()
    )


def _known_browsers(settings: Settings) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings.signing_keys, salt="desk browser")
