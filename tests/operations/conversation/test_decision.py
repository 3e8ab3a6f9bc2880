"""Each rule of the decision about a message, without a database."""

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from portal.messaging.intents.classifier import Intent, IntentKind
from portal.models import (
    Answer,
    Channel,
    DroppedBallKind,
    PromiseKind,
)
from portal.operations.conversation.auto_reply_limits import AutoReplyLimits
from portal.operations.conversation.decision import RULES
from portal.operations.conversation.inbound_message import OptOutType
from portal.operations.conversation.outcomes import (
    AnswerQuestion,
    AskBack,
    AskWhich,
    ChangeConsent,
    NotifyFrontDesk,
    OweReply,
    ReadBack,
    Record,
    Reopen,
    SendStatus,
)
from portal.operations.conversation.request_matching import Basis
from tests.operations.conversation.decisions import (
    ASKED,
    ASKED_TIME,
    CARD,
    CLOSED,
    COMPLETED,
    DECIDING,
    DECLINED,
    FLOOD,
    KEYWORDS,
    LAST,
    LOOP,
    OFFER,
    OVERDUE,
    PHONE,
    REPAIR,
    SAID_NO,
    decide_all,
    decide_one,
    known,
)

DOCUMENT = Path(__file__).parents[3] / "docs" / "inbound.md"


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
        ("yes", known(SAID_NO, limits=LOOP), "O9", OweReply(is_silent=True, template="second_answer")),
        ("yes", known(last=DECLINED, limits=LOOP), "X2", OweReply(is_silent=True, template="second_answer")),
        (
            "yes", known(DECIDING, undecided=frozenset([1]), limits=LOOP), "O2",
            ReadBack(DECIDING.open_question),
        ),
        ("no", known(SAID_NO), "O4", Record()),
        ("yes", known(DECIDING, undecided=frozenset([1])), "O2", ReadBack(DECIDING.open_question)),
        ("yes, and who are you?", known(DECIDING, undecided=frozenset([1])), "O2", OweReply(template="answer_first")),
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
        (IntentKind.CALL_ME, known(CARD), "O7", None),
        (IntentKind.REOPEN, known(last=CLOSED), "X1", OweReply()),
        (IntentKind.THANKS, known(CARD), "O8", None),
        (IntentKind.ASK_BACK, known(ASKED), "O8", None),
        (IntentKind.YES, known(last=COMPLETED), "X6", None),
        (IntentKind.STOP, known(CARD), "C5", OweReply(is_silent=True)),
    ],
)
def test_rest_of_a_message_has_an_owner(kind, facts, rule, owed):
    """Whatever is answered at once, a person answers what the message says beside.

    Who calls soon has read it.
    """
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


@pytest.mark.parametrize("rule", sorted(RULES))
def test_each_rule_is_documented(rule):
    assert f"| {rule} |" in DOCUMENT.read_text(encoding="utf-8")
