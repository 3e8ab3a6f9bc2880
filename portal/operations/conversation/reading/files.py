"""Whether a message is nothing but files for an item that is needed. Pure."""

from portal.models import ServiceRequest
from portal.operations.conversation.facts import InboundFacts
from portal.operations.conversation.inbound_message import InboundMessage
from portal.operations.conversation.request_matching import Basis, Delivery
from portal.rules.needs import item_of_files

UNSETTLED_BASES = (Basis.AMBIGUOUS, Basis.CHOICE, Basis.CONSENT, Basis.FLOOD, Basis.FOR_PERSON)
"""Bases by which a message may be about another request."""


def may_be_item(inbound: InboundMessage, delivery: Delivery, facts: InboundFacts) -> bool:
    """Whether its files may be an item that is needed: they are the customer's, for this request.

    Those of a stranger, and of a mail that may say more, a person judges.
    """
    return (
        (inbound.has_files and not inbound.says_more)
        and (delivery.basis not in UNSETTLED_BASES and not delivery.is_copy)
        and facts.is_known_sender
    )


def is_only_item(
    inbound: InboundMessage, delivery: Delivery, request: ServiceRequest, facts: InboundFacts
) -> bool:
    """Whether it is nothing but files for an item that is needed from the customer."""
    return (
        may_be_item(inbound, delivery, facts)
        and not inbound.text.strip()
        and item_of_files(request, inbound.need) is not None
    )
