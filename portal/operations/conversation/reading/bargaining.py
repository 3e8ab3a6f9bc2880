"""A no to a decision that is not the last word: it asks something, or offers another price. Pure."""

import re

from portal.messaging.intents.classifier import Intent
from portal.models import Answer, AnswerType, ContactReason, FollowUp, ServiceRequest
from portal.operations.conversation.outcomes import AnswerQuestion

NUMBER = re.compile(r"\d+")
ASKS = re.compile(r"\w\s*[?\u061f]")


def bargains(request: ServiceRequest, given: AnswerQuestion, intent: Intent, body: str) -> bool:
    """Whether a no to a decision comes with a question, or names another price.

    "No way. How much just for the battery?": a person answers, and the question stays open.
    """
    question = given.question
    is_decision = question.during_stage and question.expects == AnswerType.YES_NO
    if given.answer != Answer.NO or not is_decision or intent.bare:
        return False
    asks = intent.reason == ContactReason.QUESTION or (intent.needs_owner and ASKS.search(body))
    named = set(NUMBER.findall(body))
    return bool(asks) or (bool(named) and not named <= _asked_numbers(request, question))


def _asked_numbers(request: ServiceRequest, question: FollowUp) -> set[str]:
    """The numbers that the question has put, such as its price."""
    asked = request.definition.question(question.key).question
    words = [asked.in_language(request.customer.locale), *map(str, question.fields.values())]
    return set(NUMBER.findall(" ".join(words)))
