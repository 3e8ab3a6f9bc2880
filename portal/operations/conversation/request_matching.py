"""To which request each message belongs, and why. Pure; never a guess."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from portal.messaging.intents.classifier import Intent, IntentKind, normalize_words
from portal.messaging.intents.named_times import read_choice
from portal.models import REFERENCE_PATTERN, Message, ServiceRequest
from portal.operations.conversation.consent_rules import consent_request, consent_wish
from portal.operations.conversation.facts import InboundFacts
from portal.operations.conversation.inbound_message import InboundMessage
from portal.operations.conversation.reading.questions import (
    answers_question,
    match_offer,
    match_open_question,
)
from portal.operations.conversation.request_names import (
    RequestMatch,
    find_named,
    match_choice,
    match_recent_staff_message,
)
from portal.operations.conversation.wishes.rules import is_about_person

MAX_CLARIFICATIONS = 2
"""After so many times "which?" without a choice a person finds out."""


MATCHING_RULES = {
    "D1": "The same message again within 10 minutes: recorded.",
    "F1": "More than 20 texts in 10 minutes: recorded, one notice, no reply one by one.",
    "N1": "A number that no customer has: a notice, and one reply an hour.",
    "W1": "It only says which request is meant: recorded.",
    "W2": "Several are open and asking is over or not allowed: a person answers.",
    "W3": "Several are open and any may be meant: asked which, and a person answers meanwhile.",
}


class Basis(StrEnum):
    """Why a message belongs where it is delivered."""

    GIVEN = "given"  # by a reply address or a link
    CONSENT = "consent"  # it is about our texts
    FLOOD = "flood"
    REPEATS = "repeats"  # the same message as one before
    ONLY = "only"  # the only open request, or the newest where it is about the person
    LAST = "last"  # none is open: the newest closed one
    CHOSEN = "chosen"  # the answer to "which?"
    CHOICE = "choice"  # says which, and no more
    NAMED = "named"
    ANSWERS = "answers"  # its question is the only one that fits
    FOLLOWS = "follows"  # a colleague has just written about it
    SPOKEN_OF = "spoken_of"  # the request of the last exchange within a day
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
    set_apart = _match_set_apart(inbound, intent, facts)
    if set_apart is not None:
        basis, request_id = set_apart
    elif facts.limits.is_flood and not _answers_us(message, intent, facts):
        named = requests if len(requests) == 1 else find_named(message.body, requests)
        basis, request_id = Basis.FLOOD, _id(named[0] if len(named) == 1 else facts.owning)
    elif facts.repeated is not None:
        basis, request_id = Basis.REPEATS, facts.repeated.request_id
    elif read_choice(message.body) and (offering := match_offer(intent, message.body, facts)):
        basis, request_id = Basis.ANSWERS, offering.id
    elif facts.waiting and (chosen := _choose_listed(message, facts)):
        basis, deliveries = Basis.CHOSEN, chosen
    elif len(requests) > 1:
        basis, deliveries = Basis.AMBIGUOUS, _match_one_of_several(message, intent, facts)
    elif not requests and newest is not None:
        basis, request_id = Basis.LAST, _id(facts.spoken_of or newest)
    elif newest is not None and facts.spoken_of is not None and facts.spoken_of.is_closed:
        basis, request_id = _match_open_or_closed(message, intent, newest, facts.spoken_of, facts)
    elif newest is not None:
        basis, request_id = Basis.ONLY, newest.id
    else:
        basis = Basis.UNKNOWN_SENDER
    return deliveries or [Delivery(message, request_id, basis)]


def _answers_us(message: Message, intent: Intent, facts: InboundFacts) -> bool:
    """Whether it answers our question, or says which request is meant where we have asked."""
    choice = None
    if facts.recently_waiting:
        choice = match_choice(message.body, facts.open_requests, facts.offered)
    is_choice = choice is not None and not choice.has_more_text
    return is_choice or answers_question(intent, message.body, facts)


def _choose_listed(message: Message, facts: InboundFacts) -> Sequence[Delivery]:
    """Where the waiting texts go by the answer to "which?"; empty where it is none.

    After a day only a plain choice is one.
    """
    choice = match_choice(message.body, facts.open_requests, facts.offered)
    is_choice = choice is not None and (facts.recently_waiting or not choice.has_more_text)
    if choice is None or not is_choice:
        return ()
    return _deliver_to_each([*facts.waiting, message], Basis.CHOSEN, choice)


def _match_open_or_closed(
    message: Message,
    intent: Intent,
    only: ServiceRequest,
    closed: ServiceRequest,
    facts: InboundFacts,
) -> tuple[Basis, int | None]:
    """The only open request, or the one closed a short while ago, of which we spoke last.

    A status question is about the open one, and so is the answer to its question.
    """
    named = find_named(message.body, [only, closed])
    asking = match_open_question(intent, message.body, facts)
    is_open_meant = intent.kind == IntentKind.STATUS or asking is not None
    if len(named) == 1:
        return Basis.NAMED, named[0].id
    if is_open_meant and not _says_little(intent, message.body):
        return Basis.ONLY, only.id
    return Basis.SPOKEN_OF, closed.id


def _match_set_apart(
    inbound: InboundMessage, intent: Intent, facts: InboundFacts
) -> tuple[Basis, int | None] | None:
    """What came with its request, and wishes about our messages, which ask for no request."""
    match: tuple[Basis, int | None] | None = None
    asks_for_link = intent.kind == IntentKind.LINK and not facts.limits.is_flood
    if inbound.request_id is not None:
        match = Basis.GIVEN, inbound.request_id
    elif facts.takes_texts and consent_wish(inbound, intent, facts) is not None:
        match = Basis.CONSENT, _id(consent_request(inbound, intent, facts))
    elif is_about_person(intent, facts) and facts.newest is not None:
        match = Basis.ONLY, facts.newest.id
    elif asks_for_link and facts.newest is not None:
        named = find_named(inbound.text, facts.open_requests)
        match = Basis.ONLY, _id(named[0] if len(named) == 1 else facts.spoken_of or facts.owning)
    return match


def _match_one_of_several(
    message: Message, intent: Intent, facts: InboundFacts
) -> Sequence[Delivery]:
    owning_id = _id(facts.owning)
    waiting = facts.recently_waiting
    match = _find_meant(message, intent, facts)
    is_silenced = facts.limits.suppress_reply or facts.limits.is_last or facts.is_opted_out
    if match is not None:
        deliveries = _deliver_to_each([*waiting, message], *match)
    elif is_silenced:
        is_last = facts.limits.is_last
        deliveries = [Delivery(message, owning_id, Basis.FOR_PERSON, is_last=is_last)]
    elif len(waiting) < MAX_CLARIFICATIONS or asks_status(intent):
        deliveries = [Delivery(message, owning_id, Basis.AMBIGUOUS)]
    else:
        deliveries = [
            Delivery(text, owning_id, Basis.FOR_PERSON, is_last=text is message)
            for text in [*waiting, message]
        ]
    return deliveries


def _find_meant(
    message: Message, intent: Intent, facts: InboundFacts
) -> tuple[Basis, RequestMatch] | None:
    """The request that is meant; None where it would be a guess."""
    body, requests, sent = message.body, facts.open_requests, facts.limits.recent_messages
    waiting, spoken_of = facts.recently_waiting, facts.spoken_of
    named = find_named(body, requests)
    is_choice = bool(waiting) and body.strip().isdecimal()
    if len(named) == 1:
        basis, request = Basis.NAMED, named[0]
    elif named or REFERENCE_PATTERN.search(body.upper()) or is_choice or facts.asks_again:
        return None
    elif spoken_of is not None and _says_little(intent, body):
        basis, request = Basis.SPOKEN_OF, spoken_of
    elif asking := match_open_question(intent, body, facts):
        basis, request = Basis.ANSWERS, asking
    elif _says_little(intent, body) and facts.asking is not None and facts.asking.open_question:
        basis, request = Basis.ANSWERS, facts.asking
    elif facts.owning is not None and (_is_thanks(intent) or not normalize_words(body)):
        basis, request = Basis.SPOKEN_OF, facts.owning
    elif not waiting and (followed := match_recent_staff_message(requests, sent, facts.now)):
        basis, request = Basis.FOLLOWS, followed
    elif not waiting and spoken_of is not None and _may_mean(spoken_of, intent):
        basis, request = Basis.SPOKEN_OF, spoken_of
    else:
        return None
    return basis, RequestMatch((request,))


def asks_status(intent: Intent) -> bool:
    """A question about where a request is, and nothing else: it is answered as soon as that is known."""
    return intent.kind == IntentKind.STATUS and not (intent.needs_owner or intent.is_urgent)


def _is_thanks(intent: Intent) -> bool:
    return intent.kind == IntentKind.THANKS and not intent.needs_owner


def _says_little(intent: Intent, body: str) -> bool:
    """Thanks, an "OK", or signs that answer nothing: they follow on what was said last."""
    is_answer = intent.kind in (IntentKind.YES, IntentKind.NO)
    is_unclear = intent.kind == IntentKind.ASK_BACK and not intent.needs_owner
    return _is_thanks(intent) or is_unclear or not (is_answer or normalize_words(body))


def _may_mean(spoken_of: ServiceRequest, intent: Intent) -> bool:
    """A closed request is meant by all but a question about where it is."""
    return not spoken_of.is_closed or intent.kind != IntentKind.STATUS


def _deliver_to_each(
    messages: Sequence[Message], basis: Basis, match: RequestMatch
) -> list[Delivery]:
    """Request by request, the messages in their order; a plain choice asks for nothing."""
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
