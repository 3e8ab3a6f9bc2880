"""Share links: made and ended by the customer; ended with the customer's own link."""

import sqlalchemy as sa
from sqlmodel import col

from portal.models import EventKind, ServiceRequest, ShareLink
from portal.models.columns import saved_id
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.tracking_links import find_share_link


async def share_request(uow: UnitOfWork, request: ServiceRequest) -> ShareLink:
    """The link that shows the timeline; a new one where there is none. The request is locked."""
    request.require_not_erased()
    link = await find_share_link(uow.session, saved_id(request))
    if link is None:
        link = ShareLink(request_id=saved_id(request), created_at=uow.now)
        uow.session.add(link)
        await _record(uow, request, is_ended=False)
    return link


async def end_sharing(uow: UnitOfWork, request: ServiceRequest) -> None:
    """End the share link of this request, if there is one."""
    if await end_share_links(uow, request):
        await _record(uow, request, is_ended=True)


async def end_share_links(uow: UnitOfWork, request: ServiceRequest) -> bool:
    """End every share link of this request; True where there was one."""
    ended = await (await uow.session.connection()).execute(
        sa.update(ShareLink)
        .where(col(ShareLink.request_id) == request.id, col(ShareLink.ended_at).is_(None))
        .values(ended_at=uow.now)
    )
    return ended.rowcount > 0


async def _record(uow: UnitOfWork, request: ServiceRequest, *, is_ended: bool) -> None:
    request.record(
        EventKind.LINK_SHARED, uow.actor, uow.now, visible=False, bumps_version=False,
        is_ended=is_ended,
    )  # fmt: skip
    await uow.finish(request)
