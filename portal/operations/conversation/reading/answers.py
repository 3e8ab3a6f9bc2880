"""What a text answers, and what a colleague's label asks for. Pure."""

from collections.abc import Sequence
from datetime import datetime

from portal.messaging.intents.amounts import read_amounts
from portal.messaging.intents.appointment_times import AppointmentTimeParser
from portal.messaging.intents.classifier import Intent, IntentKind, Question, classify
from portal.messaging.intents.time_words import excludes_time
from portal.models import (
    Answer,
    AnswerType,
    FollowUp,
    Message,
    MessageKind,
    PromiseKind,
    ServiceRequest,
)
from portal.operations.conversation.outcomes import (
    AnswerQuestion,
    Outcome,
    OweReply,
    SendStatus,
)
from portal.operations.conversation.reading.calls import match_call

NAMES_TIME = (IntentKind.TIME, IntentKind.YES)
"""Replies that may name the time which was asked for: "Tuesday at 2", "yes, Tuesday at 2"."""

VOLUNTEERED_IN = (
    IntentKind.YES, IntentKind.NO, IntentKind.STATUS, IntentKind.THANKS, IntentKind.ASK_BACK,
    IntentKind.OTHER,
)  # fmt: skip
"""Readings of a text, where nothing is asked, that may say whether something came."""


def decide_correction(
    request: ServiceRequest, intent: Intent, body: str, now: datetime
) -> Outcome | None:
    """What a colleague's label asks for, where that is safe; None where it asks for nothing.

    A status question is answered also when the work is late: a colleague has looked at it.
    """
    outcome: Outcome | None = match_answer(request, intent, body, now)
    if outcome is None and not request.is_closed:
        if intent.kind == IntentKind.CALL_ME:
            outcome = match_call(request, intent, body, now) or OweReply(PromiseKind.CALL)
        elif intent.kind == IntentKind.STATUS:
            outcome = SendStatus()
    return outcome


def match_answer(
    request: ServiceRequest, intent: Intent, body: str, now: datetime
) -> AnswerQuestion | None:
    """What the text answers, if it plainly answers the open question.

    Where a time was asked for, it is the one time that the text names; a yes alone is no answer.
    A visit is booked in one of its windows only, which ``match_visit`` reads.
    What says by itself that it came, or did not, also answers the question that is still planned.
    """
    question = request.open_question
    if question is None and intent.is_statement:
        question = request.planned_confirmation
    answer = None
    if question is not None and intent.kind == IntentKind.NO:
        answer = AnswerQuestion(question, Answer.NO)
    elif question is not None and question.expects == AnswerType.TIME:
        is_any_time = question.offered is None and intent.kind in NAMES_TIME
        at = read_named_time(request, body, now) if is_any_time else None
        answer = AnswerQuestion(question, Answer.YES, at) if at else None
    elif question is not None and intent.kind == IntentKind.YES:
        answer = AnswerQuestion(question, Answer.YES)
    elif question is not None and intent.is_wrong and request.takes_wrong(question):
        answer = AnswerQuestion(question, Answer.WRONG)
    return answer


def read_volunteered(request: ServiceRequest, body: str, intent: Intent) -> Intent:
    """The text as an answer to the confirmation that is still planned; else ``intent``.

    "It came yesterday, when do I get the PIN?" says so before we have asked.
    """
    if intent.kind in VOLUNTEERED_IN and request.planned_confirmation is not None:
        volunteered = classify(body, Question.ARRIVAL, request.customer.locale)
        intent = volunteered if volunteered.is_statement else intent
    return intent


def is_repriced(question: FollowUp, sent: Sequence[Message]) -> bool:
    """Whether the last amount that a colleague wrote is not the question's.

    ``sent``: our messages about the request since the question was put, newest first.
    """
    asked = read_amounts(f"for {question.fields['amount']}")
    named = (read_amounts(each.body) for each in sent if each.kind == MessageKind.STAFF)
    last = next(filter(None, named), asked)
    return bool(asked) and not last <= asked


def read_named_time(
    request: ServiceRequest, body: str, now: datetime, *, is_day_needed: bool = True
) -> datetime | None:
    """The one time that the customer names, on their own clock; None where it says it is none."""
    if excludes_time(body):
        return None
    customer = request.customer
    parser = AppointmentTimeParser(customer.timezone, customer.locale, now)
    return parser.read(body, day_needed=is_day_needed)
