"""A cookie of what this browser has just sent, which it may see without a code."""

from datetime import timedelta

from itsdangerous import BadData, URLSafeTimedSerializer
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from portal.settings import Settings
from portal.web.cookies import read_cookie, set_cookie

SENT_COOKIE = "kept_sent"
COOKIE_LIFETIME = timedelta(hours=1)
MAX_MESSAGES = 20


def recently_sent_keys(connection: HTTPConnection) -> frozenset[str]:
    """The keys of the messages that this browser sent by this link within COOKIE_LIFETIME."""
    return frozenset(_read(connection))


def remember_sent(request: Request, response: Response, message_id: int | None) -> None:
    """Let this browser see the message. The cookie is signed and limited to this link's path."""
    settings: Settings = request.app.state.settings
    if settings.verify_for == "nothing":
        return
    set_cookie(
        settings,
        response,
        SENT_COOKIE,
        _signed(settings).dumps([*_read(request), str(message_id)][-MAX_MESSAGES:]),
        lifetime=COOKIE_LIFETIME,
        path=_path(request),
    )


def _read(connection: HTTPConnection) -> list[str]:
    cookie = read_cookie(connection, SENT_COOKIE, _path(connection))
    try:
        keys: list[str] = _signed(connection.app.state.settings).loads(
            cookie, max_age=int(COOKIE_LIFETIME.total_seconds())
        )
    except BadData:
        return []
    return keys


def _path(connection: HTTPConnection) -> str:
    return f"/r/{connection.path_params['token']}"


def _signed(settings: Settings) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings.signing_keys, salt="just sent")
