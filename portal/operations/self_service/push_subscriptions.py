"""Notifications instead of texts: a browser of the customer subscribes, and ends it."""

import sqlalchemy as sa
from sqlmodel import col

from portal.errors import BadInput, Conflict
from portal.i18n.lazy_string import LazyString
from portal.messaging.push.target import PushTarget
from portal.models import Channel, EventKind, PushSubscription, ServiceRequest
from portal.models.people.push_subscription import MAX_SUBSCRIPTIONS
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.trusted_devices import push_subscriptions


async def subscribe_browser(
    uow: UnitOfWork, request: ServiceRequest, target: PushTarget, public_key: str
) -> None:
    """Send the customer's news to this browser, under our public key, instead of texts.

    Raises BadInput for what is no subscription, Conflict where the customer has no number.
    """
    request.require_not_erased()
    try:
        target.check()
    except ValueError:
        raise BadInput(
            LazyString("This browser could not be set up for notifications."),
            fields={"endpoint": "a push service"},
        ) from None
    if request.customer.address(Channel.SMS, uow.now) is None:
        raise Conflict(
            LazyString("Notifications stand in for texts, and we have no number of yours.")
        )
    await _delete(uow, col(PushSubscription.endpoint) == target.endpoint)
    present = await push_subscriptions(uow.session, request.customer_id)
    oldest = [each.id for each in present[: len(present) + 1 - MAX_SUBSCRIPTIONS]]
    if len(present) >= MAX_SUBSCRIPTIONS:
        await _delete(uow, col(PushSubscription.id).in_(oldest))
    uow.session.add(
        PushSubscription(
            customer_id=request.customer_id,
            endpoint=target.endpoint,
            p256dh=target.p256dh,
            auth=target.auth,
            public_key=public_key,
            created_at=uow.now,
        )
    )
    await _record(uow, request)


async def end_notifications(uow: UnitOfWork, request: ServiceRequest) -> None:
    """Text the customer again: no browser of theirs gets notifications any more."""
    await forget_subscriptions(uow, request.customer_id)
    await _record(uow, request)


async def forget_subscriptions(uow: UnitOfWork, customer_id: int) -> None:
    """Delete every subscription of this customer: texts come again."""
    await _delete(uow, col(PushSubscription.customer_id) == customer_id)


async def _delete(uow: UnitOfWork, which: sa.ColumnElement[bool]) -> None:
    await uow.session.flush()
    await (await uow.session.connection()).execute(sa.delete(PushSubscription).where(which))


async def _record(uow: UnitOfWork, request: ServiceRequest) -> None:
    request.record(
        EventKind.PREFERENCES_CHANGED, uow.actor, uow.now, visible=False, bumps_version=False
    )
    await uow.finish(request)
