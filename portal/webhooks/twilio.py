"""Twilio's webhooks: inbound texts and delivery status.

Source: Twilio's "Webhooks request" and "Track outbound message status". Twilio waits 15 s and
may repeat or reorder; a database that is away answers 5xx (app.py), never a false 200.
"""

from functools import partial
from urllib.parse import parse_qsl

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from portal import operations
from portal.errors import NotAllowed
from portal.messaging.sms import twilio_codes
from portal.messaging.sms.twilio_signature import signed_url, verify_signature
from portal.operations import IncomingMedia, OptOutType, Receipt
from portal.webhooks.run_once import run_once

MAX_FIELDS = 500
MAX_FIELD_LENGTH = 200
MAX_CODE_LENGTH = 16
MAX_BODY_LENGTH = 10_000
MAX_URL_LENGTH = 1_000
MAX_FILES = 10
EMPTY_TWIML = Response("<Response/>", media_type="text/xml")
"""TwiML that says nothing: what we answer, we send ourselves, by the outbox."""


async def receive_text(request: Request) -> Response:
    """A customer's text: recorded once on the right request, however often it is told."""
    form = await _signed_form(request)
    sid, sender = _word(form, "MessageSid"), _word(form, "From")
    if sid and sender:
        heard = partial(
            operations.receive_text,
            sid=sid, sender=sender, to=_word(form, "To"), body=_word(form, "Body", MAX_BODY_LENGTH),
            carrier=_carrier_word(form), media=_texted(form),
        )  # fmt: skip
        await run_once(request.app.state.operations, heard)
    return EMPTY_TWIML


async def receive_receipt(request: Request) -> Response:
    """How far one of our texts has come; ``m`` in the address is our own id of it."""
    form = await _signed_form(request)
    message_id = request.query_params.get("m", "")
    sid, word = _word(form, "MessageSid"), _word(form, "MessageStatus")
    if message_id.isascii() and message_id.isdecimal() and len(message_id) < 19 and sid and word:
        await request.app.state.receipts.record(
            Receipt(
                int(message_id),
                sid,
                twilio_codes.status(word),
                _word(form, "ErrorCode", MAX_CODE_LENGTH) or None,
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
    form = _read_form(await request.body())
    tokens = [token.get_secret_value() for token in settings.twilio_auth_tokens]
    header = request.headers.get("X-Twilio-Signature")
    algorithm = request.headers.get("X-Twilio-Webhooks-Signature-Settings")
    if not verify_signature(tokens, url, form, header, algorithm):
        raise NotAllowed("This call is not signed by the carrier.")
    return form


def _read_form(body: bytes) -> FormData:
    """The fields, blank ones too, for they are signed. Twilio sends nothing but this one kind."""
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        return FormData()
    return FormData([*fields])


def _carrier_word(form: FormData) -> OptOutType | None:
    """What Advanced Opt-Out made of the text, and has answered; None where it stood aside."""
    try:
        return OptOutType(_word(form, "OptOutType").upper())
    except ValueError:
        return None


def _texted(form: FormData) -> list[IncomingMedia]:
    """Where the carrier keeps each photo of an MMS (``NumMedia``, ``MediaUrl0`` and so on)."""
    said = [
        (_word(form, f"MediaUrl{n}", MAX_URL_LENGTH), _word(form, f"MediaContentType{n}", 100))
        for n in range(MAX_FILES)
    ]
    return [IncomingMedia(url, media_type) for url, media_type in said if url]


def _word(form: FormData, name: str, longest: int = MAX_FIELD_LENGTH) -> str:
    """What the form says under this name, as any database can keep it."""
    return str(form.get(name, "")).replace("\x00", "")[:longest]
