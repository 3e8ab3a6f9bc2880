"""What a message leads to, decided on what is known: the first rule that fits. Pure.

``RULES`` says each rule in a sentence; docs/inbound.md has them as a table.
"""

from dataclasses import replace
from datetime import datetime

from portal.messaging.intents.classifier import Intent, IntentKind
from portal.models import (
    Answer,
    Channel,
    DeliveryReason,
    DroppedBallKind,
    FollowUp,
    PromiseKind,
    ServiceRequest,
)
from portal.operations.conversation.auto_reply_limits import AutoReplyLimits
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
    AskBack,
    AskWhich,
    ChangeConsent,
    Decision,
    KeepWish,
    NotifyFrontDesk,
    Outcome,
    OweReply,
    ReadBack,
    Record,
    SendLink,
    SendStatus,
    TakeFiles,
)
from portal.operations.conversation.reading.answers import match_answer
from portal.operations.conversation.reading.bargaining import bargains
from portal.operations.conversation.reading.calls import match_call, match_call_beside
from portal.operations.conversation.reading.closed import (
    ANSWER_KINDS,
    RECORDED_KINDS,
    decide_closed,
    is_thumb,
    owe_answer,
)
from portal.operations.conversation.reading.files import is_only_item
from portal.operations.conversation.reading.state_rules import STATE_RULES
from portal.operations.conversation.reading.visits import (
    VISIT_RULES,
    asks_only_time,
    match_visit,
    says_more,
)
from portal.operations.conversation.request_matching import MATCHING_RULES, Basis, Delivery
from portal.operations.conversation.wishes.rules import WISH_RULES, decide_wish, is_wish
from portal.rules.late_answers import contradicts_answer, repeats_answer

RULES = {
    **CONSENT_RULES,
    **MATCHING_RULES,
    **WISH_RULES,
    **STATE_RULES,
    **VISIT_RULES,
}

CONFIRMED_RULES = (*VISIT_RULES, "L1", "O1", "O2", "O3", "O7", "X1")
"""What is confirmed also in a loop."""
ANSWERED_RULES = ("L1", "V1", "O1", "O6", "O7", "X1", "X5")
"""What is answered at once, so that whatever else a message says has no owner by it."""


def decide(
    inbound: InboundMessage,
    delivery: Delivery,
    request: ServiceRequest | None,
    intent: Intent,
    facts: InboundFacts,
) -> Decision:
    """What one delivery leads to. ``request`` is locked; None where it belongs to none."""
    if request is not None and is_wish(intent, facts) and not _is_guessed(delivery, facts):
        decision = decide_wish(inbound, request, intent, facts)
    elif request is not None and is_only_item(inbound, delivery, request, facts):
        decision = Decision("O10", TakeFiles())
    else:
        decision = _decide_by_basis(inbound, delivery, request, intent, facts)
    outcome = decision.outcome
    # A wish about our messages is obeyed each time.
    is_obeyed = isinstance(outcome, ChangeConsent | NotifyFrontDesk)
    is_choice = delivery.basis in (Basis.CHOICE, Basis.CHOSEN)
    is_repeated = _is_repeated(delivery, facts) and not is_choice
    if is_repeated and isinstance(outcome, KeepWish):
        decision = replace(decision, outcome=replace(outcome, is_silent=True))
    elif is_repeated and not is_obeyed:
        decision = Decision("D1", Record())
    elif intent.is_urgent and request is not None:
        decision = _with_person(decision)
    return decision


