"""Requests, questions and limits as the decision about a message sees them, without a database."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from portal.messaging.intents.classifier import classify
from portal.models import Answer, AnswerType, Channel, MessageKind, RequestStatus
from portal.operations.conversation.auto_reply_limits import AutoReplyLimits
from portal.operations.conversation.decision import RULES, decide
from portal.operations.conversation.facts import InboundFacts
from portal.operations.conversation.inbound_message import InboundMessage
from portal.operations.conversation.reading.asked import question_of
from portal.operations.conversation.request_matching import match_request

NOW = datetime(2025, 6, 3, 14, tzinfo=UTC)
PHONE = "+14155550132"
LOOP = AutoReplyLimits(is_loop=True)
FLOOD = AutoReplyLimits(is_flood=True)


def request(id_, title, **state):
    customer = SimpleNamespace(
        locale="en", timezone="America/New_York", readable_timezone="America/New_York", address=lambda *_: PHONE,
        contact_points=[SimpleNamespace(channel=Channel.SMS, address=PHONE)],
    )  # fmt: skip
    facts = {
        "is_closed": False, "open_question": None, "open_runs": [], "follow_ups": [],
        "status": RequestStatus.OPEN, "closed_at": None, "booked_visit": None, "promises": [],
    } | state  # fmt: skip
    return SimpleNamespace(
        id=id_, title=title, title_in=lambda _: title, reference=f"CARD-AAAA-AA{id_ + 1}",
        definition=SimpleNamespace(name=title), customer=customer, **facts,
    )  # fmt: skip


def question(expects, **state):
    facts = {"id": 7, "during_stage": False, "asked_at": NOW, "reminded_at": None}
    facts |= {"offered": None} | state
    return SimpleNamespace(expects=expects, **facts)


def answered(answer, ago=timedelta(minutes=1)):
    return SimpleNamespace(answer=answer, closed_at=NOW - ago)


LATE = SimpleNamespace(can_ask_now=lambda _: True)
CARD, REPAIR = request(1, "Credit card"), request(2, "Device repair")
ASKED = request(1, "Credit card", open_question=question(AnswerType.YES_NO))
ASKED_TIME = request(1, "Credit card", open_question=question(AnswerType.TIME))
OVERDUE = request(1, "Credit card", open_runs=[LATE])
CLOSED = request(1, "Credit card", is_closed=True)
DECIDING = request(1, "Credit card", open_question=question(AnswerType.YES_NO, during_stage=True))
COMPLETED = request(1, "Credit card", is_closed=True, status=RequestStatus.COMPLETED, closed_at=NOW)
SAID_NO = request(1, "Credit card", follow_ups=[answered(Answer.NO)])
DECLINED = request(
    1, "Credit card", is_closed=True, status=RequestStatus.DECLINED, closed_at=NOW,
    follow_ups=[answered(Answer.NO)],
)  # fmt: skip
LAST = AutoReplyLimits(is_last=True)
KEYWORDS = AutoReplyLimits(is_keyword_loop=True)
OFFER = AutoReplyLimits([SimpleNamespace(kind=MessageKind.REOPEN_OFFER, request_id=1)])


def known(*requests, last=None, **more):
    return InboundFacts(now=NOW, open_requests=requests, last_request=last, **more)


def decide_all(body, facts, channel=Channel.SMS, intent=None, **more):
    """The basis and the decision of each delivery."""
    owners = {
        request.id: request for request in [*facts.open_requests, facts.last_request] if request
    }
    inbound = InboundMessage(channel=channel, body=body, provider_id="SM1", sender=PHONE, **more)
    message = SimpleNamespace(body=body)
    intent = intent or classify(body, question_of(facts.asking))
    return [
        (delivery, decide(inbound, delivery, owners.get(delivery.request_id), intent, facts))
        for delivery in match_request(inbound, message, intent, facts)
    ]


def decide_one(body, facts, **more):
    [(_, decision)] = decide_all(body, facts, **more)
    assert decision.rule in RULES
    return decision
