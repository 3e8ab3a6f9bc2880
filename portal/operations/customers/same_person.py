"""Two customers of one name with a shared address: staff decide whether they are one person."""

import sqlalchemy as sa
from sqlmodel import col, select

from portal.errors import Conflict, NotFound
from portal.models import (
    ContactPoint,
    Customer,
    DroppedBall,
    DroppedBallKind,
    Message,
    ServiceRequest,
)
from portal.models.columns import saved_id
from portal.operations.authorization import authorize_dismissal
from portal.operations.device_verification import forget_devices
from portal.operations.dropped_balls.resolution import dismiss_dropped_ball, raise_dropped_ball
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.requests import CUSTOMER_OPTIONS, lock_by_id

SAME_PERSON = "It is the same person."
TWO_PEOPLE = "They are two people."


async def ask_whether_same(uow: UnitOfWork, request: ServiceRequest, lookalike: Customer) -> None:
    """Ask the owner of the new request; until then each customer keeps their own addresses."""
    query = (
        select(ServiceRequest.reference)
        .where(col(ServiceRequest.customer_id) == lookalike.id)
        .order_by(col(ServiceRequest.id).desc())
        .limit(1)
    )
    older = (await uow.session.exec(query)).first()
    if older is None:
        return
    detail = (
        f"{older} has the same name and address, and another number or e-mail address. "
        "Until you decide, each request keeps its own."
    )
    await raise_dropped_ball(
        uow, DroppedBallKind.SAME_PERSON, f"customer:{lookalike.id}:request:{request.id}", detail,
        request_id=saved_id(request),
    )  # fmt: skip


async def settle_same_person(uow: UnitOfWork, ball_id: int, *, is_same: bool) -> None:
    """Settle it. The same person's requests are all announced to their newest addresses.

    Raises NotFound, NotAllowed, and Conflict where it is settled already.
    """
    seen = await uow.session.get(DroppedBall, ball_id)
    request = None
    if seen is not None:
        request = await lock_by_id(uow.session, seen.request_id) if seen.request_id else None
        await authorize_dismissal(uow, request, seen.assignee_id)
    if seen is None or request is None or seen.kind != DroppedBallKind.SAME_PERSON:
        raise NotFound("There is no such question.")
    await dismiss_dropped_ball(uow, ball_id, SAME_PERSON if is_same else TWO_PEOPLE)
    if is_same:
        older_id = int(seen.subject.split(":")[1])
        await _merge(uow, request.customer, older_id)


async def _merge(uow: UnitOfWork, newer: Customer, older_id: int) -> None:
    """All of the newer customer becomes the older one's, whose preferences stay.

    Consent belongs to addresses, so it is as it was. Raises Conflict where one of them is gone.
    """
    query = select(Customer).where(col(Customer.id) == older_id).options(CUSTOMER_OPTIONS)
    older = (await uow.session.exec(query.with_for_update())).one_or_none()
    if older is None or older.id == newer.id or not (older.contact_points and newer.contact_points):
        raise Conflict("One of the two is erased or joined already, so nothing was changed.")
    known = {(point.channel, point.address) for point in older.contact_points}
    for point in list(newer.contact_points):
        if (point.channel, point.address) not in known:
            older.contact_points.append(
                ContactPoint(
                    channel=point.channel, address=point.address,
                    verified_at=point.verified_at, valid_until=point.valid_until,
                )
            )  # fmt: skip
        await uow.session.delete(point)
    moved = select(ServiceRequest.id).where(col(ServiceRequest.customer_id) == newer.id)
    for request_id in sorted(id_ or 0 for id_ in (await uow.session.exec(moved)).all()):
        request = await lock_by_id(uow.session, request_id)
        request.customer = older
        uow.mark_page_changed(request)
    messages = sa.update(Message).where(col(Message.customer_id) == newer.id)
    await (await uow.session.connection()).execute(messages.values(customer_id=older_id))
    await forget_devices(uow, saved_id(newer))
    newer.merged_into_id = older_id
    await uow.session.flush()
