"""What a yes or a no means after the question has been answered, or the request closed. Pure."""

from datetime import datetime, timedelta

from portal.models.requests.follow_up import Answer, FollowUp
from portal.models.requests.promise import PromiseKind
from portal.models.requests.request_status import RequestStatus
from portal.models.requests.service_request import ServiceRequest

LATE_YES = timedelta(days=1)
"""How long after a completed request a further yes is nothing new."""
SECOND_THOUGHTS = timedelta(minutes=10)
"""How long after an answer the same answer is nothing new, and the other one takes it back."""


def repeats_answer(request: ServiceRequest, answer: Answer | None, now: datetime) -> bool:
    """Whether the customer has given the same answer within ``SECOND_THOUGHTS``."""
    return answer is not None and _last_answer(request, now) == answer


def contradicts_answer(request: ServiceRequest, answer: Answer | None, now: datetime) -> bool:
    """Whether the customer has given the other answer within ``SECOND_THOUGHTS``."""
    last = _last_answer(request, now)
    return answer is not None and last is not None and last != answer


def is_just_completed(request: ServiceRequest, now: datetime) -> bool:
    """Whether the request was completed within ``LATE_YES``."""
    closed_at = request.closed_at
    is_completed = request.status == RequestStatus.COMPLETED
    return is_completed and closed_at is not None and now - closed_at <= LATE_YES


def is_waiting_to_decide(request: ServiceRequest, question: FollowUp) -> bool:
    """Whether the customer waits for an answer that they may need to decide: a price, a condition.

    They have asked it since the question was put, and nobody has answered it. What is owed only while
    they are asked which request they mean does not count, nor does any once a yes was read back.
    """
    asked_at = question.asked_at
    return (
        question.during_stage
        and question.read_back_at is None
        and any(
            promise.kind in (PromiseKind.ANSWER, PromiseKind.CALL)
            and promise.is_open
            and promise.is_told
            and (asked_at is None or promise.made_at >= asked_at)
            for promise in request.promises
        )
    )


def _last_answer(request: ServiceRequest, now: datetime) -> Answer | None:
    answers = [
        question.answer
        for question in request.follow_ups
        if question.closed_at is not None and now - question.closed_at <= SECOND_THOUGHTS
    ]
    return answers[-1] if answers else None
