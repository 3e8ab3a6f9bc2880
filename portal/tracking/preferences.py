"""The preferences page: channel, language and opt-outs of a customer."""

from dataclasses import replace
from typing import Any

from babel import Locale, UnknownLocaleError
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from portal import business_time
from portal.errors import BadInput, Conflict
from portal.i18n.languages import LANGUAGE_CODES, language_of
from portal.i18n.lazy_string import LazyString
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import CUSTOMER_ACTOR, Channel, Customer, ServiceRequest
from portal.models.columns import saved_id
from portal.operations import (
    WISH_BUTTONS,
    ConsentChange,
    UnitOfWork,
    end_notifications,
    set_preferences,
    set_wishes,
)
from portal.operations.conversation.wishes.preferences import clock_fields
from portal.queries.consent import ConsentQuery, find_permitted
from portal.queries.requests import lock_by_token
from portal.queries.tracking_links import get_by_token
from portal.queries.trusted_devices import push_subscriptions
from portal.tracking import preferences_view
from portal.tracking.forms import read_form
from portal.tracking.link_limits import LINK, STOP, count_post
from portal.tracking.push import own_public_key
from portal.tracking.status_page.endpoints import open_link
from portal.tracking.verification.device_cookie import (
    find_trusted_device,
    is_trusted,
    redirect_to_code_form,
    see_other,
)
from portal.tracking.verification.masking import mask_address
from portal.web import templating

TEXTS, MAIL = (Channel.SMS,), (Channel.EMAIL,)
BUTTONS = {
    "stop_this": ConsentChange(stop=True, about="request", channels=TEXTS),
    "start_this": ConsentChange(stop=False, about="request", channels=TEXTS),
    "stop_texts": ConsentChange(stop=True, about="all", channels=TEXTS),
    "start_texts": ConsentChange(stop=False, about="all", channels=TEXTS),
    "stop_this_mail": ConsentChange(stop=True, about="request", channels=MAIL),
    "start_this_mail": ConsentChange(stop=False, about="request", channels=MAIL),
    "stop_mail": ConsentChange(stop=True, about="all", channels=MAIL),
    "start_mail": ConsentChange(stop=False, about="all", channels=MAIL),
    "stop_all": ConsentChange(stop=True, about="all", channels=TEXTS + MAIL),
    "start_all": ConsentChange(stop=False, about="all", channels=TEXTS + MAIL),
}
"""The consent change of each button."""
STOP_BUTTONS = {"request": "stop_this", "all": "stop_all"}
"""The button for `stop=request` or `stop=all`, which other systems and older pages send."""

NEXT_PATH = "start"


async def show_preferences(request: Request) -> Response:
    """`GET /r/{token}/preferences`."""
    return await _page(request, saved="saved" in request.query_params)


async def save_preferences(request: Request) -> Response:
    """`POST /r/{token}/preferences`: the change of the button that was pressed.

    The link alone can stop messages. They begin again only to the address that the code of this
    browser went to, or by START from the phone.
    """
    token = request.path_params["token"]
    version = await open_link(request)
    form = await read_form(request)
    change = BUTTONS.get(_button(form))
    await count_post(request, version.request_id, STOP if change and change.stop else LINK)
    if change and not change.stop:
        device = await find_trusted_device(request, version.request_id)
        if device is None or device.channel not in change.channels:
            # At once by the channel that is to begin again: a code by another one would not do.
            is_one = len(change.channels) == 1
            way = f"{NEXT_PATH}-{change.channels[0].value}" if is_one else NEXT_PATH
            return redirect_to_code_form(request, way)
        change = replace(change, channels=[device.channel], only_address=device.address)
    try:
        async with request.app.state.operations.begin(CUSTOMER_ACTOR) as uow:
            service_request = await lock_by_token(uow.session, token)
            await _apply(uow, service_request, form, change)
    except (BadInput, Conflict) as refusal:
        return await _page(request, refusal=refusal)
    return see_other(f"/r/{token}/preferences?saved")


async def _apply(
    uow: UnitOfWork, request: ServiceRequest, form: dict[str, str], change: ConsentChange | None
) -> None:
    if change is not None:
        await set_preferences(uow, request, consent_change=change)
        return
    if _button(form) == "push_off":
        await end_notifications(uow, request)
        return
    if _button(form) in WISH_BUTTONS:
        await set_wishes(uow, request, **WISH_BUTTONS[_button(form)])
        return
    if _button(form) != "save":
        raise BadInput(LazyString("Please press one of the buttons."), fields={"do": "save"})
    preferred_channel = _read_channel(request, form.get("channel"))
    locale = _read_language(request, form.get("locale"))
    await set_preferences(uow, request, preferred_channel=preferred_channel, locale=locale)


