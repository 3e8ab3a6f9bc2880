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
from portal.messaging.sms.twilio_signature import signed_url, verify
from portal.operations import CarrierWord, Receipt, Texted
from portal.webhooks.run_once import take_in

MOST_FIELDS = 500
LONGEST_WORD = 200
LONGEST_CODE = 16
LONGEST_BODY = 10_000
LONGEST_URL = 1_000
MOST_FILES = 10
EMPTY = Response("<Response/>", media_type="text/xml")
"""TwiML that says nothing: what we answer, we send ourselves, by the outbox."""


async def receive_text(request: Request) -> Response:
    """A customer's text: recorded once on the right request, however often it is told."""
    form = await _signed_form(request)
    sid, sender = _word(form, "MessageSid"), _word(form, "From")
    if sid and sender:
        heard = partial(
            operations.receive_text,
            sid=sid, sender=sender, to=_word(form, "To"), body=_word(form, "Body", LONGEST_BODY),
            carrier=_carrier_word(form), texted=_texted(form),
        )  # fmt: skip
        await take_in(request.app.state.relay, heard)
    return EMPTY


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
                _word(form, "ErrorCode", LONGEST_CODE) or None,
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
    if not verify(tokens, url, form, header, algorithm):
        raise NotAllowed("This call is not signed by the carrier.")
    return form


def _read_form(body: bytes) -> FormData:
    """The fields, blank ones too, for they are signed. Twilio sends nothing but this one kind."""
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        return FormData()
    return FormData([*fields])


def _carrier_word(form: FormData) -> CarrierWord | None:
    """What Advanced Opt-Out made of the text, and has answered; None where it stood aside."""
    try:
        return CarrierWord(_word(form, "OptOutType").upper())
    except ValueError:
        return None


def _texted(form: FormData) -> list[Texted]:
    """Where the carrier keeps each photo of an MMS (``NumMedia``, ``MediaUrl0`` and so on)."""
    said = [
        (_word(form, f"MediaUrl{n}", LONGEST_URL), _word(form, f"MediaContentType{n}", 100))
        for n in range(MOST_FILES)
    ]
    return [Texted(url, media_type) for url, media_type in said if url]


def _word(form: FormData, name: str, longest: int = LONGEST_WORD) -> str:
    """What the form says under this name, as any database can keep it."""
    return str(form.get(name, "")).replace("\x00", "")[:longest]
