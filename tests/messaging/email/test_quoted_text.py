"""The customer's own text is separated from quoted text."""

import time

import pytest

from portal.messaging.email.quoted_text import html_to_text, strip_quoted_text
from tests.corpus.email_replies import PAGES, REPLIES

HOSTILE = [
    "On a " * 40_000,
    "On a\n" * 40_000,
    "From: a@b\n" * 20_000,
    "On x\nwrote:\n" * 20_000,
    "--\n" * 60_000,
    ">" * 200_000,
    " " * 200_000,
    "<div>" * 40_000,
    "<!--" * 50_000,
    "<div" * 50_000,
    "</div><div class=gmail_quote>" * 8_000,
]


def cases(corpus):
    return [pytest.param(text, own, id=program) for program, text, own in corpus]


@pytest.mark.parametrize(("text", "own"), cases(REPLIES))
def test_quoted_text_is_removed(text, own):
    """What is surely quoted goes; every word that may be theirs stays."""
    assert strip_quoted_text(text) == own


@pytest.mark.parametrize(("html", "own"), cases(PAGES))
def test_html_only_mail_is_read(html, own):
    """HTML without a plain part: the same words."""
    assert strip_quoted_text(html_to_text(html)) == own


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_parse_time_is_bounded(text):
    """Each line is looked at a bounded number of times, whoever wrote it."""
    began = time.process_time()
    strip_quoted_text(text)
    strip_quoted_text(html_to_text(text))
    assert time.process_time() - began < 5
