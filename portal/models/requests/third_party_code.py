"""What a third party, such as a courier, reports of its part: a closed list of codes."""

from enum import StrEnum


class ThirdPartyCode(StrEnum):
    """How far a third party is, whatever its own words for it."""

    INFORMATION_RECEIVED = "information_received"
    PICKED_UP = "picked_up"
    IN_TRANSIT = "in_transit"
    AT_DEPOT = "at_depot"
    OUT_FOR_DELIVERY = "out_for_delivery"
    ATTEMPTED = "attempted"
    AVAILABLE_FOR_PICKUP = "available_for_pickup"
    DELIVERED = "delivered"
    EXCEPTION = "exception"
    RETURNING = "returning"

    @property
    def is_problem(self) -> bool:
        """Whether a person of ours has to look into it."""
        return self in PROBLEM_CODES


PROBLEM_CODES = frozenset(
    {ThirdPartyCode.ATTEMPTED, ThirdPartyCode.EXCEPTION, ThirdPartyCode.RETURNING}
)
"""A failed attempt, an exception, and a return to the sender."""
