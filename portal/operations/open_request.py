"""Opening a request: the customer, their consent, the first stage, the first message."""

from dataclasses import dataclass, field, replace
from typing import Any

from sqlmodel import col, select

from portal.errors import BadInput, Conflict
from portal.i18n.languages import names_language
from portal.messaging.one_line import one_line
from portal.models import (
    Channel,
    Consent,
    ConsentSource,
    Customer,
    ServiceRequest,
    TrackingLink,
    Workflow,
    new_reference,
)
from portal.models.columns import saved_id
from portal.models.people.contact_address import (
    parse_email_address,
    parse_phone,
    parse_timezone,
    phone_timezone,
    without_invisible,
)
from portal.operations.customers.identification import identify_customer
from portal.operations.customers.same_person import ask_whether_same
from portal.operations.privacy.digests import restore_stop
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.consent import newest_consents
from portal.queries.workflows import get_newest_workflow
from portal.rules.stages.stage_flow import StageFlow

MAX_NAME_LENGTH = 200
MAX_TITLE_LENGTH = 200
MAX_LOCALE_LENGTH = 16


@dataclass(frozen=True)
class CustomerDetails:
    """The customer of a new request, as entered; checked when the request is opened."""

    name: str
    phone: str | None = None
    email: str | None = None
    locale: str | None = None
    timezone: str | None = None


@dataclass(frozen=True)
class RequestDetails:
    """What is to be opened.

    ``external_id`` is the other system's own name for it; the space around it is left out.
    """

    workflow: str
    customer: CustomerDetails
    title: str = ""
    external_id: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)


async def open_request(uow: UnitOfWork, order: RequestDetails) -> ServiceRequest:
    """Open a request and queue the first message with the link.

    Raises BadInput naming each field that cannot be used, and Conflict when nobody could own it
    or the ``external_id`` has been used before.
    """
    external_id = (
        None if order.external_id is None else without_invisible(order.external_id).strip()
    )
    details = _checked(replace(order, external_id=external_id))
    workflow = await get_newest_workflow(uow.session, order.workflow)
    if external_id is not None:
        await _check_external_id(uow, external_id)
    addresses = {Channel.SMS: details.phone, Channel.EMAIL: details.email}
    identified = await identify_customer(uow, details.name, addresses)
    customer = identified.customer or await _add_customer(uow, details, workflow)
    identified.add_addresses(customer)
    await uow.session.flush()
    await _record_consent(uow, customer)
    request = ServiceRequest(
        reference=new_reference(workflow.definition.prefix),
        workflow=workflow,
        customer=customer,
        title=one_line(order.title) or workflow.name,
        external_id=external_id,
        fields=order.fields,
        opened_at=uow.now,
        updated_at=uow.now,
        owner_id=0,
        department_id=0,
        links=[TrackingLink(created_at=uow.now)],
        runs=[],
        handoffs=[],
        promises=[],
        follow_ups=[],
        needs=[],
    )
    with uow.session.no_autoflush:
        uow.session.add(request)
        request.workflow_id = saved_id(workflow)
        StageFlow(await uow.facts(request)).begin()
    await uow.finish(request)
    if identified.lookalike is not None:
        await ask_whether_same(uow, request, identified.lookalike)
    return request


def _checked(details: RequestDetails) -> CustomerDetails:
    """The details, each in its one form (E.164, lower case). Raises BadInput with every mistake."""
    customer, errors = details.customer, dict[str, str]()
    name = one_line(customer.name)
    if not name:
        errors["customer.name"] = "Please give the customer's name."
    elif len(name) > MAX_NAME_LENGTH:
        errors["customer.name"] = f"A name has at most {MAX_NAME_LENGTH} letters."
    phone = email = None
    timezone = None
    try:
        phone = parse_phone(customer.phone) if customer.phone else None
    except ValueError as error:
        errors["customer.phone"] = str(error)
    try:
        email = parse_email_address(customer.email) if customer.email else None
    except ValueError as error:
        errors["customer.email"] = str(error)
    try:
        timezone = parse_timezone(customer.timezone) if customer.timezone else None
    except ValueError as error:
        errors["customer.timezone"] = str(error)
    locale = (customer.locale or "en").strip()
    if not (len(locale) <= MAX_LOCALE_LENGTH and names_language(locale)):
        errors["customer.locale"] = "A locale looks like en, es or pt-BR."
    if len(details.title) > MAX_TITLE_LENGTH:
        errors["title"] = f"A title has at most {MAX_TITLE_LENGTH} letters."
    if details.external_id is not None and not 0 < len(details.external_id) <= MAX_TITLE_LENGTH:
        errors["external_id"] = f"An external_id has 1 to {MAX_TITLE_LENGTH} letters."
    if errors:
        raise BadInput(" ".join(errors.values()), fields=errors)
    return CustomerDetails(name, phone, email, locale, timezone)


async def _check_external_id(uow: UnitOfWork, external_id: str) -> None:
    query = select(ServiceRequest.reference).where(col(ServiceRequest.external_id) == external_id)
    reference = (await uow.session.exec(query)).first()
    if reference is not None:
        raise Conflict(f"external_id {external_id!r} has been opened already, as {reference}.")


async def _add_customer(uow: UnitOfWork, details: CustomerDetails, workflow: Workflow) -> Customer:
    customer = Customer(
        name=details.name,
        locale=details.locale or "en",
        timezone=details.timezone
        or (phone_timezone(details.phone) if details.phone else None)
        or workflow.definition.timezone,
        created_at=uow.now,
        contact_points=[],
    )
    uow.session.add(customer)
    return customer


async def _record_consent(uow: UnitOfWork, customer: Customer) -> None:
    """An address given with a request may be written to about it; a stop outlives new requests."""
    for point in customer.contact_points:
        await restore_stop(uow, point.channel, point.address)
        consent, _ = await newest_consents(uow.session, point.channel, point.address, None)
        if consent is None:
            uow.session.add(
                Consent(
                    channel=point.channel,
                    address=point.address,
                    granted=True,
                    source=ConsentSource.REQUEST,
                    evidence=f"{uow.actor.kind.value}: {uow.actor.name}"[:400],
                    at=uow.now,
                )
            )
    await uow.session.flush()
