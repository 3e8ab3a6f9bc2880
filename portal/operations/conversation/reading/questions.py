"""Which request's question a text answers: of several the one that was asked last. Pure."""

from datetime import timedelta

from portal.messaging.intents.classifier import Intent, IntentKind
from portal.messaging.intents.named_times import read_choice
from portal.models import AnswerType, Message, MessageKind, ServiceRequest
from portal.operations.conversation.facts import InboundFacts
from portal.operations.conversation.reading.asked import QUESTION_KINDS, is_question
from portal.operations.conversation.reading.calls import says_call_time

TOGETHER = timedelta(minutes=5)
"""Of two questions that were put within this time either may be meant."""
FITTING = {
    IntentKind.YES: (AnswerType.YES_NO,),
    IntentKind.NO: (AnswerType.YES_NO, AnswerType.TIME),
    IntentKind.TIME: (AnswerType.TIME,),
    IntentKind.ASK_BACK: (AnswerType.YES_NO, AnswerType.TIME),
    IntentKind.THANKS: (AnswerType.YES_NO, AnswerType.TIME),
}
"""The questions that a reading may answer."""
ANSWERS = (IntentKind.YES, IntentKind.NO, IntentKind.TIME)


def match_open_question(intent: Intent, body: str, facts: InboundFacts) -> ServiceRequest | None:
    """The request whose question an answer is for: the only one that it fits, else that asked last.

    Of two that were put together either may be meant: then None, unless one is asked back about.
    """
    asked = [
        request for request in facts.open_requests if _may_answer(request, intent, body, facts)
    ]
    if len(asked) < 2:
        return asked[0] if asked else None
    ids = {request.id for request in asked}
    put = [message for message in _questions(facts) if message.request_id in ids]
    if not put:
        return None
    last = put[0]
    others = [message for message in put if message.request_id != last.request_id]
    if last.kind in QUESTION_KINDS and any(_are_together(last, other) for other in others):
        return None
    return next((request for request in asked if request.id == last.request_id), None)


def match_offer(intent: Intent, body: str, facts: InboundFacts) -> ServiceRequest | None:
    """The request of whose windows a number chooses one.

    None while a text waits for "which?", unless what we asked last is about that request.
    """
    last = next(
        (
            message
            for message in facts.limits.recent_messages
            if message.kind == MessageKind.WHICH_REQUEST or is_question(message)
        ),
        None,
    )
    match = match_open_question(intent, body, facts)
    is_asked_last = last is not None and match is not None and last.request_id == match.id
    return match if is_asked_last or not facts.waiting else None


def answers_question(intent: Intent, body: str, facts: InboundFacts) -> bool:
    """Whether it plainly answers what we have asked: a yes or no, a number, a time."""
    is_answer = intent.kind in ANSWERS or read_choice(body) > 0
    match = match_open_question(intent, body, facts)
    return match is not None and (is_answer or _says_call_time(match, intent, body, facts))


def _questions(facts: InboundFacts) -> list[Message]:
    return [
        message
        for message in facts.limits.recent_messages
        if message.request_id is not None and is_question(message)
    ]


def _may_answer(request: ServiceRequest, intent: Intent, body: str, facts: InboundFacts) -> bool:
    question = request.open_question
    if number := read_choice(body):
        offering = question or request.booked_visit
        return offering is not None and number <= len(offering.offered or ())
    is_fitting = question is not None and question.expects in FITTING.get(intent.kind, ())
    return is_fitting or _says_call_time(request, intent, body, facts)


def _says_call_time(
    request: ServiceRequest, intent: Intent, body: str, facts: InboundFacts
) -> bool:
    is_asked = request.id in facts.asked_calls
    return says_call_time(request, intent, body, facts.now, is_asked=is_asked)


def _are_together(last: Message, other: Message) -> bool:
    return last.goes_at - other.goes_at < TOGETHER
