"""Which messages of ours ask something that the next message may answer. Pure."""

from collections.abc import Iterable

from portal.messaging.intents.question import Question
from portal.models import (
    ASK_BACK_CAUSE,
    CALL_TIME_SUFFIX,
    OFFER_SUFFIX,
    READ_BACK_CAUSE,
    AnswerType,
    Message,
    MessageKind,
    ServiceRequest,
)

QUESTION_KINDS = (MessageKind.FOLLOW_UP, MessageKind.REMINDER)


def find_asked_calls(sent: Iterable[Message]) -> frozenset[int]:
    """The requests, by id, about which our last question was when to call; ``sent``: newest first."""
    last: dict[int, Message] = {}
    for message in sent:
        if message.request_id is not None and is_question(message):
            last.setdefault(message.request_id, message)
    return frozenset(id_ for id_, asked in last.items() if asked.cause.endswith(CALL_TIME_SUFFIX))


def is_question(message: Message) -> bool:
    """Whether a message of ours asks what the next text may answer."""
    return (
        message.kind in QUESTION_KINDS
        or message.cause.startswith((ASK_BACK_CAUSE, READ_BACK_CAUSE))
        or message.cause.endswith((CALL_TIME_SUFFIX, OFFER_SUFFIX))
    )


def question_of(request: ServiceRequest | None) -> Question:
    """The kind of the question that is open on the request."""
    question = request.open_question if request else None
    if question is None:
        kind = Question.NONE
    elif question.expects == AnswerType.TIME:
        kind = Question.TIME
    else:
        kind = Question.DECISION if question.during_stage else Question.ARRIVAL
    return kind
