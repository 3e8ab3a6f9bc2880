"""`kept message`: sends failed messages again."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from portal import business_time
from portal.commands.runner import COMMAND_LINE_ACTOR, run_operation
from portal.errors import BadInput
from portal.messaging.wording.delivery_reasons import reason_sentence
from portal.models import DeliveryReason
from portal.operations import Operations, retry_messages
from portal.operations.delivery.failed_messages import NEVER_RESEND_CODES
from portal.operations.staff import parse_day
from portal.queries.desk.failed_messages import RetryFilter, list_retriable
from portal.settings import Settings

NO_REASON = "No reason is known."


def retry_failed_messages(
    settings: Settings, since: str, reason: str | None, *, is_dry_run: bool
) -> list[str]:
    """Send the failed messages written since then again; return what was done, a line each.

    ``since`` is a day or a time, in UTC unless it has an offset; ``reason`` is a DeliveryReason.
    With ``is_dry_run`` nothing is sent. Raises BadInput.
    """
    chosen = RetryFilter(
        since=_parse_since(since), reason=_parse_reason(reason), never_codes=NEVER_RESEND_CODES
    )

    async def retry(operations: Operations) -> list[str]:
        async with operations.database.reading() as session:
            found = await list_retriable(session, business_time.now(), chosen)
        if is_dry_run:
            reasons = Counter(row.reason for row in found)
            return [f"{len(found)} would be sent again.", *_by_reason(reasons)]
        ids = [row.id for row in found]
        result = await retry_messages(operations, COMMAND_LINE_ACTOR, ids)
        skipped = [f"{count} skipped: {why}" for why, count in result.skipped.most_common()]
        return [f"{result.sent} sent again.", *skipped]

    return run_operation(settings, retry)


def _by_reason(reasons: Counter[DeliveryReason | None]) -> Iterator[str]:
    for reason, count in reasons.most_common():
        text = f"{reason.value}: {reason_sentence(reason)}" if reason else NO_REASON
        yield f"{count} {text}"


def _parse_since(text: str) -> datetime:
    since = parse_day(text, "UTC")
    if since is None:
        raise BadInput("Please say since when, such as --since 2025-06-03.")
    return since


def _parse_reason(text: str | None) -> DeliveryReason | None:
    if text is None:
        return None
    try:
        return DeliveryReason(text)
    except ValueError:
        raise BadInput(
            f"There is no reason {text!r}; `kept message retry --dry-run` lists those there are."
        ) from None
