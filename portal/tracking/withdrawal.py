"""The customer withdraws the request by themselves; where they may not, the wish goes to a person."""

from starlette.requests import Request
from starlette.responses import Response

from portal.errors import BadInput, Conflict
from portal.models import CUSTOMER_ACTOR, ServiceRequest
from portal.operations import ask_to_withdraw, reading_is_ready, withdraw_request
from portal.queries.requests import lock_by_token
from portal.queries.tracking_links import get_by_token
from portal.rules.withdrawal import may_withdraw
from portal.tracking.forms import read_form
from portal.tracking.status_page.endpoints import open_link
from portal.tracking.verification.device_cookie import (
    is_trusted,
    redirect_to_code_form,
    see_other,
)
from portal.web import templating

NEXT_PATH = "withdraw"


async def show_form(request: Request) -> Response:
    """`GET /r/{token}/withdraw`: what it means, and one button; it needs a code."""
    version = await open_link(request)
    if not await is_trusted(request, version.request_id):
        return redirect_to_code_form(request, NEXT_PATH)
    return await _page(request)


async def submit(request: Request) -> Response:
    """`POST /r/{token}/withdraw`: `reason=`, which may be empty. Cancels the request.

    Where the customer may not do that by themselves, the wish is a message for a person; only
    `ask` asks for it, so that a form from before the stage changed does nothing else than it said.
    """
    token = request.path_params["token"]
    version = await open_link(request)
    form = await read_form(request)
    if not await is_trusted(request, version.request_id):
        return redirect_to_code_form(request, NEXT_PATH)
    reason = form.get("reason", "")
    try:
        if form.get("do") == "ask":
            await reading_is_ready()
        async with request.app.state.operations.begin(CUSTOMER_ACTOR) as uow:
            service_request = await lock_by_token(uow.session, token)
            if form.get("do") == "ask":
                await ask_to_withdraw(uow, service_request, reason)
            else:
                await withdraw_request(uow, service_request, reason)
    except (BadInput, Conflict) as refusal:
        return await _page(request, refusal, reason)
    return see_other(f"/r/{token}")


async def _page(
    request: Request, refusal: BadInput | Conflict | None = None, reason: str = ""
) -> Response:
    token = request.path_params["token"]
    async with request.app.state.database.reading() as session:
        service_request = await get_by_token(session, token)
    context = {
        "reference": service_request.reference,
        "title": _title(service_request),
        "path": f"/r/{token}",
        "is_over": service_request.is_closed,
        "may_withdraw": may_withdraw(service_request),
        "reason": reason,
        "refusal": refusal.detail if refusal else None,
        "locale": service_request.customer.locale,
    }
    status = refusal.status if refusal else 200
    return templating.page(request, "tracking/withdraw.html", context, status)


def _title(service_request: ServiceRequest) -> str:
    return service_request.title_in(service_request.customer.locale)