def _decide_by_basis(
    inbound: InboundMessage,
    delivery: Delivery,
    request: ServiceRequest | None,
    intent: Intent,
    facts: InboundFacts,
) -> Decision:
    """What it leads to, by why it belongs to its request, or to none."""
    match delivery.basis:
        case Basis.CONSENT:
            decision = decide_text_consent(inbound, intent, facts)
            if request is not None and intent.kind == IntentKind.START and decision.owed:
                decision = _with_call(decision, request, intent, facts)
        case Basis.FLOOD:
            is_unsaid = facts.is_opted_out or facts.limits.is_flood_answered
            reply = "flood" if facts.takes_texts and not is_unsaid else ""
            decision = Decision("F1", NotifyFrontDesk(DroppedBallKind.FLOOD, reply))
        case Basis.AMBIGUOUS:
            asked = AskWhich(bool(facts.recently_waiting), intent.is_urgent)
            decision = Decision("W3", asked, OweReply(is_silent=True, is_told=False))
        case Basis.CHOICE:
            decision = Decision("W1", Record())
        case Basis.FOR_PERSON:
            template = "last_reply" if facts.limits.is_last else "acknowledgement"
            decision = Decision("W2", OweReply(is_silent=not delivery.is_last, template=template))
        case Basis.GIVEN if request is not None:
            decision = _decide_given(inbound, request, intent, facts)
        case Basis.CHOSEN if request is not None:
            # Whoever has said which request they mean is answered, however much came before.
            facts = replace(facts, limits=AutoReplyLimits(facts.limits.recent_messages))
            decision = decide_by_state(request, intent, facts, intent.answer_words)
        case _ if request is not None:
            decision = decide_by_state(request, intent, facts, intent.answer_words)
        case _:
            is_unsaid = facts.limits.suppress_reply or facts.is_opted_out or facts.was_greeted
            reply = "unknown_sender" if facts.takes_texts and not is_unsaid else ""
            decision = Decision("N1", NotifyFrontDesk(DroppedBallKind.UNKNOWN_SENDER, reply))
    return decision


def _with_call(
    decision: Decision, request: ServiceRequest, intent: Intent, facts: InboundFacts
) -> Decision:
    """A START with the call that it asks for too; who was not stopped reads of the call alone."""
    call, outcome = match_call_beside(request, intent, facts.now), decision.outcome
    if call is None or not isinstance(outcome, ChangeConsent):
        return decision
    if not facts.is_opted_out:
        outcome = replace(outcome, confirm="")
    return replace(decision, outcome=outcome, owed=call)


def _is_guessed(delivery: Delivery, facts: InboundFacts) -> bool:
    """Whether another request may be meant than the one that owns the message meanwhile."""
    repeated = facts.repeated
    is_of_unclear = repeated is not None and repeated.reason == DeliveryReason.REQUEST_UNCLEAR
    return (
        delivery.basis in (Basis.AMBIGUOUS, Basis.FOR_PERSON)
        or (delivery.basis == Basis.FLOOD and len(facts.open_requests) > 1)
        or (delivery.basis == Basis.REPEATS and is_of_unclear)
    )


def _is_repeated(delivery: Delivery, facts: InboundFacts) -> bool:
    """Whether it was said before; one mail to two requests is said to each."""
    return facts.repeated is not None and (
        delivery.basis != Basis.GIVEN or facts.repeated.request_id == delivery.request_id
    )


def _with_person(decision: Decision) -> Decision:
    """What is urgent is raised at once, and a person answers whatever else follows."""
    outcome = decision.outcome
    if isinstance(outcome, OweReply) and outcome.kind == PromiseKind.ANSWER:
        outcome = replace(outcome, template="acknowledgement_urgent")
        return replace(decision, outcome=outcome, is_urgent=True)
    return replace(decision, owed=decision.owed or OweReply(), is_urgent=True)


def _decide_given(
    inbound: InboundMessage, request: ServiceRequest, intent: Intent, facts: InboundFacts
) -> Decision:
    """What a mail or a message on the page leads to: it came with its request.

    In a loop by mail only what a customer asks of us is confirmed: an answer, a call, REOPEN.
    """
    is_email = inbound.channel == Channel.EMAIL
    decide_consent = decide_email_consent if is_email else decide_page_consent
    decision = decide_consent(inbound, request, intent, facts)
    if inbound.channel == Channel.WEB and intent.kind == IntentKind.LINK:
        # They are on the page already, so they want something else.
        intent = replace(intent, kind=IntentKind.OTHER, needs_owner=True)
    if decision is None:
        decision = decide_by_state(request, intent, facts, inbound.text)
        is_confirmed = decision.rule in CONFIRMED_RULES or intent.kind == IntentKind.REACTION
        if is_email and facts.limits.is_loop and not is_confirmed:
            decision = Decision("M4", OweReply(is_silent=True))
    return decision


