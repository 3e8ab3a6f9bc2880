"""The simulator's own endpoints: a customer's phone, faults on request, and what has happened."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from portal.demo.fake_providers.fake_carrier import Carrier
from portal.demo.fake_providers.faults import Fault, UnknownFault
from portal.demo.fake_providers.sms import Text

MAX_WAIT_SECONDS = 60.0
MAX_MEDIA_BYTES = 50_000_000

Endpoint = Callable[[Request], Awaitable[Response]]


class BadControlRequest(ValueError):
    """A request that is not understood; its message says what to write instead."""


def control_routes() -> list[Route]:
    """Everything below /simulator."""
    return [
        Route("/simulator/inbound", _kind(write_text), methods=["POST"]),
        Route("/simulator/media", hold_media, methods=["POST"], max_body_size=MAX_MEDIA_BYTES),
        Route("/simulator/threads/{number}", _kind(show_thread), methods=["GET"]),
        Route("/simulator/messages", _kind(show_messages), methods=["GET"]),
        Route("/simulator/messages", _kind(forget), methods=["DELETE"]),
        Route("/simulator/wait", _kind(wait), methods=["GET"]),
        Route("/simulator/requests", _kind(count_requests), methods=["GET"]),
        Route("/simulator/faults", _kind(show_faults), methods=["GET"]),
        Route("/simulator/faults", _kind(set_fault), methods=["POST"]),
        Route("/simulator/faults", _kind(clear_faults), methods=["DELETE"]),
    ]


def _kind(endpoint: Endpoint) -> Endpoint:
    """Answer a request that is not understood with 400 and a sentence."""

    async def checked(request: Request) -> Response:
        try:
            return await endpoint(request)
        except (BadControlRequest, UnknownFault) as mistake:
            return JSONResponse({"error": str(mistake)}, status_code=400)

    return checked


async def write_text(request: Request) -> Response:
    """A customer writes: `from`, `body`, and where needed `to`, `media`, `sid`, `url`.

    Answers when the webhook has been answered, and says how.
    """
    fields = await _fields(request)
    media = fields.get("media") or ()
    try:
        text, outcome = await _carrier(request).receive(
            str(fields.get("from", "")),
            str(fields.get("body", "")),
            to=fields.get("to"),
            media=(media,) if isinstance(media, str) else tuple(media),
            sid=fields.get("sid"),
            url=fields.get("url"),
        )
    except ValueError as mistake:
        raise BadControlRequest(str(mistake)) from None
    webhook = {"answer": outcome.status, "error": outcome.error or None}
    return JSONResponse({"sid": text.sid, "webhook": webhook}, status_code=201)


async def hold_media(request: Request) -> Response:
    """A photo to send along: the raw body, its type in `Content-Type`; gives its `url` for `media`.

    Fetching it takes the account's sign-in, as at Twilio.
    """
    carrier = _carrier(request)
    media_type = request.headers.get("content-type", "application/octet-stream")
    path = carrier.hold(await request.body(), media_type)
    return JSONResponse({"url": f"{request.base_url}{path[1:]}"}, status_code=201)


async def show_thread(request: Request) -> Response:
    """The texts from and to one customer's phone, oldest first."""
    return _texts(_carrier(request).thread(request.path_params["number"]))


async def show_messages(request: Request) -> Response:
    """Everything accepted and received, oldest first, narrowed as in `wait`."""
    return _texts(_matching(request))


async def wait(request: Request) -> Response:
    """The texts that fit, as soon as there are `count` of them; 408 after `timeout` seconds.

    Narrowed by `to`, `from`, `status`, `direction` (in, out) and `contains`.
    """
    wanted = int(_positive(request, "count", 1))
    patience = min(_positive(request, "timeout", 5), MAX_WAIT_SECONDS)

    def enough() -> tuple[Text, ...]:
        found = _matching(request)
        return found if len(found) >= wanted else ()

    try:
        return _texts(await _carrier(request).changes.wait_for(enough, patience))
    except TimeoutError:
        sentence = f"Fewer than {wanted} such texts came within {patience:g} seconds."
        return JSONResponse({"error": sentence}, status_code=408)


async def forget(request: Request) -> Response:
    """Texts, mails, counts and opt-outs; fault rules stay."""
    _carrier(request).forget()
    request.app.state.mailbox.forget()
    return Response(status_code=204)


async def count_requests(request: Request) -> Response:
    """How often each call of Twilio's API was made, faults included."""
    requests = _carrier(request).requests
    return JSONResponse({**requests, "total": requests.total()})


async def show_faults(request: Request) -> Response:
    """The rules in force, and how often each will still act."""
    return JSONResponse({"faults": _carrier(request).faults.rules()})


async def set_fault(request: Request) -> Response:
    """Add one rule; its fields are those of Fault."""
    rule = await _fields(request)
    fault = Fault.from_json(rule)
    _carrier(request).faults.add(fault)
    return JSONResponse(fault.as_json(), status_code=201)


async def clear_faults(request: Request) -> Response:
    """Remove every rule."""
    _carrier(request).faults.clear()
    return Response(status_code=204)


def _carrier(request: Request) -> Carrier:
    carrier: Carrier = request.app.state.carrier
    return carrier


def _texts(texts: tuple[Text, ...]) -> Response:
    return JSONResponse({"messages": [text.as_json() for text in texts]})


def _matching(request: Request) -> tuple[Text, ...]:
    query = request.query_params
    return tuple(
        text
        for text in _carrier(request).texts()
        if query.get("to", text.to) == text.to
        and query.get("from", text.from_) == text.from_
        and query.get("status", text.status) == text.status
        and query.get("direction", "in" if text.is_inbound else "out")
        == ("in" if text.is_inbound else "out")
        and query.get("contains", "") in text.body
    )


def _positive(request: Request, name: str, otherwise: float) -> float:
    try:
        value = float(request.query_params.get(name, otherwise))
    except ValueError:
        value = 0.0
    if value <= 0:
        raise BadControlRequest(f'"{name}" is a number above nothing.')
    return value


async def _fields(request: Request) -> Mapping[str, Any]:
    """A JSON object or a form; nothing else is understood."""
    if "json" not in request.headers.get("content-type", ""):
        return dict(await request.form())
    try:
        fields = await request.json()
    except ValueError:
        raise BadControlRequest("The body is not JSON.") from None
    if not isinstance(fields, dict):
        raise BadControlRequest("The body is a JSON object.")
    return fields
