"""Sending many failed messages again: the buttons, and what was done."""

from collections import Counter
from collections.abc import Sequence

from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.datastructures import FormData

from portal import business_time
from portal.desk.auth.access import field, read_number
from portal.desk.failed_messages.view_models import BulkRetry
from portal.errors import BadInput
from portal.messaging.wording.delivery_reasons import reason_sentence
from portal.models import DeliveryReason
from portal.operations import BulkRetryResult
from portal.operations.delivery.failed_messages import NEVER_RESEND_CODES
from portal.queries.desk.failed_messages import (
    RetryFilter,
    list_retriable,
)
from portal.queries.paging import WorkScope

MAX_MESSAGES = 500
"""Messages sent again by one press: each is a transaction of its own."""


async def present_bulk_retries(session: AsyncSession, scope: WorkScope) -> Sequence[BulkRetry]:
    """A button for each reason of two failed messages or more, the most frequent first.

    ``scope`` has the messages that the reader may send again.
    """
    chosen = RetryFilter(scope, limit=MAX_MESSAGES, never_codes=NEVER_RESEND_CODES)
    found = await list_retriable(session, business_time.now(), chosen)
    reasons = Counter(row.reason for row in found if row.reason is not None)
    return [
        BulkRetry(reason.value, f"Send all {count} again: {reason_sentence(reason)}")
        for reason, count in reasons.most_common()
        if count > 1
    ]


async def read_chosen(session: AsyncSession, form: FormData, scope: WorkScope) -> Sequence[int]:
    """The messages that the form chooses: the selected ones, or all of one reason in ``scope``.

    Raises BadInput where it chooses none.
    """
    if text := field(form, "reason"):
        if text not in list(DeliveryReason):
            raise BadInput("Please load the page again, and choose a reason that it offers.")
        chosen = RetryFilter(
            scope,
            reason=DeliveryReason(text),
            limit=MAX_MESSAGES,
            never_codes=NEVER_RESEND_CODES,
        )
        found = await list_retriable(session, business_time.now(), chosen)
        return [row.id for row in found]
    ids = [read_number(str(value), "message") for value in form.getlist("message")]
    if not ids:
        raise BadInput("Please select the messages to send again.")
    return ids


def result_message(result: BulkRetryResult) -> str:
    """What is sent again, and why the others are not."""
    sentences = [f"Sending {result.sent} again. What fails again comes back here."]
    sentences += [f"{count} not sent: {why}" for why, count in result.skipped.most_common()]
    return " ".join(sentences)
