"""The bytes of files that a customer may send about one request in a day, by any way."""

from starlette.requests import Request

from portal import business_time
from portal.queries.attachments import bytes_received


async def take_daily_bytes(request: Request, request_id: int, size: int) -> bool:
    """Take ``size`` bytes from what is allowed for this request (``KEPT_MAX_LINK_BYTES_PER_DAY``).

    False where less than that is left; then nothing is taken. The database knows what has been
    stored in 24 hours, whichever process did; memory knows what is still on its way to this one,
    and what was refused after it was read.
    """
    state = request.app.state
    limit: int = state.settings.max_link_bytes_per_day
    async with state.database.reading() as session:
        stored = await bytes_received(session, request_id, business_time.now())
    return stored + size <= limit and await state.rate_limiter.spend(size, limit, str(request_id))
