"""Twilio's REST API as far as a product that sends texts needs it.

Source: https://www.twilio.com/docs/messaging/api/message-resource
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from hmac import compare_digest
from itertools import dropwhile, islice
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from portal.demo.fake_providers.errors import CarrierError
from portal.demo.fake_providers.fake_carrier import Carrier
from portal.demo.fake_providers.faults import ANSWER_FAULTS, Fault, FaultKind
from portal.demo.fake_providers.sms import API_VERSION, Text, number_of

DROP_CONNECTION = "simulator.hang_up"
ERROR_CODES = {FaultKind.STATUS_500: 20500, FaultKind.STATUS_429: 20429}
DEFAULT_PAGE, LARGEST_PAGE = 50, 1_000

Operation = Callable[[Carrier, Request], Awaitable[Response]]


def twilio_routes() -> list[Route]:
    """The account and its messages."""
    account = f"/{API_VERSION}/Accounts/{{account}}"
    return [
        Route(f"{account}/Messages.json", _call("create", create_message), methods=["POST"]),
        Route(f"{account}/Messages.json", _call("list", list_messages), methods=["GET"]),
        Route(f"{account}/Messages/{{sid}}.json", _call("fetch", fetch_message), methods=["GET"]),
        Route(f"{account}/Messages/{{sid}}/Media/{{media}}", _call("media", find_media)),
        Route("/media/{media}", show_media),
        Route(f"{account}/IncomingPhoneNumbers.json", _call("numbers", list_numbers)),
        Route(f"{account}.json", _call("account", fetch_account), methods=["GET"]),
    ]


def _call(name: str, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
    """Count the call, delay it if configured, and check the credentials."""

    async def endpoint(request: Request) -> Response:
        carrier: Carrier = request.app.state.carrier
        carrier.requests[name] += 1
        carrier.changes.changed()
        if carrier.config.answer_delay:
            await asyncio.sleep(carrier.config.answer_delay)
        try:
            _authenticate(carrier, request)
            return await operation(carrier, request)
        except CarrierError as refusal:
            return error_response(refusal)

    return endpoint


def _authenticate(carrier: Carrier, request: Request) -> None:
    config = carrier.config
    expected = base64.b64encode(f"{config.account_sid}:{config.auth_token}".encode()).decode()
    received = request.headers.get("authorization", "")
    if not compare_digest(received.encode(), f"Basic {expected}".encode()):
        raise CarrierError(20003)
    if request.path_params["account"] != config.account_sid:
        raise CarrierError(20404)


async def create_message(carrier: Carrier, request: Request) -> Response:
    """Accept a text; its callbacks begin after the response, unless a fault changes that."""
    fields = parse_qsl((await request.body()).decode(), keep_blank_values=True)
    form = dict(fields)
    media = tuple(value for name, value in fields if name == "MediaUrl")
    fault = carrier.faults.take(ANSWER_FAULTS, on="create", to=number_of(form.get("To", "")))
    if fault and not fault.accepts:
        return await faulty_response(carrier, fault)
    if fault and fault.do is FaultKind.ACCEPT_LATE:
        carrier.accept_after(form, media, fault.seconds or 0)
        return await faulty_response(carrier, fault)
    text = carrier.accept(form, media)
    # serialized now: the status may be another one by the time the answer is sent
    response = JSONResponse(text.as_twilio(carrier.config.account_sid), status_code=201)
    if fault is None:
        response.background = BackgroundTask(_deliver, carrier, text)
        return response
    delivery = carrier.deliver(text)
    if fault.do is FaultKind.CALLBACK_BEFORE_ANSWER:
        await asyncio.wait({delivery})
        return response
    return await faulty_response(carrier, fault, response)


async def _deliver(carrier: Carrier, text: Text) -> None:
    carrier.deliver(text)


async def fetch_message(carrier: Carrier, request: Request) -> Response:
    """One text with its status now."""
    if fault := carrier.faults.take(ANSWER_FAULTS, on="fetch"):
        return await faulty_response(carrier, fault)
    text = carrier.find(request.path_params["sid"])
    if text is None:
        raise CarrierError(20404)
    return JSONResponse(text.as_twilio(carrier.config.account_sid))


async def find_media(carrier: Carrier, request: Request) -> Response:
    """Redirect to a photo: as at Twilio, to a store that takes no credentials."""
    if fault := carrier.faults.take(ANSWER_FAULTS, on="media"):
        return await faulty_response(carrier, fault)
    if carrier.media(request.path_params["media"]) is None:
        raise CarrierError(20404)
    return RedirectResponse(f"/media/{request.path_params['media']}", 307)


async def show_media(request: Request) -> Response:
    """A photo's bytes. As in the store behind Twilio, credentials here are a 400."""
    carrier: Carrier = request.app.state.carrier
    found = carrier.media(request.path_params["media"])
    if found is None:
        return error_response(CarrierError(20404))
    if "authorization" in request.headers:
        return Response("Only one way to sign in is allowed.", 400)
    return Response(found.data, media_type=found.media_type)


