"""Mail that customers send us, handed over raw (RFC 5322) by our mail server."""

import email
import hashlib
import hmac
from email.message import EmailMessage
from email.policy import default
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from portal import relay
from portal.errors import BadInput, NotAllowed
from portal.hooks.hearing import take_in
from portal.messaging.reply_address import find_request_id


async def receive_mail(request: Request) -> Response:
    """A reply: recorded once on the request whose reply address it was sent to.

    Automatic mail (RFC 3834) and bounces are taken and never answered. Mail to no request of
    ours is refused with a 422, so that the mail server can put it elsewhere.
    """
    settings = request.app.state.settings
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    wanted = settings.mail_hook_token
    if wanted is None or not hmac.compare_digest(
        given.encode(), wanted.get_secret_value().encode()
    ):
        raise NotAllowed("This call does not carry our mail token.")
    raw = await request.body()
    mail: EmailMessage = email.message_from_bytes(raw, policy=default)
    if _is_automatic(mail):
        return Response(status_code=204)
    recipients = ", ".join(str(mail.get(name, "")) for name in ("To", "Cc", "Delivered-To"))
    request_id = find_request_id(settings, recipients)
    if request_id is None:
        raise BadInput("This mail is not for any request of ours.")
    sender = mail["From"].addresses[0].addr_spec if mail["From"] else ""
    heard = partial(
        relay.receive_email,
        message_id=str(mail.get("Message-ID") or f"<{hashlib.sha256(raw).hexdigest()}>")[:200],
        sender=sender.lower(),
        to=recipients[:254],
        body=_words(mail),
        request_id=request_id,
    )
    await take_in(request.app.state.relay, heard)
    return Response(status_code=204)


def _is_automatic(mail: EmailMessage) -> bool:
    told = str(mail.get("Auto-Submitted", "no")).partition(";")[0].strip().lower()
    return told != "no" or str(mail.get("Return-Path", "")).strip() == "<>"


def _words(mail: EmailMessage) -> str:
    """The plain words above the quoted mail."""
    part = mail.get_body(("plain",))
    text = str(part.get_content()) if part is not None else ""
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith(">") or (line.startswith("On ") and line.rstrip().endswith("wrote:")):
            break
        lines.append(line)
    return "\n".join(lines).strip()[:10_000]
