"""The way of an inbound message, the same by text, mail and page.

It is recorded once; what is known is read; it is classified and matched to its requests; for each
of them one decision is taken and carried out.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col

from portal.messaging.intents.classifier import (
    Intent,
    IntentKind,
    Question,
    StopScope,
    classify,
)
from portal.messaging.sms.reactions import Sentiment, read_mail_reaction
from portal.models import (
    Channel,
    Contact,
    DeliveryReason,
    EventKind,
    Message,
    PromiseWording,
    ServiceRequest,
)
from portal.models.columns import saved_id
from portal.models.messages.message import MAX_BECAUSE_LENGTH
from portal.operations.conversation.applying.intent_handlers import (
    carry_out,
)
from portal.operations.conversation.applying.replies import MatchedMessage
from portal.operations.conversation.auto_reply_limits import DUPLICATE_DELIVERY, find_repeated
from portal.operations.conversation.consent_rules import widen_stop
from portal.operations.conversation.decision import decide
from portal.operations.conversation.facts import InboundFacts, load_facts
from portal.operations.conversation.inbound_message import (
    InboundMessage,
    copy_for,
    record_inbound,
)
from portal.operations.conversation.reading.answers import read_volunteered
from portal.operations.conversation.reading.asked import question_of
from portal.operations.conversation.reading.files import may_be_item
from portal.operations.conversation.reading.machine_texts import (
    MachineText,
    read_text,
    record_machine_text,
)
from portal.operations.conversation.recording import put_in_conversation, record_in_conversation
from portal.operations.conversation.request_matching import (
    Basis,
    Delivery,
    asks_status,
    match_request,
)
from portal.operations.dropped_balls.resolution import resolve_urgent
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.requests import lock_by_id
from portal.rules.dropped_balls import REPLY_PROMISE_KINDS

UNKNOWN_SENDER_REASONS = {
    False: DeliveryReason.FOREIGN_SENDER,
    True: DeliveryReason.UNPROVEN_SENDER,
}
UNANSWERING = (Basis.CONSENT, Basis.FLOOD, Basis.AMBIGUOUS, Basis.FOR_PERSON, Basis.CHOICE)
"""Deliveries that answer no question of the request."""
EMAIL_MENTION = re.compile(r"\be-?mail|\bmail(?=ing (?:me|us)\b)", re.IGNORECASE)


async def receive(
    uow: UnitOfWork, inbound: InboundMessage, request: ServiceRequest | None = None
) -> Message | None:
    """Record a message, and answer it or give it an owner; None where it is recorded already.

    ``request`` is the one that its link gives, where the caller has locked it. A request is
    locked before anything is decided about it, and of several messages each is decided after the
    one before it has been applied.
    """
    inbound = inbound.without_card_numbers()
    message = await record_inbound(uow, inbound)
    if message is None:
        return None
    if request is None and inbound.request_id is not None:
        request = await lock_by_id(uow.session, inbound.request_id)
    facts = await load_facts(uow, inbound, message, request)
    facts = replace(facts, had_card_number=inbound.had_card_number)
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
    intent, asked = _read_intent(inbound, facts), question_of(facts.asking)
    message.intent, message.because = intent.kind, intent.because[:MAX_BECAUSE_LENGTH]
    if _asks_again(intent, facts):
        facts = replace(facts, repeated=None, asks_again=True)
    deliveries = match_request(inbound, message, intent, facts)
    locked = await _lock_all(uow, deliveries, request)
    is_new = facts.repeated is None and not facts.asks_again
    if locked and facts.is_known_sender and is_new:
        # Of the same messages at one moment only the first is seen before the lock.
        facts = replace(facts, repeated=await find_repeated(uow, inbound, message, locked))
    left: dict[int, ServiceRequest] = {}
    for delivery in deliveries:
        matched_request = locked.get(delivery.request_id or 0)
        delivered = delivery.message
        if matched_request is not None and delivery.is_copy:
            delivered = copy_for(uow, delivered, matched_request)
        delivered_intent = intent
        if delivered is not message or question_of(matched_request) != asked:
            text = inbound.text if delivery.message is message else delivered.body
            delivered_intent = _read_for(matched_request, text, delivery.basis, intent)
        is_theirs = facts.is_known_sender and not inbound.says_more
        if matched_request is not None and is_theirs and delivery.basis not in UNANSWERING:
            text = inbound.text if delivery.message is message else delivered.body
            delivered_intent = read_volunteered(matched_request, text, delivered_intent)
        decision = decide(inbound, delivery, matched_request, delivered_intent, facts)
        has_files = delivered is message and may_be_item(inbound, delivery, facts)
        matched = MatchedMessage(
            delivered, matched_request, delivered_intent, facts, has_files=has_files, need=inbound.need
        )  # fmt: skip
        if matched_request is not None:
            left |= await _put(uow, matched_request, matched, locked)
        await carry_out(uow, matched, decision)
    for request_left in left.values():
        is_meant = any(delivery.request_id == request_left.id for delivery in deliveries)
        if not is_meant and not _has_waiting(request_left, facts):
            await _release(uow, request_left)
        uow.mark_page_changed(request_left)
        await uow.finish(request_left)


def _asks_again(intent: Intent, facts: InboundFacts) -> bool:
    """Whether they ask once more where it is: of several requests another one may be meant."""
    return (
        asks_status(intent)
        and len(facts.open_requests) > 1
        and facts.repeated is not None
        and facts.now - facts.repeated.created_at > DUPLICATE_DELIVERY
    )


async def _lock_all(
    uow: UnitOfWork, deliveries: Sequence[Delivery], request: ServiceRequest | None
) -> dict[int, ServiceRequest]:
    """The requests that these messages go to and come from, locked, the oldest first."""
    locked = {saved_id(request): request} if request else {}
    ids = {delivery.request_id for delivery in deliveries}
    ids |= {delivery.message.request_id for delivery in deliveries}
    for request_id in sorted(id_ for id_ in ids if id_ is not None):
        if request_id not in locked:
            locked[request_id] = await lock_by_id(uow.session, request_id)
    return locked


async def _put(
    uow: UnitOfWork,
    request: ServiceRequest,
    matched: MatchedMessage,
    locked: Mapping[int, ServiceRequest],
) -> dict[int, ServiceRequest]:
    """Record the message on its request; gives the one where it has waited for "which?", by id."""
    message, left_id = matched.message, matched.message.request_id
    if left_id is None:
        await record_in_conversation(uow, request, matched)
    elif left_id != request.id:
        contacts = sa.update(Contact).where(col(Contact.message_id) == message.id)
        await (await uow.session.connection()).execute(contacts.values(request_id=request.id))
        await put_in_conversation(uow, request, matched)
    if left_id is not None:
        message.reason = None
    return {left_id: locked[left_id]} if left_id is not None else {}


def _has_waiting(request: ServiceRequest, facts: InboundFacts) -> bool:
    """Whether another text waits on it for the answer to "which?"."""
    return any(
        text.request_id == request.id and text.reason == DeliveryReason.REQUEST_UNCLEAR
        for text in facts.waiting
    )


async def _release(uow: UnitOfWork, request: ServiceRequest) -> None:
    """What the owner owed only until the customer said which request is meant is owed no more.

    An urgent message that came by another way may be owed an answer still: then its ball stays.
    """
    for promise in request.promises:
        if promise.is_open and not promise.is_told and promise.wording == PromiseWording.ANSWER:
            promise.withdraw(uow.now, "The customer has said which request is meant.")
            request.record(
                EventKind.PROMISE_WITHDRAWN, uow.actor, uow.now, visible=False,
                bumps_version=False, promise_id=promise.id, text=promise.text,
                reason=promise.closed_reason,
            )  # fmt: skip
            request.unanswered_since = _waiting_since(request)
            if request.unanswered_since is None:
                await resolve_urgent(uow, request)


def _waiting_since(request: ServiceRequest) -> datetime | None:
    """Since when the customer waits for what is owed still, about what they wrote since then."""
    since = request.unanswered_since
    owed = [
        promise.made_at
        for promise in request.promises
        if promise.is_open and promise.kind in REPLY_PROMISE_KINDS
    ]
    return min((at for at in owed if since is not None and at >= since), default=None)


def _read_intent(inbound: InboundMessage, facts: InboundFacts) -> Intent:
    """What it wants, as an answer to "which?" where one waits, else to the open question."""
    locale = facts.locale or "en"
    intent = Intent(IntentKind.OTHER, inbound.text, needs_owner=inbound.is_for_person)
    if not inbound.is_for_person:
        if facts.recently_waiting:
            intent = classify(inbound.text, Question.WHICH, locale)
        if intent.kind != IntentKind.CHOICE:
            intent = classify(inbound.text, question_of(facts.asking), locale)
        is_mail = inbound.channel == Channel.EMAIL
        intent = (read_email_intent if is_mail else widen_stop)(inbound, intent, facts)
    return intent


def _read_for(request: ServiceRequest | None, text: str, basis: Basis, intent: Intent) -> Intent:
    """What the text means for this request: ``intent``, or read anew as a reply to its question."""
    if basis == Basis.CHOICE:
        intent = replace(intent, kind=IntentKind.CHOICE)
    elif request is not None and basis not in (Basis.CONSENT, Basis.GIVEN):
        intent = classify(text, question_of(request), request.customer.locale)
    return intent


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
    intent = _read_email_mentions(inbound, intent, facts)
    if inbound.says_more and intent.kind in (IntentKind.STOP, IntentKind.START):
        intent = replace(intent, needs_reading=True)
    is_for_person = inbound.says_more or not facts.is_known_sender
    if is_for_person and intent.kind != IntentKind.STOP:
        intent = Intent(
            IntentKind.OTHER, inbound.text, needs_owner=True, is_urgent=intent.is_urgent
        )
    return intent


def _read_email_mentions(inbound: InboundMessage, intent: Intent, facts: InboundFacts) -> Intent:
    """The wish that the mail says of "e-mails" as others say it of "texts"; else ``intent``.

    A partial wish stays one: only "no more e-mail" alone is read as a stop.
    """
    question, locale = question_of(facts.newest), facts.locale or "en"
    read_as_text = classify(EMAIL_MENTION.sub("text", inbound.text), question, locale)
    is_partial = intent.kind == IntentKind.STOP_PARTIAL and intent.about != Channel.EMAIL
    is_wish = read_as_text.kind in (IntentKind.STOP, IntentKind.START) or (
        read_as_text.kind == IntentKind.STOP_PARTIAL and read_as_text.scope != StopScope.CHANNEL
    )
    if is_partial or not is_wish:
        return intent
    words = re.escape(read_as_text.because).replace("text", f"(?:text|{EMAIL_MENTION.pattern})")
    because = re.search(words, inbound.text, re.IGNORECASE)
    return replace(
        read_as_text, answer_words=inbound.text.strip(), because=because[0] if because else ""
    )