async def list_messages(carrier: Carrier, request: Request) -> Response:
    """Newest first, a page at a time; new texts do not shift later pages."""
    query = dict(request.query_params)
    if fault := carrier.faults.take(ANSWER_FAULTS, on="list", to=query.get("To")):
        return await faulty_response(carrier, fault)
    size = min(max(_number(query.get("PageSize"), DEFAULT_PAGE), 1), LARGEST_PAGE)
    page = _number(query.get("Page"), 0)
    matching = _newest_first(carrier, query)
    if last_seen := query.get("PageToken", "").removeprefix("PA"):
        matching = islice(dropwhile(lambda text: text.sid != last_seen, matching), 1, None)
    texts = list(islice(matching, size + 1))
    page_texts, has_more = texts[:size], len(texts) > size

    def uri(**changes: Any) -> str:
        return f"{request.url.path}?{urlencode({**query, 'PageSize': size, **changes})}"

    return JSONResponse(
        {
            "first_page_uri": uri(Page=0, PageToken=""),
            "next_page_uri": uri(Page=page + 1, PageToken=f"PA{page_texts[-1].sid}")
            if has_more
            else None,
            "previous_page_uri": None,
            "page": page,
            "page_size": size,
            "start": page * size,
            "end": page * size + max(len(page_texts) - 1, 0),
            "uri": uri(),
            "messages": [text.as_twilio(carrier.config.account_sid) for text in page_texts],
        }
    )


def _newest_first(carrier: Carrier, query: dict[str, str]) -> Iterator[Text]:
    customer = query.get("To")
    if customer and customer != carrier.config.from_number:
        texts = carrier.thread(customer)
    else:
        texts = carrier.texts()
    on, before, after = (
        _parse_date(query.get(name)) for name in ("DateSent", "DateSent<", "DateSent>")
    )
    for text in reversed(texts):
        sent = (text.sent_at or text.created_at).replace(microsecond=0)
        if (
            query.get("To", text.to) == text.to
            and query.get("From", text.from_) == text.from_
            and (on is None or on.date() == sent.date())
            and (before is None or sent <= before)
            and (after is None or sent >= after)
        ):
            yield text


def _parse_date(written: str | None) -> datetime | None:
    if not written:
        return None
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise CarrierError(20001) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _number(written: str | None, otherwise: int) -> int:
    return int(written) if written and written.isdecimal() else otherwise


async def fetch_account(carrier: Carrier, _: Request) -> Response:
    """For a check of the credentials."""
    if fault := carrier.faults.take(ANSWER_FAULTS, on="account"):
        return await faulty_response(carrier, fault)
    sid = carrier.config.account_sid
    return JSONResponse(
        {
            "sid": sid,
            "friendly_name": "Simulated account",
            "status": "active",
            "type": "Trial",
            "uri": f"/{API_VERSION}/Accounts/{sid}.json",
        }
    )


async def list_numbers(carrier: Carrier, request: Request) -> Response:
    """Our one number, with the webhook to which its incoming texts go."""
    ours = carrier.config.from_number
    is_asked_for = request.query_params.get("PhoneNumber", ours) == ours
    number = {"phone_number": ours, "sms_url": carrier.inbound_url or "", "sms_method": "POST"}
    return JSONResponse({"incoming_phone_numbers": [number] if is_asked_for else []})


def error_response(refusal: CarrierError) -> Response:
    """The answer to a refused call."""
    return JSONResponse(refusal.as_twilio(), status_code=refusal.status)


async def faulty_response(
    carrier: Carrier, fault: Fault, answer: Response | None = None
) -> Response:
    """What the caller gets instead of `answer`, which is None where nothing was accepted."""
    match fault.do:
        case FaultKind.STATUS_500 | FaultKind.STATUS_429 | FaultKind.ERROR:
            return error_response(CarrierError(ERROR_CODES.get(fault.do) or fault.code or 20500))
        case FaultKind.STATUS_502_HTML:
            return HTMLResponse("<html><h1>502 Bad Gateway</h1></html>", status_code=502)
        case FaultKind.TRUNCATE_201 if answer is not None:
            half = bytes(answer.body)[: len(answer.body) // 2]
            return Response(half, answer.status_code, media_type="application/json")
        case FaultKind.HANG:
            await _hang(carrier, fault.seconds or 0)
            return answer or DroppedConnection()
        case _:
            return DroppedConnection()


async def _hang(carrier: Carrier, seconds: float) -> None:
    try:
        await asyncio.wait_for(carrier.closing.wait(), seconds)
    except TimeoutError:
        return


class DroppedConnection(Response):
    """No answer at all: the connection is closed.

    A server that gives no way to hang up answers 500 instead; ours does (see server.py).
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Drop the connection and wait until it is closed."""
        hang_up = scope.get("extensions", {}).get(DROP_CONNECTION)
        if hang_up is None:
            await Response("The connection was to be dropped here.", 500)(scope, receive, send)
            return
        hang_up()
        while (await receive())["type"] != "http.disconnect":
            pass
