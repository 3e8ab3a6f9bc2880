"""Whether a message is nothing but files for an item that is needed. Pure."""

from portal.models import ServiceRequest
from portal.operations.conversation.inbound_message import InboundMessage
from portal.operations.conversation.request_matching import Basis, Delivery
from portal.rules.needs import item_of_files

UNSETTLED_BASES = (Basis.AMBIGUOUS, Basis.CHOICE, Basis.CONSENT, Basis.FLOOD, Basis.FOR_PERSON)
"""Bases by which a message may be about another request."""


def is_only_item(inbound: InboundMessage, delivery: Delivery, request: ServiceRequest) -> bool:
    """Whether it is nothing but files for an item that is needed from the customer."""
    is_own = delivery.basis not in UNSETTLED_BASES and not delivery.is_copy
    is_files = inbound.has_files and not inbound.text.strip()
    return is_own and is_files and item_of_files(request, inbound.need) is not None
