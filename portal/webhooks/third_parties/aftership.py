"""AfterShip's webhooks as reports. Source: AfterShip, "Webhook Specifications", tracking object."""

from datetime import UTC, datetime
from typing import Any

from portal.models import ThirdPartyCode
from portal.operations import ThirdPartyReport
from portal.webhooks.third_parties.documents import day_or_moment, last_of, moment, table, text

CODES = {
    "InfoReceived": ThirdPartyCode.INFORMATION_RECEIVED,
    "InTransit": ThirdPartyCode.IN_TRANSIT,
    "OutForDelivery": ThirdPartyCode.OUT_FOR_DELIVERY,
    "AttemptFail": ThirdPartyCode.ATTEMPTED,
    "AvailableForPickup": ThirdPartyCode.AVAILABLE_FOR_PICKUP,
    "Delivered": ThirdPartyCode.DELIVERED,
    "Exception": ThirdPartyCode.EXCEPTION,
}
"""By tag. "Pending" and "Expired" are no news: silence is detected by the stage's own time."""
SUBTAG_CODES = {
    "InTransit_002": ThirdPartyCode.PICKED_UP,
    "InTransit_003": ThirdPartyCode.AT_DEPOT,
    "Exception_010": ThirdPartyCode.RETURNING,
    "Exception_011": ThirdPartyCode.RETURNING,
}
"""By subtag, where that says more: accepted, arrived at a hub, returning and returned to sender."""


def read_aftership(document: dict[str, Any]) -> ThirdPartyReport | None:
    """The last checkpoint of the tracking in ``msg``; None where that says nothing."""
    tracking = table(document, "msg")
    checkpoint = last_of(tracking, "checkpoints")
    tag, subtag = text(tracking, "tag"), text(tracking, "subtag")
    code = SUBTAG_CODES.get(subtag) or CODES.get(tag)
    if code is None:
        return None
    return ThirdPartyReport(
        carrier=text(checkpoint, "slug") or text(tracking, "slug"),
        number=text(tracking, "tracking_number"),
        code=code,
        description=text(checkpoint, "message") or text(tracking, "subtag_message"),
        place=text(checkpoint, "city") or text(checkpoint, "location"),
        at=moment(checkpoint, "checkpoint_time") or _sent_at(document),
        estimated=(
            day_or_moment(table(tracking, "latest_estimated_delivery"), "datetime")
            or day_or_moment(
                table(tracking, "courier_estimated_delivery_date"), "estimated_delivery_date"
            )
            or day_or_moment(tracking, "expected_delivery")
        ),
    )


def _sent_at(document: dict[str, Any]) -> datetime | None:
    """``ts``, in seconds since 1970 UTC."""
    seconds = document.get("ts")
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 < seconds < 2**33:
        return None
    return datetime.fromtimestamp(seconds, UTC)
