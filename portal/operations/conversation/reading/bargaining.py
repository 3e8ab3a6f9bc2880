"""A no to a decision that is not the last word: it asks something, or offers another price. Pure."""

import re

from portal.messaging.intents.classifier import Intent
from portal.models import Answer, AnswerType, ContactReason, FollowUp, ServiceRequest
from portal.operations.conversation.outcomes import AnswerQuestion

NUMBER = re.compile(r"\d+")
ASKS = re.compile(r"\w\s*[?\u061f]")
SENTENCE_END = re.compile(r"(?<=[.!?\u061f\n])")
WHEN_OR_WHERE = re.compile(
    r"\W*(?:(?:and|so|then|y|entonces) )?(?:when|where|what time|cu[aá]ndo|d[oó]nde|a qu[eé] hora|متى|أين)\b",
    re.IGNORECASE,
)
"""A question that takes the no as given: "When can I collect it?"."""


def bargains(request: ServiceRequest, given: AnswerQuestion, intent: Intent, body: str) -> bool:
    """Whether a no to a decision comes with a question, or names another price.

    "No way. How much just for the battery?": a person answers, and the question stays open.
    """
    question = given.question
    is_decision = question.during_stage and question.expects == AnswerType.YES_NO
    if given.answer != Answer.NO or not is_decision or intent.bare:
        return False
    asks = intent.reason == ContactReason.QUESTION or (intent.needs_owner and ASKS.search(body))
    asks = asks and not _asks_when_or_where(body)
    named = set(NUMBER.findall(body))
    return bool(asks) or (bool(named) and not named <= _asked_numbers(request, question))


def _asks_when_or_where(body: str) -> bool:
    """Whether each question in the text is about a time or a place."""
    sentences = [part.rstrip() for part in SENTENCE_END.split(body)]
    asked = [part for part in sentences if part.endswith(("?", "\u061f"))]
    return bool(asked) and all(WHEN_OR_WHERE.match(part) for part in asked)


def _asked_numbers(request: ServiceRequest, question: FollowUp) -> set[str]:
    """The numbers that the question has put, such as its price."""
    asked = request.definition.question(question.key).question
    words = [asked.in_language(request.customer.locale), *map(str, question.fields.values())]
    return set(NUMBER.findall(" ".join(words)))
