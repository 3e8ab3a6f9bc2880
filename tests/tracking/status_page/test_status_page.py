"""The status page in each state: its sentences, its size and its structure."""

import gzip
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from portal.i18n.languages import LANGUAGE_CODES
from portal.tracking.status_page.cache import GZIP_LEVEL
from portal.tracking.status_page.conversation_view import ConversationLine
from portal.web.static_files import static_files
from tests.support.status_page.card_page import (
    ARRIVED,
    MADE,
    MARTIN,
    NOW,
    PASSED,
    RECEIVED,
    html,
)
from tests.support.status_page.states import STATES

pytestmark = pytest.mark.either_database


DOCS = Path(__file__).parents[3] / "docs"


FIRST_VIEW = 6144
"""Bytes, packed: what arrives in the first round trip of a new connection."""


SAYS = {
    "in work": (
        "Your card is being made, Martin",
        "Pia at Card Processing has had it since today, 2:05 pm",
        "Step 3 of 5",
        "With you by Tue 1 Dec in 7 days Next On its way to you by Thu 26 Nov",
        "Pia will answer you by 3:40 pm.",
        "We have your message. There is nothing else that you need to do.",
    ),
    "nothing said": (
        "There is nothing that you need to do now.",
        "What you write below goes straight to the people who have your request.",
    ),
    "passed on": (
        "Approved, Martin",
        "Passed to Card Processing today, 2:30 pm; they take it up by 6 pm.",
        "Until they do, Uma at Underwriting still looks after it.",
    ),
    "side by side": ("Fire Review and Zoning have it, all at the same time", "Step 2 of 3"),
    "likely": ("Usually by tomorrow, at the latest by Fri 27 Nov.",),
    "a question": (
        "A question for you, Martin",
        "Shall we make that one?",
        "Expected about 6 days after your answer",
        "paused",
    ),
    "an appointment": ("When may our technician come?", "Send this time", "None suits me"),
    "a visit": ("Your visit: Friday, 10 am", "Add to my calendar"),
    "a visit to book": ("A day and a time that suit you", "Book this time", "Later days"),
    "a visit in a window": (
        "Engineer visit",
        "Gareth",
        "Your home",
        "Please clear a socket.",
        "Add to my calendar",
    ),
    "waiting on papers": (
        "We need a copy of your passport, Martin",
        "Send a photo or a PDF",
        "Or write it below. It goes on as soon as we have it.",
    ),
    "papers needed": (
        "We need a copy of your passport, Martin",
        "What we need from you Copy of your passport The page with your photo.",
        "Or write it below. It goes on as soon as we have it.",
    ),
    "papers sent": (
        "We have what you sent, Martin",
        "passport.pdf, sent 2:30 pm. Pia checks it by 4:30 pm. Send more",
    ),
    "to correct": (
        "The photo is too dark to read. Please take it again in daylight.",
        "Pia asks you to correct this. What we need from you",
        "Send again",
    ),
    "a price": ("Your quote is $89. Shall we go ahead? Yes, go ahead for $89 No",),
    "on hold": (
        "On hold for now, Martin",
        "We wait for your employer's answer. We take it up again by Mon 30 Nov.",
    ),
    "delayed": (
        "We're sorry, this takes longer. We said Mon 23 Nov; now we expect Fri 27 Nov.",
        "The printer is being repaired.",
    ),
    "late": (
        "You hear from us as soon as there is a new date.",
        "due Mon, 3:30 pm",
        "Pia will answer you: we said by 2:30 pm.",
        "We are late with this, and sorry.",
    ),
    "ask now": (
        "Now we expect it by tomorrow. Card Processing needs more time.",
        "Ask what is happening",
    ),
    "a complaint": ("Mona will answer you by 5 pm.", "and are sorry."),
    "promises": (
        "Paul: I will ring you: we said by 1:30 pm.",
        "Tess: I will send you the contract by tomorrow, 3:30 pm. The line was busy.",
        "Tess: I will ask Underwriting. Kept today, 10:30 am.",
        "Tom: I will call you back. We did not get to this, and are sorry.",
    ),
    "did it arrive": (
        "Has your card arrived?",
        "Please tell us. Only you know.",
        "Yes, I have it",
        "No, not yet",
    ),
    "done": (
        "All done, Martin",
        "You confirmed it today, 2:30 pm. Thank you.",
        "Is something not right? Write to us below; it reaches a person.",
    ),
    "done long ago": (
        "You confirmed it on 24 Nov 2026, 2:30 pm. Thank you.",
        "Is there something after all? Write to us below, and it is looked into again.",
    ),
    "never confirmed": (
        "Closed for now, Martin",
        "We asked and did not hear from you, so we closed it",
    ),
    "declined": (
        "You decided not to go ahead, Martin",
        "Your device is ready to collect, free of charge.",
    ),
    "cancelled": ("This request was cancelled", "You asked us to stop."),
}


def read(markup: str) -> str:
    """The text as it is read, without the head."""
    text = re.sub(r"<[^>]+>", " ", markup.split("<body>", 1)[1])
    text = text.replace("&#39;", "'")
    return re.sub(r"\s+([.,;:])", r"\1", re.sub(r"\s+", " ", text))


