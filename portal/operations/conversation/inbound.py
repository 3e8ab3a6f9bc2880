"""The way of an inbound message, the same by text, mail and page.

It is recorded once; what is known is read; it is classified and matched to its requests; for each
of them one decision is taken and carried out.
"""

import re

from portal.messaging.intents.classifier import Intent, IntentKind, classify
from portal.models import Channel, DeliveryReason, Message, ServiceRequest
from portal.operations.conversation.decision import decide
from portal.operations.conversation.facts import InboundFacts, load_facts, question_of
from portal.operations.conversation.inbound_message import (
    InboundMessage,
    copy_for,
    record_inbound,
)
from portal.operations.conversation.intent_handlers import carry_out, record_in_conversation
from portal.operations.conversation.replies import MatchedMessage
from portal.operations.conversation.request_matching import Basis, match_request
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.requests import lock_by_id

EMAIL_MENTION = re.compile(r"\be-?mail|\bmail(?=ing (?:me|us)\b)", re.IGNORECASE)


async def receive(
    uow: UnitOfWork, inbound: InboundMessage, request: ServiceRequest | None = None
) -> Message | None:
    """Record a message, and answer it or give it an owner; None where it is recorded already.

    ``request`` is the one that its link gives, where the caller has locked it. A request is
    locked before anything is decided about it, and of several messages each is decided after the
    one before it has been applied.
    """
    message = await record_inbound(uow, inbound)
    if message is None:
        return None
    if request is None and inbound.request_id is not None:
        request = await lock_by_id(uow.session, inbound.request_id)
    facts = await load_facts(uow, inbound, request)
    if not facts.is_known_sender:
        message.reason = DeliveryReason.FOREIGN_SENDER
    intent = classify(inbound.text, question_of(facts.newest), facts.locale or "en")
    if inbound.channel == Channel.EMAIL:
        intent = read_email_intent(inbound, intent, facts)
    message.intent = intent.kind
    locked = {request.id: request} if request else {}
    for delivery in match_request(inbound, message, intent, facts):
        request_id, delivered, delivered_intent = delivery.request_id, delivery.message, intent
        if request_id is not None and request_id not in locked:
            locked[request_id] = await lock_by_id(uow.session, request_id)
        matched_request = locked.get(request_id)
        if matched_request is not None and delivery.is_copy:
            delivered = copy_for(uow, delivery.message, matched_request)
        if (
            matched_request is not None
            and len(facts.open_requests) > 1
            and delivery.basis != Basis.CONSENT
        ):
            delivered_intent = classify(
                delivered.body, question_of(matched_request), matched_request.customer.locale
            )
        decision = decide(inbound, delivery, matched_request, delivered_intent, facts)
        matched = MatchedMessage(delivered, matched_request, delivered_intent, facts)
        if matched_request is not None:
            await record_in_conversation(uow, matched_request, matched)
        await carry_out(uow, matched, decision)
    return message


def read_email_intent(inbound: InboundMessage, intent: Intent, facts: InboundFacts) -> Intent:
    """What a mail wants; ``intent`` is what its text means by the rules of a text.

    "No more e-mails" means what "no more texts" means by text. From another address than the
    customer's nothing counts but a stop: the rest is for a person to judge.
    """
    question, locale = question_of(facts.newest), facts.locale or "en"
    consent_intent = classify(EMAIL_MENTION.sub("text", inbound.text), question, locale)
    if consent_intent.kind in (IntentKind.STOP, IntentKind.START):
        intent = consent_intent
    if not facts.is_known_sender and intent.kind != IntentKind.STOP:
        intent = Intent(IntentKind.OTHER, inbound.text)
    return intent
