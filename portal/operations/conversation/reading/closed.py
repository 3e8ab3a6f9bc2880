"""What a message about a closed request leads to. Pure."""

from portal.messaging.intents.classifier import Intent, IntentKind, normalize_words
from portal.models import Answer, MessageKind, ServiceRequest
from portal.operations.conversation.facts import InboundFacts
from portal.operations.conversation.outcomes import (
    Decision,
    Outcome,
    OweReply,
    Record,
    Reopen,
    SendStatus,
)
from portal.rules.late_answers import contradicts_answer, is_just_completed, repeats_answer

RECORDED_KINDS = (IntentKind.THANKS, IntentKind.REACTION)
ANSWER_KINDS = {IntentKind.YES: Answer.YES, IntentKind.NO: Answer.NO}


def decide_closed(request: ServiceRequest, intent: Intent, facts: InboundFacts) -> Decision:
    """The request is closed. An offer stands where it is the newest text to that number.

    A yes opens nothing again.
    """
    kind, is_pure = intent.kind, not (intent.needs_owner or intent.is_urgent)
    newest = next(iter(facts.limits.recent_messages), None)
    is_offered = (
        newest is not None
        and newest.kind == MessageKind.REOPEN_OFFER
        and newest.request_id == request.id
    )
    is_nothing_new = (
        kind in RECORDED_KINDS
        or is_thumb(intent)
        or (is_offered and kind == IntentKind.NO)
        or (not is_offered and kind == IntentKind.YES and is_just_completed(request, facts.now))
        or repeats_answer(request, ANSWER_KINDS.get(kind), facts.now)
    )
    outcome: Outcome
    if kind == IntentKind.REOPEN:
        rule, outcome = "X1", Reopen()
    elif is_pure and is_nothing_new:
        rule, outcome = "X3", Record()
    elif contradicts_answer(request, ANSWER_KINDS.get(kind), facts.now):
        rule, outcome = "X2", owe_answer(kind, facts, "second_answer")
    elif kind == IntentKind.STATUS and facts.limits.may_answer:
        rule, outcome = "X5", SendStatus()
    else:
        rule, outcome = "X6", owe_answer(kind, facts)
    return Decision(rule, outcome)


def owe_answer(kind: IntentKind, facts: InboundFacts, template: str = "") -> OweReply:
    """A person answers; the last reply before a loop ends says that no more follow."""
    return OweReply(
        is_silent=facts.limits.suppress_reply or kind == IntentKind.REACTION,
        template=template or ("last_reply" if facts.limits.is_last else ""),
    )


def is_thumb(intent: Intent) -> bool:
    """A sign such as a thumb up, which means nothing where nothing is asked."""
    return intent.kind == IntentKind.YES and not normalize_words(intent.answer_words)
