"""Inbound mail, posted raw (RFC 5322) by our mail server."""

import hmac
from collections.abc import Awaitable, Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from portal import operations
from portal.attachments.file_store import FileStore
from portal.errors import BadInput, NotAllowed
from portal.messaging.email.inbound import InboundEmail, parse_inbound_email
from portal.messaging.email.signed_addresses import find_message_id, find_request_id
from portal.settings import Settings
from portal.webhooks.run_once import run_once

MAX_FILES = 10
MAX_MAIL_BYTES = 25_000_000
"""Bytes; as much as most mail servers accept, since customers send photos."""


async def receive_mail(request: Request) -> Response:
    """A reply: recorded once on the request whose reply address it was sent to.

    Returned mail and automatic mail (RFC 3464, RFC 3834) are accepted and never answered. Other
    mail that is for no request is refused with a 422, so that the mail server can put it elsewhere.
    """
    settings = request.app.state.settings
    _check_token(request, settings)
    mail = parse_inbound_email(await request.body())
    handler = await _handler_for(settings, request.app.state.file_store, mail)
    await run_once(request.app.state.operations, handler)
    return Response(status_code=204)


async def _handler_for(
    settings: Settings, file_store: FileStore, mail: InboundEmail
) -> Callable[[operations.UnitOfWork], Awaitable[None]]:
    """The operation for this mail. Raises BadInput for a person's mail that is for no request."""
    request_id = find_request_id(settings, mail.recipients)
    signed_message_id = find_message_id(settings, mail.recipients)
    if mail.report is not None:
        return partial(
            operations.record_bounce, report=mail.report, signed_message_id=signed_message_id
        )
    if mail.is_automatic or signed_message_id is not None:
        return partial(
            operations.record_automatic_mail,
            mail=mail,
            request_id=request_id,
            signed_message_id=signed_message_id,
        )
    if request_id is None:
        raise BadInput("This mail is not for any request of ours.")
    files = [await file_store.take(file.data, file.name) for file in mail.files[:MAX_FILES]]
    return partial(operations.receive_email, mail=mail, request_id=request_id, files=files)


def _check_token(request: Request, settings: Settings) -> None:
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    expected = settings.mail_hook_token
    if expected is None or not hmac.compare_digest(
        token.encode(), expected.get_secret_value().encode()
    ):
        raise NotAllowed("This call does not carry our mail token.")
