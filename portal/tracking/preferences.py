"""How a customer wants to hear from us, and whether at all."""

from babel import Locale, UnknownLocaleError
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from portal import clock, pages
from portal.errors import BadInput, NotFound
from portal.models import THE_CUSTOMER, Channel, ServiceRequest
from portal.queries.consents import newest_consents
from portal.queries.links import find_by_token
from portal.queries.requests import lock_by_token
from portal.relay import Turn, set_preferences
from portal.tracking import view
from portal.tracking.forms import read_form
from portal.tracking.status import unknown_link

STOPS = {"stop_this": "request", "stop_all": "all", "start_this": "none", "start_all": "none"}
"""What each button asks of the relay."""


async def show(request: Request) -> Response:
    """`GET /r/{token}/preferences`."""
    return await _page(request, saved="saved" in request.query_params)


async def save(request: Request) -> Response:
    """`POST /r/{token}/preferences`: one button, one wish."""
    form = await read_form(request)
    token = request.path_params["token"]
    if await request.app.state.status_pages.find_version(token) is None:
        return unknown_link(request)
    try:
        async with request.app.state.relay.turn(THE_CUSTOMER) as turn:
            service_request = await lock_by_token(turn.session, token)
            await _grant_wish(turn, service_request, form)
    except NotFound:
        return unknown_link(request)
    except BadInput as refusal:
        return await _page(request, refusal=refusal)
    return RedirectResponse(f"/r/{token}/preferences?saved", 303)


async def unsubscribe(request: Request) -> Response:
    """`POST /r/{token}/unsubscribe`: a mail program's one click ends mail about this request.

    Without a login, a form or a page of ours before it, as RFC 8058 asks; a GET changes nothing.
    """
    try:
        async with request.app.state.relay.turn(THE_CUSTOMER) as turn:
            service_request = await lock_by_token(turn.session, request.path_params["token"])
            await set_preferences(turn, service_request, stop="request", only=Channel.EMAIL)
    except NotFound:
        return unknown_link(request)
    return RedirectResponse(f"/r/{request.path_params['token']}/preferences?saved", 303)


async def see_preferences(request: Request) -> Response:
    """`GET /r/{token}/unsubscribe`, as a person would open it: the page where they choose."""
    return RedirectResponse(f"/r/{request.path_params['token']}/preferences", 303)


async def _grant_wish(turn: Turn, request: ServiceRequest, form: dict[str, str]) -> None:
    wish = form.get("do", "save")
    if wish in STOPS:
        await set_preferences(turn, request, stop=STOPS[wish])
        return
    if wish != "save":
        raise BadInput("Please press one of the buttons.", fields={"do": "save"})
    prefers = _read_channel(request, form.get("channel"))
    locale = _read_language(request, form.get("locale"))
    await set_preferences(turn, request, prefers=prefers, locale=locale)


async def _page(
    request: Request, *, saved: bool = False, refusal: BadInput | None = None
) -> Response:
    token = request.path_params["token"]
    if await request.app.state.status_pages.find_version(token) is None:
        return unknown_link(request)
    async with request.app.state.database.reading() as session:
        service_request = await find_by_token(session, token)
        if service_request is None:
            return unknown_link(request)
        stopped_all, stopped_this = await _stopped(session, service_request)
    customer = service_request.customer
    channels = _channels(service_request)
    page = view.PreferencesPage(
        reference=service_request.reference,
        locale=customer.locale,
        path=f"/r/{token}",
        channels=channels,
        chosen=channels[0].kind if channels else "sms",
        languages=_languages(service_request),
        stopped_this=stopped_this,
        stopped_all=stopped_all,
        saved=saved,
        refusal=refusal.detail if refusal else None,
    )
    status = refusal.status if refusal else 200
    return pages.page(request, "tracking/preferences.html", {"page": page}, status)


async def _stopped(session: AsyncSession, request: ServiceRequest) -> tuple[bool, bool]:
    """Whether all was stopped, and whether this request was, at every address we have."""
    whole, this = [], []
    for point in request.customer.contact_points:
        of_all, of_this = await newest_consents(session, point.channel, point.address, request.id)
        whole.append(of_all is None or not of_all.granted)
        newer = of_this is not None and (of_all is None or (of_this.id or 0) > (of_all.id or 0))
        this.append(newer and of_this is not None and not of_this.granted)
    return bool(whole) and all(whole), bool(this) and all(this)


def _channels(request: ServiceRequest) -> tuple[view.Channel, ...]:
    """The ways to reach this customer, the preferred first."""
    customer, now = request.customer, clock.now()
    found = ((kind, customer.address(kind, now)) for kind in customer.channels())
    return tuple(
        view.Channel("sms" if kind == Channel.SMS else "email", _masked(address))
        for kind, address in found
        if address is not None
    )


def _languages(request: ServiceRequest) -> tuple[tuple[str, str], ...]:
    """What this request is told in, and what the customer has now."""
    spoken = {key for stage in request.definition.stages for key in stage.title.texts}
    return tuple((code, _name(code)) for code in sorted({request.customer.locale, *spoken}))


def _name(code: str) -> str:
    """A language as its own speakers call it."""
    try:
        spoken = Locale.parse(code.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return code
    return (spoken.get_display_name() or code).capitalize()


def _masked(address: str) -> str:
    """Enough to know one's own address: links are passed on."""
    name, at, domain = address.rpartition("@")
    return f"{name[:1]}•••@{domain}" if at else f"•••• {address[-4:]}"


def _read_channel(request: ServiceRequest, chosen: str | None) -> Channel | None:
    if chosen is None:
        return None
    if chosen not in {channel.kind for channel in _channels(request)}:
        raise BadInput("We have no such address of yours.", fields={"channel": "sms or email"})
    return Channel(chosen)


def _read_language(request: ServiceRequest, chosen: str | None) -> str | None:
    if chosen is None:
        return None
    if chosen not in dict(_languages(request)):
        raise BadInput("We do not write in that language yet.", fields={"locale": "a language"})
    return chosen
