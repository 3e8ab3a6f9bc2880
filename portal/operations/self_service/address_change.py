"""Customers change their own number or e-mail address, proven by a code that goes to the new one."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import col

from portal.errors import Conflict
from portal.i18n.lazy_string import LazyString
from portal.models import (
    Channel,
    ConsentSource,
    ContactPoint,
    EventKind,
    Message,
    MessageKind,
    MessageStatus,
    ServiceRequest,
)
from portal.operations.conversation.consent import grant_consent, withdraw_consent
from portal.operations.device_verification import send_code, trust_device, use_code
from portal.operations.dropped_balls.resolution import schedule_customer_checks
from portal.operations.outbox import Draft
from portal.operations.self_service.push_subscriptions import forget_subscriptions
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.consent import (
    ConsentQuery,
    find_permitted,
    find_stopped_requests,
    newest_consents,
)
from portal.queries.trusted_devices import CodeDestination, is_shared


async def send_code_to_new_address(
    uow: UnitOfWork, request: ServiceRequest, channel: Channel, address: str
) -> None:
    """Queue a code to the new address, which changes nothing yet. The request is locked.

    Nothing goes to an address from which our messages were stopped: START comes from there first.
    The page does not show the difference, or anybody could ask who has stopped our messages.
    Raises Conflict where it is the customer's address already, RateLimited after too many codes.
    """
    if address in request.customer.addresses(channel, uow.now):
        raise Conflict(LazyString("We write to you there already."))
    consent, _ = await newest_consents(uow.session, channel, address, None)
    is_stopped = consent is not None and not consent.granted
    shared = await is_shared(uow.session, channel, address, request.customer_id)
    destination = CodeDestination(channel, address, shared)
    await send_code(uow, request, destination, is_new_address=True, is_sent=not is_stopped)


@dataclass(frozen=True, slots=True)
class ChangedAddress:
    """A change that was made. ``secret`` is the new one of the browser, trusted by the new address.

    ``is_stopped``: the customer's stop holds there too. ``is_notified``: an old address gets a
    notice.
    """

    secret: str
    is_stopped: bool
    is_notified: bool


async def change_address(
    uow: UnitOfWork, request: ServiceRequest, digits: str, secret: str | None
) -> ChangedAddress | None:
    """Replace the customer's addresses of that channel by the one to which the code went.

    What is queued goes there too, and both addresses get a notice. A stop by the customer moves
    along, of everything and of one request; notifications end with the number that they stood in
    for. None where the digits are wrong, which is counted.
    """
    code = await use_code(uow, request, digits, is_new_address=True)
    if code is None:
        return None
    channel, address, now = code.channel, code.address, uow.now
    customer = request.customer
    old_addresses = customer.addresses(channel, now)
    queries = {ConsentQuery(channel, old, None) for old in old_addresses}
    welcome = {q.address for q in await find_permitted(uow.session, queries)} if queries else set()
    for point in customer.contact_points:
        if point.channel == channel and point.address in old_addresses:
            point.valid_until = now
    known = next((p for p in customer.contact_points if (p.channel, p.address) == (channel, address)), None)  # fmt: skip
    if known is None:
        known = ContactPoint(channel=channel, address=address)
        customer.contact_points.append(known)
    known.verified_at, known.valid_until = now, None
    is_stopped = bool(old_addresses) and not welcome
    stopped = await find_stopped_requests(uow.session, channel, old_addresses, request.customer_id)
    write = withdraw_consent if is_stopped else grant_consent
    source, evidence = ConsentSource.STATUS_PAGE, f"{request.reference}: by a code"
    await write(uow, channel, address, source, evidence=evidence)
    for request_id in sorted(stopped):
        await withdraw_consent(
            uow, channel, address, source, evidence=evidence, request_id=request_id
        )
    if channel == Channel.SMS:
        await forget_subscriptions(uow, request.customer_id)
    await _redirect_queued(uow, request, channel, old_addresses, address)
    event = request.record(
        EventKind.PREFERENCES_CHANGED, uow.actor, now, bumps_version=False, address=channel.value
    )
    await schedule_customer_checks(uow, {request.customer_id})
    await uow.finish(request)
    renderer = await uow.renderer(request)
    by_text = channel == Channel.SMS
    told = renderer.say("new_number" if by_text else "new_email")
    cause = f"event:{event.id}"
    await uow.outbox.queue(
        request, Draft(MessageKind.ADDRESS, cause, told, event_id=event.id), channels=[channel]
    )
    for old in old_addresses:
        if old in welcome:
            notice = await uow.outbox.queue_reply_to_address(
                MessageKind.ADDRESS, f"{cause}:old:{old_addresses.index(old)}",
                renderer.say("old_number" if by_text else "old_email"),
                channel=channel, address=old, locale=customer.locale,
            )  # fmt: skip
            notice.request_id, notice.customer_id = request.id, request.customer_id
            notice.subject = request.title_in(customer.locale)
    new_secret = await trust_device(uow, request, code, secret)
    return ChangedAddress(new_secret, is_stopped=is_stopped, is_notified=bool(welcome))


async def _redirect_queued(
    uow: UnitOfWork,
    request: ServiceRequest,
    channel: Channel,
    old_addresses: list[str],
    address: str,
) -> None:
    """Messages of the customer that wait, such as for the morning, go to the new address."""
    await uow.session.flush()
    await (await uow.session.connection()).execute(
        sa.update(Message)
        .where(
            col(Message.customer_id) == request.customer_id,
            col(Message.status) == MessageStatus.QUEUED,
            col(Message.channel) == channel,
            col(Message.to_address).in_(old_addresses),
            col(Message.kind) != MessageKind.CODE,
        )
        .values(to_address=address)
    )
