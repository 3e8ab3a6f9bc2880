"""What a message leads to, decided on what is known: the first rule that fits. Pure.

``RULES`` says each rule in a sentence; docs/inbound.md has them as a table.
"""

from datetime import datetime

from portal.messaging.intents.appointment_times import AppointmentTimeParser
from portal.messaging.intents.classifier import Intent, IntentKind
from portal.models import (
    Answer,
    AnswerType,
    Channel,
    DroppedBallKind,
    MessageKind,
    PromiseKind,
    ServiceRequest,
)
from portal.operations.conversation.consent_rules import (
    CONSENT_RULES,
    decide_email_consent,
    decide_page_consent,
    decide_text_consent,
)
from portal.operations.conversation.facts import InboundFacts
from portal.operations.conversation.inbound_message import InboundMessage
from portal.operations.conversation.outcomes import (
    AnswerQuestion,
    AskWhich,
    Decision,
    NotifyFrontDesk,
    Outcome,
    OweReply,
    Record,
    Reopen,
    SendStatus,
)
from portal.operations.conversation.request_matching import Basis, Delivery
from portal.operations.conversation.wishes.rules import WISH_RULES, decide_wish

RULES = (
    CONSENT_RULES
    | WISH_RULES
    | {
        "F1": "More than 20 texts in 10 minutes: recorded, one notice, no reply one by one.",
        "N1": "A number that no customer has: a notice, and one reply an hour.",
        "W1": "It only says which request is meant: recorded.",
        "W2": "Several are open and asking is over or not allowed: the newest one's owner answers.",
        "W3": "Several are open and any may be meant: asked which.",
        "M4": "Three automatic replies by mail in an hour: a person answers, without a reply.",
        "X1": "REOPEN, or YES to the offer: the closed request is reopened.",
        "X3": "Thanks, a reaction, or NO to the offer, about a closed request: recorded.",
        "X5": "A status question about a closed request: answered.",
        "X6": "Anything else about a closed request: its owner answers, and it is offered to reopen.",
        "O1": "It answers the open question.",
        "O5": "Thanks, or a reaction: recorded.",
        "O6": "A status question while the work is on time: answered.",
        "O7": "A wish for a call: a call is promised.",
        "O8": "Anything else: a person answers.",
        "T1": "A phone's own text, a reaction or an automatic answer: recorded.",
        "T2": "A reaction of dislike while a question is open: a person answers, silent.",
        "R1": "A colleague's label: it answers the question, promises a call or tells the status.",
        "S1": "A colleague puts an unknown sender's text on a request: a person answers.",
    }
)

RECORDED_INTENTS = (IntentKind.THANKS, IntentKind.REACTION)


def decide(
    inbound: InboundMessage,
    delivery: Delivery,
    request: ServiceRequest | None,
    intent: Intent,
    facts: InboundFacts,
) -> Decision:
    """What one delivery leads to. ``request`` is locked; None where it belongs to none."""
    match delivery.basis:
        case basis if (
            request is not None
            and basis != Basis.FOR_PERSON
            and intent.kind == IntentKind.STOP_PARTIAL
        ):
            decision = decide_wish(inbound, request, intent, facts)
        case Basis.CONSENT:
            decision = decide_text_consent(inbound, intent, facts)
        case Basis.FLOOD:
            reply = "" if facts.is_opted_out or not facts.takes_texts else "flood"
            decision = Decision("F1", NotifyFrontDesk(DroppedBallKind.FLOOD, reply))
        case Basis.AMBIGUOUS:
            decision = Decision("W3", AskWhich(is_again=bool(facts.waiting)))
        case Basis.CHOICE:
            decision = Decision("W1", Record())
        case Basis.FOR_PERSON:
            owed = OweReply(is_silent=not delivery.is_last, template="acknowledgement")
            decision = Decision("W2", owed)
        case Basis.GIVEN if request is not None:
            decision = _decide_given(inbound, request, intent, facts)
        case _ if request is not None:
            decision = decide_by_state(request, intent, facts, intent.answer_words)
        case _:
            is_unsaid = facts.limits.suppress_reply or facts.is_opted_out or facts.was_greeted
            reply = "unknown_sender" if facts.takes_texts and not is_unsaid else ""
            decision = Decision("N1", NotifyFrontDesk(DroppedBallKind.UNKNOWN_SENDER, reply))
    return decision


