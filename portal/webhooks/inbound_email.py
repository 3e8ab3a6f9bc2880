"""Mail that comes to us, handed over raw (RFC 5322) by our mail server."""

import hmac
from collections.abc import Awaitable, Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from portal import operations
from portal.attachments.file_store import Shelf
from portal.errors import BadInput, NotAllowed
from portal.messaging.email.inbound import ReceivedMail, read_mail
from portal.messaging.email.signed_addresses import find_message_id, find_request_id
from portal.settings import Settings
from portal.webhooks.run_once import take_in

MOST_FILES = 10
LARGEST_MAIL = 25_000_000
"""Bytes: customers send photographs. As much as most mail servers take."""


async def receive_mail(request: Request) -> Response:
    """A reply: recorded once on the request whose reply address it was sent to.

    Returned mail and automatic mail (RFC 3464, RFC 3834) are taken and never answered. Other
    mail to no request of ours is refused with a 422, so that the mail server can put it elsewhere.
    """
    settings = request.app.state.settings
    _check_token(request, settings)
    mail = read_mail(await request.body())
    heard = await _heard(settings, request.app.state.shelf, mail)
    await take_in(request.app.state.relay, heard)
    return Response(status_code=204)


async def _heard(
    settings: Settings, shelf: Shelf, mail: ReceivedMail
) -> Callable[[operations.Turn], Awaitable[None]]:
    """The verb for this mail. Raises BadInput for a person's mail to nobody."""
    request_id = find_request_id(settings, mail.recipients)
    sealed_id = find_message_id(settings, mail.recipients)
    if mail.report is not None:
        return partial(operations.record_bounce, report=mail.report, sealed_id=sealed_id)
    if mail.is_automatic or sealed_id is not None:
        return partial(operations.set_aside, mail=mail, request_id=request_id, sealed_id=sealed_id)
    if request_id is None:
        raise BadInput("This mail is not for any request of ours.")
    files = [await shelf.take(one.data, one.name) for one in mail.files[:MOST_FILES]]
    return partial(operations.receive_email, mail=mail, request_id=request_id, files=files)


def _check_token(request: Request, settings: Settings) -> None:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    wanted = settings.mail_hook_token
    if wanted is None or not hmac.compare_digest(
        given.encode(), wanted.get_secret_value().encode()
    ):
        raise NotAllowed("This call does not carry our mail token.")
