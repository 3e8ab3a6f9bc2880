"""EasyPost's webhooks as reports. Source: EasyPost, "Webhooks Guide", Event and Tracker objects."""

from typing import Any

from portal.models import ThirdPartyCode
from portal.operations import ThirdPartyReport
from portal.webhooks.third_parties.documents import day_or_moment, last_of, moment, table, text

CODES = {
    "pre_transit": ThirdPartyCode.INFORMATION_RECEIVED,
    "in_transit": ThirdPartyCode.IN_TRANSIT,
    "out_for_delivery": ThirdPartyCode.OUT_FOR_DELIVERY,
    "available_for_pickup": ThirdPartyCode.AVAILABLE_FOR_PICKUP,
    "delivered": ThirdPartyCode.DELIVERED,
    "return_to_sender": ThirdPartyCode.RETURNING,
    "failure": ThirdPartyCode.EXCEPTION,
    "cancelled": ThirdPartyCode.EXCEPTION,
}
"""By status. "unknown" and "error" are no news of the parcel."""
DETAIL_CODES = {
    "received_at_origin_facility": ThirdPartyCode.PICKED_UP,
    "arrived_at_facility": ThirdPartyCode.AT_DEPOT,
    "received_at_destination_facility": ThirdPartyCode.AT_DEPOT,
}
"""By status_detail of what is in transit, where that says more."""


def read_easypost(document: dict[str, Any]) -> ThirdPartyReport | None:
    """The last detail of the Tracker in ``result``; None for other objects and for no news."""
    tracker = table(document, "result")
    status = text(tracker, "status")
    code = CODES.get(status)
    if text(tracker, "object") != "Tracker" or code is None:
        return None
    if code == ThirdPartyCode.IN_TRANSIT:
        code = DETAIL_CODES.get(text(tracker, "status_detail"), code)
    detail = last_of(tracker, "tracking_details")
    place = table(detail, "tracking_location")
    return ThirdPartyReport(
        carrier=text(tracker, "carrier"),
        number=text(tracker, "tracking_code"),
        code=code,
        description=text(detail, "message"),
        place=text(place, "city"),
        at=moment(detail, "datetime") or moment(tracker, "updated_at"),
        estimated=day_or_moment(tracker, "est_delivery_date"),
    )
