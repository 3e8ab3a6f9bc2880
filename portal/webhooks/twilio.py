"""Twilio's webhooks: inbound texts (SMS, RCS, WhatsApp) and delivery status.

Source: Twilio's "Webhooks request" and "Track outbound message status". Twilio waits 15 s and
may repeat or reorder. Where the database is down the answer is 5xx (app.py), never a false 200.
"""

from functools import partial
from urllib.parse import parse_qsl

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from portal import operations
from portal.errors import NotAllowed
from portal.messaging.sms import twilio_codes
from portal.messaging.sms.sender_address import read_transport
from portal.messaging.sms.twilio_signature import signed_url, verify_signature
from portal.operations import IncomingMedia, OptOutType, Receipt
from portal.webhooks.run_once import run_once

MAX_BODY_BYTES = 200_000
"""Bytes; a text of 1,600 letters with ten files needs a tenth."""
MAX_FIELDS = 500
MAX_FIELD_LENGTH = 200
MAX_CODE_LENGTH = 16
MAX_BODY_LENGTH = 10_000
MAX_URL_LENGTH = 1_000
MAX_MEDIA_TYPE_LENGTH = 100
MAX_FILES = 10
OPT_OUT_TYPES = {member.value: member for member in OptOutType}
EMPTY_TWIML = Response("<Response/>", media_type="text/xml")
"""TwiML without a reply: replies go by the outbox."""


async def receive_text(request: Request) -> Response:
    """A customer's text: recorded once, however often Twilio sends it."""
    form = await _signed_form(request)
    sid = _field(form, "MessageSid")
    if sid:
        handler = partial(
            operations.receive_text,
            sid=sid, sender=_field(form, "From"), to=_field(form, "To"),
            body=_field(form, "Body", MAX_BODY_LENGTH),
            opt_out_type=OPT_OUT_TYPES.get(_field(form, "OptOutType").upper()),
            media=_read_media(form),
        )  # fmt: skip
        await operations.reading_is_ready()
        await run_once(request.app.state.operations, handler)
    return EMPTY_TWIML


async def receive_receipt(request: Request) -> Response:
    """The status of one of our texts; ``m`` in the URL is our own id of it."""
    form = await _signed_form(request)
    message_id = request.query_params.get("m", "")
    sid, status = _field(form, "MessageSid"), _field(form, "MessageStatus")
    if message_id.isascii() and message_id.isdecimal() and len(message_id) < 19 and sid and status:
        await request.app.state.receipts.record(
            Receipt(
                int(message_id),
                sid,
                twilio_codes.status(status),
                _field(form, "ErrorCode", MAX_CODE_LENGTH) or None,
                transport=read_transport(sender) if (sender := _field(form, "From")) else None,
                is_read=status.lower() == twilio_codes.READ,
            )
        )
    return Response(status_code=204)


async def _signed_form(request: Request) -> FormData:
    """The form, if Twilio signed it for our public address. Raises NotAllowed otherwise."""
    settings = request.app.state.settings
    url = signed_url(
        settings.public_url,
        request.scope.get("raw_path") or request.scope["path"].encode(),
        request.scope.get("query_string", b""),
    )
    body = await request.body()
    try:
        # Empty fields too, since they are signed. Twilio sends only this kind of form.
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        fields = []
    form = FormData([*fields])
    tokens = [token.get_secret_value() for token in settings.twilio_auth_tokens]
    header = request.headers.get("X-Twilio-Signature")
    algorithm = request.headers.get("X-Twilio-Webhooks-Signature-Settings")
    if not verify_signature(tokens, url, form, header, algorithm):
        raise NotAllowed("This call is not signed by the carrier.")
    return form


def _read_media(form: FormData) -> list[IncomingMedia]:
    """Where Twilio keeps each file of an MMS (``MediaUrl0``, ``MediaContentType0`` and so on)."""
    return [
        IncomingMedia(url, _field(form, f"MediaContentType{n}", MAX_MEDIA_TYPE_LENGTH))
        for n in range(MAX_FILES)
        if (url := _field(form, f"MediaUrl{n}", MAX_URL_LENGTH))
    ]


def _field(form: FormData, name: str, max_length: int = MAX_FIELD_LENGTH) -> str:
    """The form's field, as any database can store it."""
    return str(form.get(name, "")).replace("\x00", "")[:max_length]