@pytest.mark.parametrize("state", STATES)
def test_each_state_has_its_sentences(state: str) -> None:
    words = read(html(STATES[state]))
    for sentence in SAYS[state]:
        assert sentence in words


def test_every_state_has_a_screenshot_in_the_docs() -> None:
    shown = re.findall(
        r'src="(pictures/states/[\w-]+\.png)"', (DOCS / "status-page-states.md").read_text()
    )
    assert {f"pictures/states/{state.replace(' ', '-')}.png" for state in STATES} <= set(shown)
    assert all((DOCS / picture).exists() for picture in shown)


def test_title_is_the_headline_without_the_name() -> None:
    """The tab says where it stands; a preview names nobody, and gives no reason of a correction."""
    for state, page in STATES.items():
        if state == "to correct":
            assert "<title>Please correct one thing · Acme Bank</title>" in html(page)
            continue
        markup = html(page)
        headline = re.search(r"<h1[^>]*>(.*?)</h1>", html(replace(page, first_name="")), re.DOTALL)
        assert headline
        assert f"<title>{headline[1].strip()} · {page.brand}</title>" in markup


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("locale", LANGUAGE_CODES)
def test_page_fits_in_one_round_trip(state: str, locale: str) -> None:
    """In every state and every language, as it is sent."""
    page = html(replace(STATES[state], locale=locale)).encode()
    assert len(gzip.compress(page, GZIP_LEVEL)) <= FIRST_VIEW


@pytest.mark.parametrize("state", STATES)
def test_page_is_complete_without_other_files(state: str) -> None:
    """No picture or font is asked for; scripts and the second style sheet come after."""
    page = html(STATES[state])
    assert not re.findall(r"<img|rel=\"preload|@font-face|@import|url\(", page)
    before, sheet, after = page.partition('<link rel="stylesheet"')
    assert "</footer>" in before
    assert sheet
    assert 'rel="stylesheet' not in after
    assert all("defer" in script for script in re.findall(r"<script[^>]*>", page))
    assert not re.search(r"\sstyle=|\son\w+=|<script(?![^>]* src=)", page)


def test_page_and_its_files_together_stay_under_45_kilobytes() -> None:
    files = re.findall(r"/static/([^?]+)\?", html(MARTIN))
    assert len(files) == 4
    assert sum(len(static_files()[name].gzipped) for name in files) + FIRST_VIEW < 45_000


def test_headline_without_a_first_name() -> None:
    for page in STATES.values():
        headline = re.search(r"<h1[^>]*>(.*?)</h1>", html(replace(page, first_name="")), re.DOTALL)
        assert headline
        assert not headline[1].strip().endswith(",")


def test_user_text_is_escaped() -> None:
    evil = "<script>alert(1)</script>\"' onload=x"
    page = html(
        replace(
            MARTIN,
            first_name=evil,
            headline=evil,
            write_to=evil,
            draft=evil,
            refusal=evil,
            conversation=(
                ConversationLine("1", evil, NOW, None),
                ConversationLine("2", evil, NOW, evil),
            ),
        )
    )
    assert "<script>alert" not in page
    assert "\"' onload" not in page
    assert page.count("&lt;script&gt;alert(1)") >= 6


def test_page_has_one_h1_and_one_current_step() -> None:
    page = html(MARTIN)
    assert page.count("<h1") == 1
    assert page.index("<h1") < page.index("<h2")
    assert page.count('aria-current="step"') == 1
    assert [part for part in ("<header", "<main", "<footer") if page.count(part) != 1] == []


def test_parallel_steps_are_a_fork() -> None:
    fork = (
        replace(MADE, key="a", state="done"),
        replace(MADE, key="b"),
        replace(MADE, key="c", state="upcoming"),
    )
    page = html(replace(MARTIN, step_groups=((RECEIVED,), fork, (ARRIVED,))))
    assert 'class="fork current"' in page
    assert all(f'id="step-{key}"' in page for key in "abc")


def test_overdue_handoff_is_shown() -> None:
    assert PASSED.handoff
    page = STATES["passed on"]
    overdue = replace(page, handoff=replace(PASSED.handoff, accept_by=NOW - timedelta(minutes=30)))
    assert "it should have started by 3 pm; sorry." in read(html(overdue))


def test_paused_step_is_never_overdue() -> None:
    past = replace(MADE, expected_at=NOW - timedelta(days=1))
    assert past.is_overdue(NOW)
    assert not replace(past, state="paused").is_overdue(NOW)


def test_arabic_page_is_right_to_left() -> None:
    assert '<html lang="ar" dir="rtl">' in html(replace(MARTIN, locale="ar"))


def test_max_age_ends_at_next_wording_change() -> None:
    """Pia's promise falls due at 3:40 pm; after it the reader's own midnight is next."""
    page = STATES["in work"]
    assert page.valid_until == NOW + timedelta(minutes=10)
    after = replace(page, now=NOW + timedelta(minutes=10))
    assert after.valid_until == datetime(2026, 11, 25, 5, 0, tzinfo=UTC)
    assert "late with this" in html(after)