def _button(form: dict[str, str]) -> str:
    return STOP_BUTTONS.get(form.get("stop", ""), form.get("do", "save"))


async def _page(
    request: Request, *, saved: bool = False, refusal: BadInput | Conflict | None = None
) -> Response:
    token = request.path_params["token"]
    await open_link(request)
    async with request.app.state.database.reading() as session:
        service_request = await get_by_token(session, token)
        trusted = await is_trusted(request, saved_id(service_request))
        channels = await _channels(session, service_request, is_browser_trusted=trusted)
        is_notified = bool(await push_subscriptions(session, service_request.customer_id))
    customer = service_request.customer
    page = preferences_view.PreferencesPage(
        reference=service_request.reference,
        locale=_option(customer.locale),
        path=f"/r/{token}",
        channels=channels,
        preferred=channels[0].kind if channels else "sms",
        languages=_languages(service_request),
        saved=saved,
        verified="verified" in request.query_params and trusted,
        is_trusted=trusted,
        refusal=refusal.detail if refusal else None,
        push_key=own_public_key(request.app.state.settings),
        is_notified=is_notified,
        **_wishes(customer),
    )
    status = refusal.status if refusal else 200
    context = {"page": page, "locale": customer.locale}
    return templating.page(request, "tracking/preferences.html", context, status)


def _wishes(customer: Customer) -> dict[str, Any]:
    """Their quiet hours by their clock, and whether they want no questions."""
    times = TimeFormatter(customer.locale, customer.readable_timezone, business_time.now())
    hours = customer.own_quiet_hours
    clock = clock_fields(times, hours) if hours else {"begin": "", "end": ""}
    return {
        "quiet_from": clock["begin"],
        "quiet_until": clock["end"],
        "takes_questions": customer.takes_questions,
    }


async def _channels(
    session: AsyncSession, request: ServiceRequest, *, is_browser_trusted: bool
) -> tuple[preferences_view.ChannelPreference, ...]:
    """The customer's channels, the preferred one first, and their opt-outs."""
    addresses = [
        (channel, address)
        for channel in request.customer.channels()
        if (address := request.customer.address(channel, business_time.now())) is not None
    ]
    queries = {
        ConsentQuery(channel, address, request_id)
        for channel, address in addresses
        for request_id in (None, request.id)
    }
    permitted = await find_permitted(session, queries)
    return tuple(
        preferences_view.ChannelPreference(
            "sms" if channel == Channel.SMS else "email",
            address if is_browser_trusted else mask_address(address),
            "all" if ConsentQuery(channel, address, None) not in permitted
            else "request" if ConsentQuery(channel, address, request.id) not in permitted
            else "",
        )
        for channel, address in addresses
    )  # fmt: skip


def _languages(request: ServiceRequest) -> tuple[tuple[str, str], ...]:
    """The product's languages, those of the workflow, and the customer's own: code and name."""
    in_workflow = {key for stage in request.definition.stages for key in stage.title.texts}
    codes = {*LANGUAGE_CODES, *(_option(code) for code in (request.customer.locale, *in_workflow))}
    return tuple((code, _name(code)) for code in sorted(codes))


def _option(locale: str) -> str:
    """The option for this locale: "es" for "es-MX", the locale itself for another language."""
    code = language_of(locale).code
    return code if locale.lower().startswith(code) else locale


def _name(code: str) -> str:
    """The name of a language in that language."""
    try:
        parsed = Locale.parse(code.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return code
    return (parsed.get_display_name() or code).capitalize()


def _read_channel(request: ServiceRequest, value: str | None) -> Channel | None:
    if value is None:
        return None
    if not any(
        value == kind and request.customer.address(kind, business_time.now())
        for kind in request.customer.channels()
    ):
        raise BadInput(
            LazyString("We have no such address of yours."), fields={"channel": "sms or email"}
        )
    return Channel(value)


def _read_language(request: ServiceRequest, value: str | None) -> str | None:
    if value is None:
        return None
    if value not in dict(_languages(request)):
        raise BadInput(
            LazyString("We do not write in that language yet."), fields={"locale": "a language"}
        )
    # The customer's region ("es-MX") is kept where the language does not change.
    return None if value == _option(request.customer.locale) else value
