"""Plain replies are classified; all others go to staff."""

import csv
import time
from collections import Counter
from pathlib import Path

import pytest

from portal.messaging.intents.classifier import IntentKind, Question, classify

CORPUS = Path(__file__).parents[2] / "corpus"
WRITTEN_INTENTS = set(IntentKind) - {
    IntentKind.REOPEN,
    IntentKind.CHOICE,
    IntentKind.REACTION,
    IntentKind.ASK_BACK,
    IntentKind.STOP_PARTIAL,
}
"""The kinds that the first corpora label."""
NEVER_BY_MISTAKE = {IntentKind.YES, IntentKind.NO, IntentKind.STOP}


def replies(language: str) -> list[tuple[str, str]]:
    with (CORPUS / f"replies.{language}.csv").open(encoding="utf-8", newline="") as rows:
        return [(row["text"], row["label"]) for row in csv.DictReader(rows)]


@pytest.mark.parametrize("language", ["en", "es"])
def test_corpus_replies_are_classified(language):
    """At least 95 of 100, and each class by nine in ten; a miss names its reply."""
    rows = replies(language)
    total, missed = Counter(label for _, label in rows), Counter()
    misses = [
        f"{text!r} ({label}) as {seen}"
        for text, label in rows
        if (seen := classify(text, Question.NONE, language).kind) != label
    ]
    missed.update(
        label for text, label in rows if classify(text, Question.NONE, language).kind != label
    )
    assert len(rows) >= 320
    assert len(misses) <= 0.05 * len(rows), misses
    assert [label for label in total if missed[label] > 0.1 * total[label]] == [], misses


def test_plain_arabic_replies_are_classified_and_others_go_to_staff():
    """Each of the corpus as it says: what is not surely one of ours is for somebody to read."""
    rows = replies("ar")
    seen = Counter(label for _, label in rows)
    assert len(rows) >= 150
    assert set(seen) == WRITTEN_INTENTS - {IntentKind.TIME}
    assert [row for row in rows if classify(row[0], Question.NONE, "ar").kind != row[1]] == []


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("¿Dónde está mi tarjeta?", "es"),
        ("ALTO", "es"),
        ("أين بطاقتي", "ar"),
        ("Where is it?", "en"),
        ("STOP", ""),
        ("12345", ""),
    ],
)
def test_language_is_detected_where_unambiguous(text, language):
    """By it whoever we do not know is answered."""
    assert classify(text).language == language


def test_suggested_keywords_work_in_spanish_and_arabic():
    """Our texts name them: REABRIR, and its like in Arabic."""
    for word in ("REABRIR", "افتح"):
        assert classify(word).kind == IntentKind.REOPEN


@pytest.mark.parametrize("locale", ["en", "es", "ar"])
@pytest.mark.parametrize("language", ["en", "es", "ar"])
def test_no_reply_is_misread_as_yes_no_or_stop(language, locale):
    """They close a request, send it back or silence somebody: in any doubt a person decides.

    Whatever language a customer is known to speak, they may write in another.
    """
    judged = [
        (text, label, classify(text, Question.NONE, locale).kind)
        for text, label in replies(language)
    ]
    assert [row for row in judged if row[1] != row[2] and row[2] in NEVER_BY_MISTAKE] == []


@pytest.mark.parametrize("language", ["en", "es"])
def test_corpus_has_every_intent(language):
    """But a wish to reopen, which is one word that we give them."""
    assert {label for _, label in replies(language)} == WRITTEN_INTENTS


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Where is my card?", "where_is_it"),
        ("This is ridiculous", "complaint"),
        ("arrived but broken", "complaint"),
        ("nadie me contesta", "complaint"),
        ("I need to change my address", "change"),
        ("quiero cambiar la cita", "change"),
        ("please cancel my application", "change"),
        ("How much does it cost", "question"),
        ("¿Qué documentos necesitan?", "question"),
        ("The flowers were lovely", ""),
        ("Yes", ""),
    ],
)
def test_contact_reason_is_classified(text, reason):
    assert classify(text).reason == reason


def test_every_opt_out_is_detected_and_no_lookalike():
    """Not one wish is missed, and "stop the delivery" silences nobody; a miss names its reply."""
    with (CORPUS / "consent.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["reply"], row["wish"] == "stop") for row in csv.DictReader(file)]
    assert len(rows) >= 240
    wrong = [reply for reply, wish in rows if (classify(reply).kind == IntentKind.STOP) != wish]
    assert wrong == []


@pytest.mark.parametrize(
    ("reply", "about", "needs_reading"),
    [
        ("Stop texting me", "", False),
        ("Stop texting me about the card", "the card", False),
        ("no more texts about card-7k3m-abc please", "card 7k3m abc please", False),
        ("Stop all texts, I only asked about the card", "", False),
        ("STOP. Where is my card?", "", True),
        ("Wrong number, take me off", "", True),
        ("Stop texting and call me instead", "", True),
    ],
)
def test_opt_out_scope_and_review_flag(reply, about, needs_reading):
    intent = classify(reply)
    assert (intent.kind, intent.about, intent.needs_reading) == (
        IntentKind.STOP,
        about,
        needs_reading,
    )


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


def test_answer_keeps_the_original_text():
    intent = classify("  No, it never came  ")
    assert intent.kind == IntentKind.NO
    assert intent.answer_words == "No, it never came"
    assert not intent.bare


def test_answer_alone_is_distinguished_from_one_with_more_text():
    assert classify("YES!").bare
    assert classify("nope").bare
    assert not classify("yes it came on Monday").bare


@pytest.mark.parametrize("text", ["", "   ", "???", "😀", "👍👎", "\x00", "\ud800"])
def test_empty_text_goes_to_staff(text):
    assert classify(text).kind == IntentKind.OTHER


def test_long_text_is_classified_quickly_and_stored_whole():
    """100 kB of text is no way to hold up a worker: only the beginning is looked at."""
    text = "no more please " * 7_000
    assert classify(text).answer_words == text.strip()


@pytest.mark.parametrize("words", ["stop ", "dont ", "no more please ", "i dont want to ", "the "])
def test_classification_time_is_bounded(words):
    """The longest text of the worst words is read in well under a second."""
    began = time.process_time()
    classify(words * 1_000)
    assert time.process_time() - began < 0.5
