"""A night within quiet hours, and what is dropped after it."""

from datetime import UTC, datetime

from portal.models import SYSTEM_ACTOR, DeliveryReason, MessageStatus
from portal.operations import accept, advance
from portal.settings import Settings

HOURS = Settings(_env_file=None, KEPT_QUIET_HOURS="21:00-08:00").quiet_hours


DAY = datetime(2025, 6, 3, 18, tzinfo=UTC)


NIGHT = datetime(2025, 6, 4, 3, tzinfo=UTC)


MORNING = datetime(2025, 6, 4, 12, tzinfo=UTC)


async def moved_on(organisation, request, times=1):
    """Whoever has it completes the stage, and the next department takes it up."""
    for _ in range(times):
        request = await organisation.run(advance, request, by=SYSTEM_ACTOR)
        if request.handoffs and request.handoffs[-1].is_pending:
            request = await organisation.run(accept, request, by=SYSTEM_ACTOR)
    return request


async def dropped(organisation, request) -> list[tuple[str, DeliveryReason]]:
    """The kind of each message that was dropped, and the reason."""
    told = await organisation.outbound_messages(request)
    gone = [message for message in told if message.status == MessageStatus.EXPIRED]
    assert all(message.handled_at is not None for message in gone), "none of them needs a person"
    return [(message.kind.value, message.reason) for message in gone]
