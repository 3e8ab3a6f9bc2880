"""Each rule of the decision about a message, without a database."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from portal.messaging.intents.classifier import classify
from portal.models import Answer, AnswerType, Channel, DroppedBallKind, MessageKind, PromiseKind
from portal.operations.conversation.auto_reply_limits import AutoReplyLimits
from portal.operations.conversation.decision import RULES, decide
from portal.operations.conversation.facts import InboundFacts
from portal.operations.conversation.inbound_message import InboundMessage, OptOutType
from portal.operations.conversation.outcomes import (
    AnswerQuestion,
    AskWhich,
    ChangeConsent,
    NotifyFrontDesk,
    OweReply,
    Record,
    Reopen,
    SendStatus,
)
from portal.operations.conversation.request_matching import Basis, match_request

NOW = datetime(2025, 6, 3, 14, tzinfo=UTC)
PHONE = "+14155550132"
LOOP = AutoReplyLimits(is_loop=True)
FLOOD = AutoReplyLimits(is_flood=True)


def request(id_, title, **state):
    customer = SimpleNamespace(
        locale="en", timezone="America/New_York", address=lambda *_: PHONE,
        contact_points=[SimpleNamespace(channel=Channel.SMS, address=PHONE)],
    )  # fmt: skip
    facts = {"is_closed": False, "open_question": None, "open_runs": []} | state
    return SimpleNamespace(
        id=id_, title=title, title_in=lambda _: title, reference=f"CARD-AAAA-000{id_}",
        definition=SimpleNamespace(name=title), customer=customer, **facts,
    )  # fmt: skip


def question(expects):
    return SimpleNamespace(expects=expects)


LATE = SimpleNamespace(can_ask_now=lambda _: True)
CARD, REPAIR = request(1, "Credit card"), request(2, "Device repair")
ASKED = request(1, "Credit card", open_question=question(AnswerType.YES_NO))
ASKED_TIME = request(1, "Credit card", open_question=question(AnswerType.TIME))
OVERDUE = request(1, "Credit card", open_runs=[LATE])
CLOSED = request(1, "Credit card", is_closed=True)
OFFER = AutoReplyLimits([SimpleNamespace(kind=MessageKind.REOPEN_OFFER, request_id=1)])


def known(*requests, last=None, **more):
    return InboundFacts(now=NOW, open_requests=requests, last_request=last, **more)


def decide_all(body, facts, channel=Channel.SMS, **more):
    """The basis and the decision of each delivery."""
    owners = {
        request.id: request for request in [*facts.open_requests, facts.last_request] if request
    }
    inbound = InboundMessage(channel=channel, body=body, provider_id="SM1", sender=PHONE, **more)
    message, intent = SimpleNamespace(body=body), classify(body)
    return [
        (delivery, decide(inbound, delivery, owners.get(delivery.request_id), intent, facts))
        for delivery in match_request(inbound, message, intent, facts)
    ]


def decide_one(body, facts, **more):
    [(_, decision)] = decide_all(body, facts, **more)
    assert decision.rule in RULES
    return decision


@pytest.mark.parametrize(
    ("body", "facts", "rule", "outcome"),
    [
        ("yes", known(ASKED), "O1", AnswerQuestion(ASKED.open_question, Answer.YES)),
        ("no", known(ASKED), "O1", AnswerQuestion(ASKED.open_question, Answer.NO)),
        ("no", known(ASKED_TIME), "O1", AnswerQuestion(ASKED_TIME.open_question, Answer.NO)),
        ("yes", known(ASKED_TIME), "O8", OweReply()),
        (
            "tomorrow at 10", known(ASKED_TIME), "O1",
            AnswerQuestion(
                ASKED_TIME.open_question, Answer.YES, datetime(2025, 6, 4, 14, tzinfo=UTC)
            ),
        ),
        ("yes", known(CARD), "O8", OweReply()),
        ("thanks", known(CARD), "O5", Record()),
        ("where is it?", known(CARD), "O6", SendStatus()),
        ("where is it?", known(OVERDUE), "O8", OweReply()),
        ("where is it?", known(CARD, limits=LOOP), "O8", OweReply(is_silent=True)),
        ("call me", known(CARD), "O7", OweReply(PromiseKind.CALL)),
        ("hm", known(CARD), "O8", OweReply()),
        ("hm", known(CARD, limits=LOOP), "O8", OweReply(is_silent=True)),
        ("REOPEN", known(last=CLOSED), "X1", Reopen()),
        ("yes", known(last=CLOSED), "X6", OweReply()),
        ("yes", known(last=CLOSED, limits=OFFER), "X1", Reopen()),
        ("no", known(last=CLOSED, limits=OFFER), "X3", Record()),
        ("thanks", known(last=CLOSED), "X3", Record()),
        ("where is it?", known(last=CLOSED), "X5", SendStatus()),
        ("hm", known(CARD, limits=FLOOD), "F1", NotifyFrontDesk(DroppedBallKind.FLOOD, "flood")),
        (
            "hm", known(CARD, limits=FLOOD, is_opted_out=True), "F1",
            NotifyFrontDesk(DroppedBallKind.FLOOD),
        ),
        ("hm", known(), "N1", NotifyFrontDesk(DroppedBallKind.UNKNOWN_SENDER, "unknown_sender")),
        ("hm", known(was_greeted=True), "N1", NotifyFrontDesk(DroppedBallKind.UNKNOWN_SENDER)),
        ("hm", known(is_opted_out=True), "N1", NotifyFrontDesk(DroppedBallKind.UNKNOWN_SENDER)),
        ("hurry", known(CARD, REPAIR), "W3", AskWhich(is_again=False)),
        ("hurry", known(CARD, REPAIR, limits=LOOP), "W2", OweReply(is_silent=True, template="acknowledgement")),
    ],
)  # fmt: skip
def test_first_rule_that_fits_decides(body, facts, rule, outcome):
    decision = decide_one(body, facts)
    assert (decision.rule, decision.outcome) == (rule, outcome)


def test_loop_limit_suppresses_the_thanks_for_an_answer():
    decision = decide_one("yes", known(ASKED, limits=LOOP))
    assert (decision.rule, decision.is_silent) == ("O1", True)


@pytest.mark.parametrize(
    ("body", "facts", "more", "expected"),
    [
        ("STOP", known(CARD), {}, ("C5", False, "stop")),
        ("STOP", known(CARD, limits=FLOOD), {}, ("C5", False, "stop")),
        ("STOP", known(CARD, is_opted_out=True), {}, ("C5", False, "")),
        ("STOP", known(CARD, answers_keywords=True), {}, ("C5", False, "")),
        ("hm", known(CARD), {"opt_out_type": OptOutType.STOP}, ("C5", False, "")),
        ("stop texts about the repair", known(CARD, REPAIR), {}, ("C4", False, "stop_one")),
        (
            "stop texts about the repair", known(CARD, REPAIR, muted=frozenset([2])), {},
            ("C4", False, ""),
        ),
        ("START", known(CARD, is_opted_out=True), {}, ("C6", True, "start")),
        ("yes", known(CARD, is_opted_out=True), {}, ("C6", True, "start")),
        ("START", known(CARD, limits=LOOP), {}, ("C6", True, "")),
        ("HELP", known(CARD), {}, ("C7", None, "help")),
        ("HELP", known(CARD, limits=LOOP), {}, ("C7", None, "")),
    ],
)  # fmt: skip
def test_start_and_stop_decide_consent(body, facts, more, expected):
    decision = decide_one(body, facts, **more)
    change = decision.outcome
    assert isinstance(change, ChangeConsent)
    assert (decision.rule, change.granted, change.confirm) == expected


@pytest.mark.parametrize(
    ("body", "limits"), [("CANCEL", AutoReplyLimits()), ("STOP, call me", AutoReplyLimits()), ("HELP", LOOP)]
)  # fmt: skip
def test_ambiguous_opt_out_also_goes_to_staff(body, limits):
    assert decide_one(body, known(CARD, limits=limits)).owed == OweReply(is_silent=True)


def test_yes_with_opt_out_type_start_is_an_answer_where_consent_exists():
    decision = decide_one("yes", known(ASKED), opt_out_type=OptOutType.START)
    assert decision.rule == "O1"


@pytest.mark.parametrize(
    ("body", "facts", "rule"),
    [
        ("STOP", {}, "M1"),
        ("START", {}, "O8"),
        ("START", {"muted": frozenset([1])}, "M2"),
        ("START", {"muted": frozenset([1]), "is_known_sender": False}, "O8"),
        ("yes", {}, "O1"),
        ("yes", {"limits": LOOP}, "M4"),
    ],
)
def test_mail_is_decided_by_its_sender_and_content(body, facts, rule):
    facts = known(last=ASKED, consent_address="martin@example.com", **facts)
    assert decide_one(body, facts, channel=Channel.EMAIL, request_id=1).rule == rule


def test_stop_on_the_page_stops_texts_and_is_answered():
    decision = decide_one("STOP", known(last=CARD), channel=Channel.WEB, request_id=1)
    assert (decision.rule, decision.outcome.addresses, decision.owed) == ("P1", [PHONE], OweReply())


def waiting(*texts):
    return {
        "waiting": [SimpleNamespace(body=text) for text in texts],
        "offered": [CARD.reference, REPAIR.reference],
    }


@pytest.mark.parametrize(
    ("body", "facts", "expected"),
    [
        ("2", waiting("hurry"), [(2, Basis.CHOSEN), (2, Basis.CHOICE)]),
        ("2", waiting("hurry", "7"), [(2, Basis.CHOSEN), (2, Basis.CHOICE), (2, Basis.CHOICE)]),
        (
            "both", waiting("hurry"),
            [(1, Basis.CHOSEN), (1, Basis.CHOICE), (2, Basis.CHOSEN), (2, Basis.CHOICE)],
        ),
        ("9", waiting("hurry"), [(None, Basis.AMBIGUOUS)]),
        ("what?", waiting("hurry", "hm"), [(2, Basis.FOR_PERSON)] * 3),
        ("what?", {"is_opted_out": True}, [(2, Basis.FOR_PERSON)]),
        ("any news of my card?", {}, [(1, Basis.NAMED)]),
        ("the card and the repair", {}, [(None, Basis.AMBIGUOUS)]),
        ("STOP", {}, [(None, Basis.CONSENT)]),
        ("CANCEL", {}, [(2, Basis.CONSENT)]),
        ("card", {"limits": FLOOD}, [(1, Basis.FLOOD)]),
    ],
)  # fmt: skip
def test_message_goes_to_the_request_it_names(body, facts, expected):
    deliveries = [delivery for delivery, _ in decide_all(body, known(CARD, REPAIR, **facts))]
    assert [(delivery.request_id, delivery.basis) for delivery in deliveries] == expected


def test_answer_goes_to_the_request_with_an_open_question():
    facts = known(CARD, replace_id(ASKED, 2))
    assert [(one.request_id, one.basis) for one, _ in decide_all("yes", facts)] == [
        (2, Basis.ANSWERS)
    ]


def replace_id(owner, id_):
    return SimpleNamespace(**{**vars(owner), "id": id_, "reference": f"CARD-AAAA-000{id_}"})


def test_only_the_last_of_several_staff_messages_gets_a_reply():
    facts = known(CARD, REPAIR, **waiting("hurry", "hm"))
    silent = [decision.outcome.is_silent for _, decision in decide_all("what?", facts)]
    assert silent == [True, True, False]
