"""Each rule of the decision about a message, without a database."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from portal.messaging.intents.classifier import Intent, IntentKind, classify
from portal.models import (
    Answer,
    AnswerType,
    Channel,
    DroppedBallKind,
    MessageKind,
    PromiseKind,
    RequestStatus,
)
from portal.operations.conversation.auto_reply_limits import AutoReplyLimits
from portal.operations.conversation.decision import RULES, decide
from portal.operations.conversation.facts import InboundFacts, question_of
from portal.operations.conversation.inbound_message import InboundMessage, OptOutType
from portal.operations.conversation.outcomes import (
    AnswerQuestion,
    AskBack,
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
    facts = {
        "is_closed": False, "open_question": None, "open_runs": [], "follow_ups": [],
        "status": RequestStatus.OPEN, "closed_at": None,
    } | state  # fmt: skip
    return SimpleNamespace(
        id=id_, title=title, title_in=lambda _: title, reference=f"CARD-AAAA-AA{id_ + 1}",
        definition=SimpleNamespace(name=title), customer=customer, **facts,
    )  # fmt: skip


def question(expects, **state):
    facts = {"id": 7, "during_stage": False, "asked_at": NOW, "reminded_at": None} | state
    return SimpleNamespace(expects=expects, **facts)


def answered(answer, ago=timedelta(minutes=1)):
    return SimpleNamespace(answer=answer, closed_at=NOW - ago)


DOCUMENT = Path(__file__).parents[3] / "docs" / "inbound.md"
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
        ("yes", known(last=CLOSED, limits=OFFER), "X6", OweReply()),
        ("yes", known(last=COMPLETED), "X3", Record()),
        ("👍", known(last=COMPLETED), "X3", Record()),
        ("yes", known(last=COMPLETED, limits=OFFER), "X6", OweReply()),
        ("yes", known(last=DECLINED), "X2", OweReply(template="second_answer")),
        ("no", known(last=DECLINED), "X3", Record()),
        ("yes", known(SAID_NO), "O9", OweReply(template="second_answer")),
        ("no", known(SAID_NO), "O4", Record()),
        ("yes", known(DECIDING, undecided=frozenset([1])), "O2", OweReply(template="answer_first")),
        ("no", known(DECIDING, undecided=frozenset([1])), "O1", AnswerQuestion(DECIDING.open_question, Answer.NO)),
        ("thanks", known(ASKED), "O3", AskBack(ASKED.open_question)),
        ("👍", known(CARD), "O5", Record()),
        ("hm", known(CARD, limits=LAST), "O8", OweReply(template="last_reply")),
        ("where is it?", known(CARD, limits=LAST), "O8", OweReply(template="last_reply")),
        ("call me", known(CARD, limits=LOOP), "O7", OweReply(PromiseKind.CALL)),
        ("REOPEN", known(last=CLOSED, limits=LOOP), "X1", Reopen()),
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


def test_answer_is_confirmed_also_in_a_loop():
    decision = decide_one("yes", known(ASKED, limits=LOOP))
    assert (decision.rule, decision.owed) == ("O1", None)


UNCLEAR = Intent(IntentKind.ASK_BACK, "ok")


@pytest.mark.parametrize(
    ("facts", "rule", "outcome"),
    [
        (known(ASKED), "O3", AskBack(ASKED.open_question)),
        (known(ASKED_TIME), "O3", AskBack(ASKED_TIME.open_question)),
        (known(ASKED, asked_back=frozenset([7])), "O8", OweReply()),
        (known(ASKED, is_opted_out=True), "O8", OweReply()),
        (known(ASKED, muted=frozenset([1])), "O8", OweReply()),
        (known(CARD), "O8", OweReply()),
    ],
)
def test_unclear_reply_is_asked_back_once(facts, rule, outcome):
    decision = decide_one("ok", facts, intent=UNCLEAR)
    assert (decision.rule, decision.outcome) == (rule, outcome)


def test_thanks_are_recorded_once_the_question_was_asked_back():
    thanks, facts = Intent(IntentKind.THANKS, "ty"), known(ASKED, asked_back=frozenset([7]))
    assert decide_one("ty", facts, intent=thanks).rule == "O5"


@pytest.mark.parametrize(
    ("kind", "facts", "rule", "owed"),
    [
        (IntentKind.YES, known(ASKED), "O1", OweReply()),
        (IntentKind.NO, known(ASKED), "O1", OweReply()),
        (IntentKind.STATUS, known(CARD), "O6", OweReply()),
        (IntentKind.STATUS, known(last=CLOSED), "X5", OweReply()),
        (IntentKind.CALL_ME, known(CARD), "O7", OweReply()),
        (IntentKind.REOPEN, known(last=CLOSED), "X1", OweReply()),
        (IntentKind.THANKS, known(CARD), "O8", None),
        (IntentKind.ASK_BACK, known(ASKED), "O8", None),
        (IntentKind.YES, known(last=COMPLETED), "X6", None),
        (IntentKind.STOP, known(CARD), "C5", OweReply(is_silent=True)),
    ],
)
def test_rest_of_a_message_has_an_owner(kind, facts, rule, owed):
    """Whatever is answered at once, a person answers what the message says beside."""
    decision = decide_one("It says more.", facts, intent=Intent(kind, "", needs_owner=True))
    assert (decision.rule, decision.owed) == (rule, owed)


@pytest.mark.parametrize(
    ("kind", "facts", "rule"),
    [
        (IntentKind.OTHER, known(CARD), "O8"),
        (IntentKind.STATUS, known(CARD), "O6"),
        (IntentKind.CALL_ME, known(CARD), "O7"),
        (IntentKind.THANKS, known(CARD), "O8"),
        (IntentKind.OTHER, known(last=CLOSED), "X6"),
        (IntentKind.OTHER, known(CARD, REPAIR), "W3"),
    ],
)
def test_urgent_message_is_raised_and_a_person_answers(kind, facts, rule):
    decision = decide_one("It was stolen.", facts, intent=Intent(kind, "", is_urgent=True))
    assert (decision.rule, decision.is_urgent) == (rule, True)
    assert isinstance(decision.outcome, OweReply) or decision.owed is not None


def test_repeated_message_is_recorded():
    earlier = SimpleNamespace(request_id=1)
    for body, basis in (("where is it?", Basis.REPEATS), ("STOP", Basis.CONSENT)):
        [(delivery, decision)] = decide_all(body, known(CARD, REPAIR, repeated=earlier))
        assert delivery.basis == basis
        assert decision.rule == ("D1" if basis == Basis.REPEATS else "C5")


@pytest.mark.parametrize(
    ("body", "facts", "more", "expected"),
    [
        ("STOP", known(CARD), {}, ("C5", False, "stop")),
        ("STOP", known(CARD, limits=FLOOD), {}, ("C5", False, "stop")),
        ("STOP", known(CARD, is_opted_out=True), {}, ("C5", False, "")),
        ("STOP", known(CARD, answers_keywords=True), {}, ("C5", False, "")),
        ("hm", known(CARD), {"opt_out_type": OptOutType.STOP}, ("C5", False, "")),
        ("STOP CARD-AAAA-AA3", known(CARD, REPAIR), {}, ("C4", False, "stop_one")),
        (
            "STOP CARD-AAAA-AA3", known(CARD, REPAIR, muted=frozenset([2])), {},
            ("C4", False, ""),
        ),
        ("START", known(CARD, is_opted_out=True), {}, ("C6", True, "start")),
        ("yes", known(CARD, is_opted_out=True), {}, ("C6", True, "start")),
        ("START", known(CARD, limits=LOOP), {}, ("C6", True, "start")),
        ("START", known(CARD, limits=KEYWORDS), {}, ("C6", True, "")),
        ("HELP", known(CARD), {}, ("C7", None, "help")),
        ("HELP", known(CARD, limits=LOOP), {}, ("C7", None, "help")),
        ("HELP", known(CARD, limits=KEYWORDS), {}, ("C7", None, "")),
    ],
)  # fmt: skip
def test_start_and_stop_decide_consent(body, facts, more, expected):
    decision = decide_one(body, facts, **more)
    change = decision.outcome
    assert isinstance(change, ChangeConsent)
    assert (decision.rule, change.granted, change.confirm) == expected


def test_stop_about_one_request_is_a_wish():
    decision = decide_one("stop texts about the repair", known(CARD, REPAIR))
    assert (decision.rule, decision.outcome.template) == ("C8", "stop_one")
    assert decision.outcome.is_of_request


@pytest.mark.parametrize(
    ("body", "limits"), [("CANCEL", AutoReplyLimits()), ("STOP, call me", AutoReplyLimits()), ("HELP", KEYWORDS)]
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
        ("yes", {"limits": LOOP}, "O1"),
        ("Can you change my address?", {"limits": LOOP}, "M4"),
    ],
)
def test_mail_is_decided_by_its_sender_and_content(body, facts, rule):
    facts = known(last=ASKED, consent_address="martin@example.com", **facts)
    assert decide_one(body, facts, channel=Channel.EMAIL, request_id=1).rule == rule


def test_stop_on_the_page_stops_texts_and_is_answered():
    decision = decide_one("STOP", known(last=CARD), channel=Channel.WEB, request_id=1)
    assert (decision.rule, decision.outcome.addresses, decision.owed) == ("P1", [PHONE], OweReply())


def waiting(*texts, ago=timedelta(0)):
    return {
        "waiting": [SimpleNamespace(body=text, created_at=NOW - ago) for text in texts],
        "offered": [CARD, REPAIR],
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
        ("2", waiting("hurry", ago=timedelta(days=8)), [(2, Basis.CHOSEN), (2, Basis.CHOICE)]),
        ("I hurt my second toe", waiting("hurry", ago=timedelta(days=8)), [(2, Basis.AMBIGUOUS)]),
        ("9", waiting("hurry"), [(2, Basis.AMBIGUOUS)]),
        ("9", waiting("hurry") | {"exchanged": CARD}, [(1, Basis.AMBIGUOUS)]),
        ("what?", waiting("hurry", "hm"), [(2, Basis.FOR_PERSON)] * 3),
        ("what?", {"is_opted_out": True}, [(2, Basis.FOR_PERSON)]),
        ("any news of my card?", {}, [(1, Basis.NAMED)]),
        ("the card and the repair", {}, [(2, Basis.AMBIGUOUS)]),
        ("it does not work", {"spoken_of": CLOSED}, [(1, Basis.SPOKEN_OF)]),
        ("thanks!", {"exchanged": CARD}, [(1, Basis.SPOKEN_OF)]),
        ("🎉", {}, [(2, Basis.SPOKEN_OF)]),
        ("STOP", {}, [(None, Basis.CONSENT)]),
        ("CANCEL", {}, [(2, Basis.CONSENT)]),
        ("card", {"limits": FLOOD}, [(1, Basis.FLOOD)]),
        ("hurry", {"limits": FLOOD}, [(2, Basis.FLOOD)]),
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


@pytest.mark.parametrize(
    ("body", "id_"),
    [
        ("Actually it does not work", 1),
        ("REOPEN", 1),
        ("where is it?", 2),
        ("the repair is late", 2),
    ],
)
def test_message_follows_on_the_request_closed_just_now(body, id_):
    facts = known(REPAIR, spoken_of=COMPLETED)
    assert [delivery.request_id for delivery, _ in decide_all(body, facts)] == [id_]


def replace_id(owner, id_):
    return SimpleNamespace(**{**vars(owner), "id": id_, "reference": f"CARD-AAAA-00{id_}"})


def test_only_the_last_of_several_staff_messages_gets_a_reply():
    facts = known(CARD, REPAIR, **waiting("hurry", "hm"))
    silent = [decision.outcome.is_silent for _, decision in decide_all("what?", facts)]
    assert silent == [True, True, False]


@pytest.mark.parametrize("rule", sorted(RULES))
def test_each_rule_is_documented(rule):
    assert f"| {rule} |" in DOCUMENT.read_text(encoding="utf-8")
