"""Switches the language of a customer: of the page and of all later messages."""

from starlette.requests import Request
from starlette.responses import Response

from portal.errors import BadInput
from portal.i18n.languages import LANGUAGE_CODES, language_of
from portal.i18n.lazy_string import LazyString
from portal.models import CUSTOMER_ACTOR
from portal.operations import set_preferences
from portal.queries.requests import lock_by_token
from portal.tracking.forms import read_form
from portal.tracking.status_page.endpoints import open_link
from portal.tracking.verification.device_cookie import see_other


async def switch_language(request: Request) -> Response:
    """`POST /r/{token}/language`: `locale=`, then the page in that language.

    A choice of the current language changes nothing, so that the region of "es-MX" is kept.
    """
    form = await read_form(request)
    token = request.path_params["token"]
    await open_link(request)
    chosen = form.get("locale", "")
    if chosen not in LANGUAGE_CODES:
        raise BadInput(
            LazyString("We do not write in that language yet."),
            fields={"locale": ", ".join(LANGUAGE_CODES)},
        )
    async with request.app.state.operations.begin(CUSTOMER_ACTOR) as uow:
        service_request = await lock_by_token(uow.session, token)
        if language_of(service_request.customer.locale).code != chosen:
            await set_preferences(uow, service_request, locale=chosen)
    return see_other(f"/r/{token}")
