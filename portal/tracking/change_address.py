"""The customer changes their own number or e-mail address, with a code that goes to the new one."""

import phonenumbers
from starlette.requests import Request
from starlette.responses import Response

from portal import business_time
from portal.errors import BadInput, PortalError, UnknownLink
from portal.i18n.lazy_string import LazyString
from portal.models import CUSTOMER_ACTOR, Channel, Customer
from portal.models.columns import saved_id
from portal.models.people.contact_address import parse_email_address, parse_phone
from portal.operations import change_address, send_code_to_new_address
from portal.operations.self_service.address_change import ChangedAddress
from portal.queries.requests import lock_by_token
from portal.queries.tracking_links import get_by_token
from portal.queries.trusted_devices import newest_code
from portal.tracking.forms import read_form
from portal.tracking.status_page.endpoints import open_link
from portal.tracking.verification.codes import WRONG_CODE, after_a_moment, as_digits
from portal.tracking.verification.device_cookie import (
    is_trusted,
    read_device_secret,
    redirect_to_code_form,
    see_other,
    set_device_cookie,
)
from portal.web import templating

NEXT_PATH = "address"
MAX_CONTACT_LENGTH = 254
"""The longest e-mail address (RFC 5321)."""


async def show_form(request: Request) -> Response:
    """`GET /r/{token}/address`: the form for the new number or address; it needs a code first.

    A code that was sent to a new address may be entered while it is valid.
    """
    version = await open_link(request)
    if not await is_trusted(request, version.request_id):
        return redirect_to_code_form(request, NEXT_PATH)
    return await _page(request)


async def submit(request: Request) -> Response:
    """`POST /r/{token}/address`: `contact=` sends a code there; `code=` makes it the customer's."""
    token = request.path_params["token"]
    version = await open_link(request)
    form = await read_form(request)
    if not await is_trusted(request, version.request_id):
        return redirect_to_code_form(request, NEXT_PATH)
    try:
        if "code" not in form:
            await _send(request, form.get("contact", ""))
            return see_other(f"/r/{token}/address")
        async with after_a_moment():
            changed = await _change(request, form["code"])
    except UnknownLink:
        raise
    except PortalError as refusal:
        return await _page(request, refusal, form.get("contact", ""))
    response = see_other(f"/r/{token}/address?done{_outcome(changed)}")
    set_device_cookie(request.app.state.settings, response, changed.secret)
    return response


async def _send(request: Request, contact: str) -> None:
    async with request.app.state.operations.begin(CUSTOMER_ACTOR) as uow:
        service_request = await lock_by_token(uow.session, request.path_params["token"])
        channel, address = _read_contact(service_request.customer, contact)
        await send_code_to_new_address(uow, service_request, channel, address)


async def _change(request: Request, code: str) -> ChangedAddress:
    """The change that the code makes. Raises BadInput for a wrong one."""
    async with request.app.state.operations.begin(CUSTOMER_ACTOR) as uow:
        service_request = await lock_by_token(uow.session, request.path_params["token"])
        changed = await change_address(
            uow, service_request, as_digits(code), read_device_secret(request)
        )
    # The attempt is committed before the response, so that concurrent attempts all count.
    if changed is None:
        raise BadInput(WRONG_CODE, fields={"code": "the newest code"})
    return changed


def _outcome(changed: ChangedAddress) -> str:
    """What the page says of the change, as the value of ``done``."""
    if changed.is_stopped:
        return "=stopped"
    return "" if changed.is_notified else "=alone"


DONE = {
    "": LazyString("Done. Our news goes there from now on, and the old one got a notice."),
    "alone": LazyString("Done. Our news goes there from now on."),
    "stopped": LazyString("Done. You have stopped our messages, and that holds there too."),
}
"""What the page says after a change, by the value of ``done``."""


def _read_contact(customer: Customer, contact: str) -> tuple[Channel, str]:
    """The channel and the address; a number without a country code is one of their country.

    Raises BadInput for what is neither.
    """
    contact = contact.replace("\x00", "").strip()[: MAX_CONTACT_LENGTH + 1]
    phone = customer.address(Channel.SMS, business_time.now())
    region = phonenumbers.region_code_for_number(phonenumbers.parse(phone)) if phone else None
    try:
        if "@" in contact:
            return Channel.EMAIL, parse_email_address(contact)
        return Channel.SMS, parse_phone(contact, region)
    except ValueError:
        raise BadInput(
            LazyString(
                "Please give a number with its country code, like +1 415 555 0132, or a whole "
                "e-mail address."
            ),
            fields={"contact": "a number or an e-mail address"},
        ) from None


async def _page(
    request: Request, refusal: PortalError | None = None, contact: str = ""
) -> Response:
    token = request.path_params["token"]
    async with request.app.state.database.reading() as session:
        service_request = await get_by_token(session, token)
        code = await newest_code(session, saved_id(service_request), is_new_address=True)
    now = business_time.now()
    done = DONE.get(request.query_params.get("done", "none")) if refusal is None else None
    customer = service_request.customer
    context = {
        "reference": service_request.reference,
        "path": f"/r/{token}",
        "addresses": [a for c in customer.channels() if (a := customer.address(c, now))],
        "sent_to": code.address if code and code.is_open(now) and not done else "",
        "contact": contact,
        "done": done,
        "refusal": refusal.detail if refusal else None,
        "locale": customer.locale,
    }
    response = templating.page(
        request, "tracking/change_address.html", context, refusal.status if refusal else 200
    )
    response.headers.update(refusal.headers if refusal else {})
    return response
