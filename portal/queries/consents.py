"""The newest word about an address: may we write to it."""

from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.models import Channel, Consent


async def newest_consents(
    session: AsyncSession, channel: Channel, address: str, request_id: int | None
) -> tuple[Consent | None, Consent | None]:
    """The newest line about the address as a whole, and the newest about this request alone."""
    query = (
        select(Consent)
        .where(
            col(Consent.channel) == channel,
            col(Consent.address) == address,
            or_(col(Consent.request_id).is_(None), col(Consent.request_id) == request_id),
        )
        .order_by(col(Consent.id).desc())
    )
    lines = (await session.exec(query)).all()
    whole = next((line for line in lines if line.request_id is None), None)
    of_request = next((line for line in lines if line.request_id is not None), None)
    return whole, of_request


async def may_write(
    session: AsyncSession, channel: Channel, address: str, request_id: int | None
) -> bool:
    """True with a consent that stands: a stop for the address, or for this request, ends it."""
    whole, of_request = await newest_consents(session, channel, address, request_id)
    if whole is None or not whole.granted:
        return False
    if of_request is None or of_request.granted:
        return True
    return (whole.id or 0) > (of_request.id or 0)  # START again came after "not this one"