def _decide_given(
    inbound: InboundMessage, request: ServiceRequest, intent: Intent, facts: InboundFacts
) -> Decision:
    """What a mail or a message on the page leads to: it came with its request."""
    is_email = inbound.channel == Channel.EMAIL
    decide_consent = decide_email_consent if is_email else decide_page_consent
    decision = decide_consent(inbound, request, intent, facts)
    is_reaction = intent.kind == IntentKind.REACTION
    if decision is None and is_email and facts.limits.is_loop and not is_reaction:
        decision = Decision("M4", OweReply(is_silent=True))
    return decision or decide_by_state(request, intent, facts, inbound.text)


def decide_by_state(
    request: ServiceRequest, intent: Intent, facts: InboundFacts, body: str
) -> Decision:
    """What a message about this request leads to, by whether it is closed."""
    return (
        decide_closed(request, intent, facts)
        if request.is_closed
        else decide_open(request, intent, facts, body)
    )


def decide_open(
    request: ServiceRequest, intent: Intent, facts: InboundFacts, body: str
) -> Decision:
    """The request is open. In a loop a question is still answered, and nothing else is."""
    is_silent = facts.limits.suppress_reply or intent.kind == IntentKind.REACTION
    given = match_answer(request, intent, body, facts.now) if request.open_question else None
    outcome: Outcome
    if given is not None:
        rule, outcome = "O1", given
    elif intent.kind in RECORDED_INTENTS and not (intent.needs_owner and request.open_question):
        rule, outcome = "O5", Record()
    elif intent.kind == IntentKind.STATUS and not is_silent and not _is_late(request, facts.now):
        rule, outcome = "O6", SendStatus()
    elif intent.kind == IntentKind.CALL_ME:
        at = read_named_time(request, body, facts.now, is_day_needed=False)
        rule, outcome = "O7", OweReply(PromiseKind.CALL, at, is_silent)
    else:
        rule, outcome = "O8", OweReply(is_silent=is_silent)
    return Decision(rule, outcome, is_silent)


def decide_closed(request: ServiceRequest, intent: Intent, facts: InboundFacts) -> Decision:
    """The request is closed. An offer stands where it is the newest text to that number."""
    kind, is_silent = intent.kind, facts.limits.suppress_reply
    newest = next(iter(facts.limits.recent_messages), None)
    is_offered = (
        newest is not None
        and newest.kind == MessageKind.REOPEN_OFFER
        and newest.request_id == request.id
    )
    outcome: Outcome
    if kind == IntentKind.REOPEN or (is_offered and kind == IntentKind.YES):
        rule, outcome = "X1", Reopen()
    elif kind in RECORDED_INTENTS or (is_offered and kind == IntentKind.NO):
        rule, outcome = "X3", Record()
    elif kind == IntentKind.STATUS and not is_silent:
        rule, outcome = "X5", SendStatus()
    else:
        rule, outcome = "X6", OweReply(is_silent=is_silent)
    return Decision(rule, outcome, is_silent)


def decide_correction(
    request: ServiceRequest, intent: Intent, body: str, now: datetime
) -> Outcome | None:
    """What a colleague's label asks for, where that is safe; None where it asks for nothing.

    A status question is answered also when the work is late: a colleague has looked at it.
    """
    outcome: Outcome | None = match_answer(request, intent, body, now)
    if outcome is None and not request.is_closed:
        if intent.kind == IntentKind.CALL_ME:
            at = read_named_time(request, body, now, is_day_needed=False)
            outcome = OweReply(PromiseKind.CALL, at)
        elif intent.kind == IntentKind.STATUS:
            outcome = SendStatus()
    return outcome


def match_answer(
    request: ServiceRequest, intent: Intent, body: str, now: datetime
) -> AnswerQuestion | None:
    """What the text answers, if it plainly answers the open question.

    Where a time was asked for, a yes alone is no answer.
    """
    question = request.open_question
    answer = None
    if question is not None and intent.kind == IntentKind.NO:
        answer = AnswerQuestion(question, Answer.NO)
    elif question is not None and question.expects == AnswerType.TIME:
        at = read_named_time(request, body, now) if intent.kind == IntentKind.TIME else None
        answer = AnswerQuestion(question, Answer.YES, at) if at else None
    elif question is not None and intent.kind == IntentKind.YES:
        answer = AnswerQuestion(question, Answer.YES)
    return answer


def read_named_time(
    request: ServiceRequest, body: str, now: datetime, *, is_day_needed: bool = True
) -> datetime | None:
    """The one time that the customer names, on their own clock."""
    customer = request.customer
    parser = AppointmentTimeParser(customer.timezone, customer.locale, now)
    return parser.read(body, day_needed=is_day_needed)


def _is_late(request: ServiceRequest, now: datetime) -> bool:
    """Past the last date that we gave, a person must look before the customer is answered."""
    return any(run.can_ask_now(now) for run in request.open_runs)
