"""Wishes to stop are detected with their scope; what only resembles one stops nothing."""

import csv

import pytest

from portal.messaging.intents.classifier import IntentKind, StopScope, classify
from tests.support.reply_sets import CORPUS


def test_every_opt_out_is_detected_and_no_lookalike():
    """Not one wish is missed, and "stop the delivery" silences nobody; a miss names its reply."""
    with (CORPUS / "consent.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["reply"], row["wish"] == "stop") for row in csv.DictReader(file)]
    assert len(rows) >= 240
    stops = (IntentKind.STOP, IntentKind.STOP_PARTIAL)
    missed = [reply for reply, wish in rows if wish and classify(reply).kind not in stops]
    mistaken = [reply for reply, wish in rows if not wish and classify(reply).kind in stops]
    assert (missed, mistaken) == ([], [])


@pytest.mark.parametrize(
    ("reply", "scope", "about", "needs_reading"),
    [
        ("Stop texting me", None, "", False),
        ("Stop all texts, I only asked about the card", None, "", False),
        ("STOP. Where is my card?", None, "", True),
        ("Wrong number, take me off", None, "", True),
        ("Stop texting and call me instead", None, "", True),
        ("Stop texting me about the card", StopScope.REQUEST, "the card", False),
        ("no more texts about card-7k3m-abc please", StopScope.REQUEST, "#ref please", False),
        ("Please don't text me at night", StopScope.NIGHT, "please dont text me at night", False),
        ("Only email me from now on", StopScope.CHANNEL, "sms", False),
        ("No emails, just text me", StopScope.CHANNEL, "email", False),
        ("No more surveys please", StopScope.QUESTIONS, "", False),
        ("Too many texts, one a week is plenty", StopScope.FEWER, "", False),
    ],
)
def test_opt_out_scope_and_review_flag(reply, scope, about, needs_reading):
    intent = classify(reply)
    assert intent.kind == (IntentKind.STOP if scope is None else IntentKind.STOP_PARTIAL)
    assert (intent.scope, intent.about, intent.needs_reading) == (scope, about, needs_reading)


@pytest.mark.parametrize(
    "reply",
    [
        "Reply STOP", "text STOP", "send stop", "STOP to end", "stop 2 end",
        "Stop to opt out of this", "STOP CARD-7K3M-ABC", "CARD-7K3M-ABC stop", "STOP it came already",
        "STOP please thanks", "stop por favor", "STOP شكرا", "please stop, thank you",
    ],
)  # fmt: skip
def test_keyword_with_courtesy_reference_or_complaint_is_a_stop(reply):
    assert classify(reply).kind == IntentKind.STOP


@pytest.mark.parametrize(
    "reply",
    [
        "I revoke my consent to the credit check", "I want to opt out of the insurance",
        "Stop calling me, text me instead", "take me off the waiting list",
        "quiero dar de baja mi cuenta", "I am at the bus stop", "stop by the store",
        "stop the courier", "Don't stop looking for it",
    ],
)  # fmt: skip
def test_word_of_a_stop_about_something_else_stops_nothing(reply):
    assert classify(reply).kind not in (IntentKind.STOP, IntentKind.STOP_PARTIAL)


@pytest.mark.parametrize(
    "word",
    [
        "STOP",
        "STOPALL",
        "UNSUBSCRIBE",
        "CANCEL",
        "END",
        "QUIT",
        "REVOKE",
        "OPTOUT",
        "START",
        "UNSTOP",
        "HELP",
        "INFO",
    ],
)
@pytest.mark.parametrize("wrap", ["{}", "  {}. ", '"{}"', "{}!!! 😡", "\n{}\n", "{}\u200b"])
def test_keyword_is_found_with_surrounding_punctuation(word, wrap):
    """The carrier would act on it, so we know that it may have answered already."""
    for form in (word, word.lower(), word.title(), " ".join(word)):
        assert classify(wrap.format(form)).is_keyword
    assert not classify(f"{word} the bus").is_keyword


def test_cancel_stops_texts_and_goes_to_staff():
    """CANCEL alone may mean the request: both are kept in view."""
    assert (classify("Cancel").kind, classify("Cancel").cancel) == (IntentKind.STOP, True)
    asked = classify("please cancel my application")
    assert (asked.kind, asked.cancel) == (IntentKind.OTHER, True)
    assert not classify("STOP").cancel
