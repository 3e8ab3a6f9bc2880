"""Event streams at the desk, which last no longer than the sign-in."""

from functools import partial

from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from portal.desk.auth.current_staff import CurrentStaff, is_still_signed_in
from portal.desk.auth.sign_in_cookie import read_sign_in_token
from portal.live import Permission
from portal.web.stream_limits import MAX_PER_PERSON


async def serve_stream(
    scope: Scope, receive: Receive, send: Send, reader: CurrentStaff, *topics: str
) -> None:
    """Serve one stream until the browser leaves or the sign-in ends.

    Raises RateLimited where this person has too many streams.
    """
    connection = HTTPConnection(scope)
    state = connection.app.state

    key = ("sign-in", read_sign_in_token(connection) or "")
    permission = Permission(key, partial(is_still_signed_in, connection))
    with state.stream_limits.hold((f"staff:{reader.staff.id}", MAX_PER_PERSON)):
        await state.live.stream(
            scope, receive, send,
            topic=topics[0], since=None, extra_topics=topics[1:], permission=permission,
        )  # fmt: skip
