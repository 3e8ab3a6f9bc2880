"""The way of an inbound message, the same by text, mail and page.

It is recorded once; what is known is read; it is classified and matched to its requests; for each
of them one decision is taken and carried out.
"""

import re
from dataclasses import replace

from portal.messaging.intents.classifier import (
    Intent,
    IntentKind,
    StopScope,
    classify,
)
from portal.messaging.sms.reactions import Sentiment, read_mail_reaction
from portal.models import Channel, DeliveryReason, Message, ServiceRequest
from portal.models.messages.message import MAX_BECAUSE_LENGTH
from portal.operations.conversation.decision import decide
from portal.operations.conversation.facts import InboundFacts, load_facts, question_of
from portal.operations.conversation.inbound_message import (
    InboundMessage,
    copy_for,
    record_inbound,
)
from portal.operations.conversation.intent_handlers import carry_out, record_in_conversation
from portal.operations.conversation.reading.machine_texts import (
    MachineText,
    read_text,
    record_machine_text,
)
from portal.operations.conversation.replies import MatchedMessage
from portal.operations.conversation.request_matching import Basis, match_request
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.requests import lock_by_id

UNKNOWN_SENDER_REASONS = {
    False: DeliveryReason.FOREIGN_SENDER,
    True: DeliveryReason.UNPROVEN_SENDER,
}
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
        message.reason = UNKNOWN_SENDER_REASONS[inbound.is_unproven]
    read = await read_text(uow, inbound, message, facts)
    if isinstance(read, MachineText):
        await record_machine_text(uow, message, read, facts)
    else:
        await _answer(uow, read, message, facts, request)
    return message


async def _answer(
    uow: UnitOfWork,
    inbound: InboundMessage,
    message: Message,
    facts: InboundFacts,
    request: ServiceRequest | None,
) -> None:
    """Read, match and decide what the customer wrote, and carry it out."""
    intent = _read_intent(inbound, facts)
    message.intent, message.because = intent.kind, intent.because[:MAX_BECAUSE_LENGTH]
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
                inbound.text if delivery.message is message else delivered.body,
                question_of(matched_request),
                matched_request.customer.locale,
            )
        decision = decide(inbound, delivery, matched_request, delivered_intent, facts)
        matched = MatchedMessage(delivered, matched_request, delivered_intent, facts)
        if matched_request is not None:
            await record_in_conversation(uow, matched_request, matched)
        await carry_out(uow, matched, decision)


def _read_intent(inbound: InboundMessage, facts: InboundFacts) -> Intent:
    intent = classify(inbound.text, question_of(facts.newest), facts.locale or "en")
    return read_email_intent(inbound, intent, facts) if inbound.channel == Channel.EMAIL else intent


def read_email_intent(inbound: InboundMessage, intent: Intent, facts: InboundFacts) -> Intent:
    """What a mail wants; ``intent`` is what its text means by the rules of a text.

    "No more e-mails" means what "no more texts" means by text. From another address than the
    customer's nothing counts but a stop: the rest is for a person to judge.
    """
    reaction = read_mail_reaction(inbound.text)
    if reaction is not None:
        is_owed = reaction.sentiment == Sentiment.DISLIKE and facts.newest is not None
        return Intent(
            IntentKind.REACTION, inbound.text, needs_owner=is_owed, because=reaction.label
        )
    question, locale = question_of(facts.newest), facts.locale or "en"
    consent_intent = classify(EMAIL_MENTION.sub("text", inbound.text), question, locale)
    is_wish = (
        consent_intent.kind == IntentKind.STOP_PARTIAL
        and consent_intent.scope != StopScope.CHANNEL
        and intent.kind != IntentKind.STOP_PARTIAL
    )
    if consent_intent.kind in (IntentKind.STOP, IntentKind.START) or is_wish:
        intent = consent_intent
    if inbound.says_more and intent.kind in (IntentKind.STOP, IntentKind.START):
        intent = replace(intent, needs_reading=True)
    is_for_person = inbound.says_more or not facts.is_known_sender
    if is_for_person and intent.kind != IntentKind.STOP:
        intent = Intent(IntentKind.OTHER, inbound.text)
    return intent
