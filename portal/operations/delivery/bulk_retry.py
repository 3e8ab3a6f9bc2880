"""Sends many failed messages again: each in a unit of work of its own, by the one operation."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from portal.errors import PortalError
from portal.models import Actor
from portal.operations.delivery.failed_messages import lock_failed_message, retry_message
from portal.operations.unit_of_work import Operations


@dataclass
class BulkRetryResult:
    """How many messages are sent again, and how many are not, by the sentence that says why."""

    sent: int = 0
    skipped: Counter[str] = field(default_factory=Counter)


async def retry_messages(
    operations: Operations, actor: Actor, message_ids: Iterable[int]
) -> BulkRetryResult:
    """Send these again. One that may not be, such as one that was resolved meanwhile, is skipped."""
    result = BulkRetryResult()
    for message_id in message_ids:
        try:
            async with operations.begin(actor) as uow:
                await retry_message(uow, await lock_failed_message(uow, message_id))
        except PortalError as refusal:
            result.skipped[refusal.detail] += 1
        else:
            result.sent += 1
    return result
