"""Which messages of ours ask something that the next message may answer. Pure."""

from collections.abc import Iterable

from portal.models import (
    ASK_BACK_CAUSE,
    CALL_TIME_SUFFIX,
    OFFER_SUFFIX,
    READ_BACK_CAUSE,
    Message,
    MessageKind,
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