def decide_by_state(
    request: ServiceRequest, intent: Intent, facts: InboundFacts, body: str
) -> Decision:
    """What a message about this request leads to, by whether it is closed.

    What it says beside what is answered at once is for a person.
    """
    if intent.kind == IntentKind.LINK:
        decision = Decision("L1", SendLink())
    elif request.is_closed:
        decision = decide_closed(request, intent, facts)
    else:
        decision = decide_open(request, intent, facts, body)
    # Whoever calls soon has read the message; before a later time it may need an answer.
    is_read = isinstance(decision.outcome, OweReply) and decision.outcome.at is None
    is_more = intent.needs_owner and decision.rule in ANSWERED_RULES
    is_more &= not asks_only_time(decision.rule, body)
    if (is_more and not is_read) or says_more(decision.rule, intent, body):
        decision = replace(decision, owed=OweReply())
    return decision


def decide_open(
    request: ServiceRequest, intent: Intent, facts: InboundFacts, body: str
) -> Decision:
    """The request is open. In a loop only what the customer asks of us is confirmed."""
    kind, question = intent.kind, request.open_question
    given = match_answer(request, intent, body, facts.now)
    is_pure = not (intent.needs_owner or intent.is_urgent)
    is_call_asked = request.id in facts.asked_calls
    outcome: Outcome
    if (visit := match_visit(request, intent, body, facts)) is not None:
        rule, outcome = visit
    elif given is not None:
        rule, outcome = _take(request, given, intent, facts, body)
    elif question is not None and is_pure and _is_unclear(request, question, kind, facts):
        rule, outcome = "O3", AskBack(question)
    elif (
        question is None and is_pure and repeats_answer(request, ANSWER_KINDS.get(kind), facts.now)
    ):
        rule, outcome = "O4", Record()
    elif question is None and contradicts_answer(request, ANSWER_KINDS.get(kind), facts.now):
        rule, outcome = "O9", owe_answer(kind, facts, "second_answer")
    elif is_pure and (kind in RECORDED_KINDS or (question is None and is_thumb(intent))):
        rule, outcome = "O5", Record()
    elif kind == IntentKind.STATUS and facts.limits.may_answer and not _is_late(request, facts.now):
        rule, outcome = "O6", SendStatus()
    elif (call := match_call(request, intent, body, facts.now, is_asked=is_call_asked)) is not None:
        rule, outcome = "O7", call
    else:
        rule, outcome = "O8", owe_answer(kind, facts)
    return Decision(rule, outcome)


def _take(
    request: ServiceRequest, given: AnswerQuestion, intent: Intent, facts: InboundFacts, body: str
) -> tuple[str, Outcome]:
    """The answer is taken, unless a person must answer first what stands beside it or before it."""
    question = given.question
    is_yes = given.answer == Answer.YES and given.at is None
    if is_yes and request.id in facts.repriced:
        return "O12", owe_answer(intent.kind, facts, "price_first")
    if is_yes and request.open_question is not None and request.id in facts.undecided:
        is_pure = not (intent.needs_owner or intent.is_urgent)
        owed = owe_answer(intent.kind, facts, "answer_first")
        return "O2", ReadBack(question) if is_pure else owed
    if bargains(request, given, intent, body):
        return "O11", owe_answer(intent.kind, facts)
    return "O1", given


def _is_unclear(
    request: ServiceRequest, question: FollowUp, kind: IntentKind, facts: InboundFacts
) -> bool:
    """Whether to ask back: once for each question, where the reply arrives."""
    is_stopped = facts.is_opted_out or request.id in facts.muted
    is_unclear = kind in (IntentKind.ASK_BACK, IntentKind.THANKS)
    return is_unclear and question.id not in facts.asked_back and not is_stopped


def _is_late(request: ServiceRequest, now: datetime) -> bool:
    """Past the last date that we gave, a person must look before the customer is answered."""
    return any(run.can_ask_now(now) for run in request.open_runs)
