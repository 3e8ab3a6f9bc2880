"""Cookies, under names with which no other site and no plain http can plant them.

A browser takes a name with the prefix ``__Host-`` only from this host, over https and for all paths;
``__Secure-`` only over https (RFC 6265bis, 4.1.3). Over plain http, as on one's own machine, the
names have no prefix.
"""

from datetime import timedelta

from starlette.requests import HTTPConnection
from starlette.responses import Response

from portal.settings import Settings


def cookie_name(settings: Settings, name: str, path: str = "/") -> str:
    """The cookie's name in the browser."""
    if not _is_https(settings):
        return name
    return f"__Host-{name}" if path == "/" else f"__Secure-{name}"


def read_cookie(connection: HTTPConnection, name: str, path: str = "/") -> str:
    """The cookie's value; empty where the browser has none."""
    return connection.cookies.get(cookie_name(connection.app.state.settings, name, path), "")


def set_cookie(
    settings: Settings,
    response: Response,
    name: str,
    value: str,
    *,
    lifetime: timedelta,
    path: str = "/",
) -> None:
    """Set the cookie, which no script can read. SameSite is Lax: a link in a text sends it too."""
    response.set_cookie(
        cookie_name(settings, name, path),
        value,
        max_age=int(lifetime.total_seconds()),
        path=path,
        httponly=True,
        samesite="lax",
        secure=_is_https(settings),
    )


def delete_cookie(settings: Settings, response: Response, name: str) -> None:
    """Let the browser forget a cookie of all paths."""
    response.delete_cookie(
        cookie_name(settings, name),
        path="/",
        httponly=True,
        samesite="lax",
        secure=_is_https(settings),
    )


def _is_https(settings: Settings) -> bool:
    return settings.public_url.startswith("https:")
