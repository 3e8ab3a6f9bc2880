"""The states of a request."""

from enum import StrEnum


class RequestStatus(StrEnum):
    """The state of a request, as customers, staff and other systems read it."""

    OPEN = "open"
    WAITING_ON_CUSTOMER = "waiting_on_customer"
    ON_HOLD = "on_hold"
    AWAITING_CONFIRMATION = "awaiting_confirmation"
    COMPLETED = "completed"
    DECLINED = "declined"
    CANCELLED = "cancelled"


CLOSED_STATUSES = frozenset(
    {RequestStatus.COMPLETED, RequestStatus.DECLINED, RequestStatus.CANCELLED}
)

UNCONFIRMED = "unconfirmed"
"""The reason that the API and the events give for a request closed without an answer."""

WITHDRAWN = "Withdrawn by the customer."
"""The beginning of the reason of a request that its customer withdrew; theirs may follow."""
