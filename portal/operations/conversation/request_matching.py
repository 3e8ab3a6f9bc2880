"""To which request each message belongs, and why. Pure; never a guess."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from portal.messaging.intents.classifier import Intent
from portal.models import REFERENCE_PATTERN, Message, ServiceRequest
from portal.operations.conversation.consent_rules import consent_request, consent_wish
from portal.operations.conversation.facts import InboundFacts
from portal.operations.conversation.inbound_message import InboundMessage
from portal.operations.conversation.request_names import (
    RequestMatch,
    find_named,
    match_choice,
    match_open_question,
    match_recent_staff_message,
)
from portal.operations.conversation.wishes.rules import is_about_person

MAX_CLARIFICATIONS = 2
"""After so many times "which?" without a choice a person finds out."""


class Basis(StrEnum):
    """Why a message belongs where it is delivered."""

    GIVEN = "given"  # by a reply address or a link
    CONSENT = "consent"  # it is about our texts
    FLOOD = "flood"
    ONLY = "only"  # the only open request, or the newest where it is about the person
    LAST = "last"  # none is open: the newest closed one
    CHOSEN = "chosen"  # the answer to "which?"
    CHOICE = "choice"  # says which, and no more
    NAMED = "named"
    ANSWERS = "answers"  # its question is the only one that fits
    FOLLOWS = "follows"  # a colleague has just written about it
    FOR_PERSON = "for_person"  # several are open, and no question may be asked
    AMBIGUOUS = "ambiguous"
    UNKNOWN_SENDER = "unknown_sender"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message for one request, or for none.

    ``is_copy``: it is recorded as a second row, for one more request. ``is_last``: of several
    messages for a person, the one that is replied to.
    """

    message: Message
    request_id: int | None
    basis: Basis
    is_copy: bool = False
    is_last: bool = True


def match_request(
    inbound: InboundMessage, message: Message, intent: Intent, facts: InboundFacts
) -> Sequence[Delivery]:
    """Where the message goes, with the texts that waited for it, in this order."""
    requests, newest = facts.open_requests, facts.newest
    request_id: int | None = None
    deliveries: Sequence[Delivery] = ()
    if inbound.request_id is not None:
        basis, request_id = Basis.GIVEN, inbound.request_id
    elif facts.takes_texts and consent_wish(inbound, intent, facts) is not None:
        basis, request_id = Basis.CONSENT, _id(consent_request(inbound, intent, facts))
    elif is_about_person(intent) and newest is not None:
        basis, request_id = Basis.ONLY, newest.id
    elif facts.limits.is_flood:
        named = requests if len(requests) == 1 else find_named(message.body, requests)
        basis = Basis.FLOOD
        request_id = _id(named[0] if len(named) == 1 else facts.last_request)
    elif len(requests) > 1:
        basis, deliveries = Basis.AMBIGUOUS, _match_one_of_several(message, intent, facts)
    elif newest is not None:
        basis, request_id = (Basis.ONLY if requests else Basis.LAST), newest.id
    else:
        basis = Basis.UNKNOWN_SENDER
    return deliveries or [Delivery(message, request_id, basis)]


def _match_one_of_several(
    message: Message, intent: Intent, facts: InboundFacts
) -> Sequence[Delivery]:
    newest_id = facts.open_requests[-1].id
    messages = [*facts.waiting, message]
    chosen = _choose(message, intent, facts)
    if chosen is not None:
        deliveries = _deliver_to_each(messages, *chosen)
    elif facts.limits.suppress_reply or facts.is_opted_out:
        deliveries = [Delivery(message, newest_id, Basis.FOR_PERSON, is_last=False)]
    elif len(facts.waiting) < MAX_CLARIFICATIONS:
        deliveries = [Delivery(message, None, Basis.AMBIGUOUS)]
    else:
        deliveries = [
            Delivery(waiting, newest_id, Basis.FOR_PERSON, is_last=waiting is message)
            for waiting in messages
        ]
    return deliveries


def _choose(
    message: Message, intent: Intent, facts: InboundFacts
) -> tuple[Basis, RequestMatch] | None:
    """The requests that are meant; None where it would be a guess."""
    body, requests, sent = message.body, facts.open_requests, facts.limits.recent_messages
    choice = match_choice(body, requests, facts.offered) if facts.waiting else None
    if choice is not None:
        return Basis.CHOSEN, choice
    named = find_named(body, requests)
    is_choice = bool(facts.waiting) and body.strip().isdecimal()
    if len(named) == 1:
        basis, request = Basis.NAMED, named[0]
    elif named or REFERENCE_PATTERN.search(body.upper()) or is_choice:
        return None
    elif asking := match_open_question(intent, requests, sent):
        basis, request = Basis.ANSWERS, asking
    elif not facts.waiting and (followed := match_recent_staff_message(requests, sent, facts.now)):
        basis, request = Basis.FOLLOWS, followed
    else:
        return None
    return basis, RequestMatch((request,))


def _deliver_to_each(
    messages: Sequence[Message], basis: Basis, match: RequestMatch
) -> list[Delivery]:
    """Request by request, the messages in their order; a mere choice asks for nothing."""
    first, last = messages[0], messages[-1]
    deliveries = []
    for place, request in enumerate(match.requests):
        for message in messages:
            is_number = message is not first and message.body.strip().isdecimal()
            says_only_which = message is last and last is not first and not match.has_more_text
            is_choice = is_number or says_only_which
            deliveries.append(
                Delivery(
                    message, request.id, Basis.CHOICE if is_choice else basis, is_copy=place > 0
                )
            )
    return deliveries


def _id(request: ServiceRequest | None) -> int | None:
    return request.id if request else None
