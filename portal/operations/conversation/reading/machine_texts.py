"""Texts that a phone wrote, and our own text in a text: found before anything is classified.

A reaction ("Liked “…”") and an automatic answer (driving mode) are recorded on the request: they
are owed nothing and answered by nothing. A dislike while a question is open is for a person.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from portal.messaging.intents.classifier import Intent, IntentKind, classify
from portal.messaging.sms.automatic_texts import is_automatic_text
from portal.messaging.sms.own_text import fold_texts, may_have_own_text, without_own_text
from portal.messaging.sms.reactions import Reaction, Sentiment, read_reaction
from portal.models import Channel, DeliveryReason, Message, MessageKind, ServiceRequest
from portal.models.messages.message import MAX_BECAUSE_LENGTH
from portal.operations.conversation.applying.intent_handlers import carry_out
from portal.operations.conversation.applying.replies import MatchedMessage
from portal.operations.conversation.facts import InboundFacts
from portal.operations.conversation.inbound_message import InboundMessage
from portal.operations.conversation.outcomes import Decision, OweReply
from portal.operations.conversation.reading.asked import question_of
from portal.operations.conversation.reading.visits import match_visit
from portal.operations.conversation.recording import record_in_conversation
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.requests import lock_by_id
from portal.queries.sent_texts import find_same_texts, find_sent_texts

ANSWERS_WITHIN = timedelta(seconds=20)
"""A machine answers a text of ours so soon."""
LOOP_WINDOW = timedelta(minutes=10)
"""A loop with a machine goes on without a pause: the same text of another hour is a person's."""
MIN_EARLIER = 2
"""So often the same text came before, each time in answer to a text of ours by itself."""
UNCLEAR = (IntentKind.OTHER, IntentKind.ASK_BACK)
MIN_REPEATED_WORDS = 6
"""The same text in fewer words may be a person's."""


@dataclass(frozen=True, slots=True)
class MachineText:
    """A text that a phone wrote: a reaction, or without one an automatic answer.

    ``to`` is the message of ours that it is about, where that is known.
    """

    reaction: Reaction | None
    to: Message | None


async def read_text(
    uow: UnitOfWork, inbound: InboundMessage, message: Message, facts: InboundFacts
) -> InboundMessage | MachineText:
    """What the phone wrote by itself; else the message with the customer's own words apart.

    ``message`` is its row. What Twilio took for a keyword is always the customer's.
    """
    machine: MachineText | None = None
    if inbound.channel == Channel.SMS and inbound.opt_out_type is None:
        if may_have_own_text(inbound.body):
            sent = await find_sent_texts(uow.session, inbound.sender)
            folded = fold_texts([text.body for text in sent])
            inbound = replace(inbound, own_text=without_own_text(inbound.body, folded))
            reaction = read_reaction(inbound.body, folded)
            if reaction is not None and _is_sure(reaction):
                machine = MachineText(reaction, sent[reaction.index % len(sent)])
        if is_automatic_text(inbound.body) or await _repeats_itself(uow, message, facts):
            machine = machine or MachineText(None, next(iter(facts.limits.recent_messages), None))
    return machine or inbound


async def record_machine_text(
    uow: UnitOfWork, message: Message, machine: MachineText, facts: InboundFacts
) -> None:
    """Put it on the request that it is about, else on the sender's newest one, if there is any."""
    request_id = machine.to.request_id if machine.to else None
    newest_id = facts.newest.id if facts.newest else None
    request: ServiceRequest | None = None
    if request_id or newest_id:
        request = await lock_by_id(uow.session, request_id or newest_id or 0)
    if request is not None and request.erased_at is None:
        message.request_id, message.customer_id = request.id, request.customer_id
        uow.mark_page_changed(request)
    if machine.reaction is None:
        message.kind, message.reason = MessageKind.AUTOMATIC, DeliveryReason.AUTOMATIC_REPLY
        return
    message.intent = IntentKind.REACTION
    message.because = machine.reaction.label[:MAX_BECAUSE_LENGTH]
    message.reacted_to_id = machine.to.id if machine.to else None
    is_dislike = machine.reaction.sentiment == Sentiment.DISLIKE
    if is_dislike and message.request_id and request and request.open_question is not None:
        intent = Intent(IntentKind.REACTION, "", because=message.because)
        matched = MatchedMessage(message, request, intent, facts)
        await record_in_conversation(uow, request, matched)
        await carry_out(uow, matched, Decision("T2", OweReply(is_silent=True)))


def _is_sure(reaction: Reaction) -> bool:
    """Whether the words beside the quotation are the phone's, or at least no answer of ours."""
    return reaction.is_known or classify(reaction.label).kind in UNCLEAR


async def _repeats_itself(uow: UnitOfWork, message: Message, facts: InboundFacts) -> bool:
    """Whether the same text came again and again, within seconds after automatic texts of ours.

    A person may repeat a sentence, and what asks us to do something is always a person's.
    """
    sent = [
        text.sent_at
        for text in facts.limits.recent_messages
        if text.sent_at is not None and text.kind != MessageKind.STAFF
    ]
    is_long = len(message.body.split()) >= MIN_REPEATED_WORDS
    if not is_long or not _follows(uow.now, sent) or _is_wish(message.body, facts):
        return False
    earlier = await find_same_texts(uow.session, message, uow.now - LOOP_WINDOW)
    return sum(_follows(came, sent) for came in earlier) >= MIN_EARLIER


def _follows(came: datetime, sent: Sequence[datetime]) -> bool:
    """Whether it came within seconds after one of these."""
    return any(came - ANSWERS_WITHIN <= at <= came for at in sent)


def _is_wish(body: str, facts: InboundFacts) -> bool:
    """Whether it asks for something that we know: an answer, a call, a change of a visit."""
    known = [*facts.open_requests, *([facts.last_request] if facts.last_request else [])]
    for request in known:
        intent = classify(body, question_of(request), request.customer.locale)
        if intent.kind not in UNCLEAR or intent.cancel:
            return True
        if match_visit(request, intent, body, facts) is not None:
            return True
    return classify(body).kind not in UNCLEAR
