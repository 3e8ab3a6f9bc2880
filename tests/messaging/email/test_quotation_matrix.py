"""Mail programs in many languages: the sender's own words, exactly, wherever they stand."""

import pytest

from portal.messaging.email.composition import EmailContent
from portal.messaging.email.correspondence import Correspondence
from portal.messaging.email.letter_content import letter_texts
from portal.messaging.email.own_words import read_own_text
from portal.messaging.email.quoted_text import html_to_text
from tests.corpus.mail_programs import LANGUAGES, NAMES, PROGRAMS, replies
from tests.messaging.email.letters import letter_of, parts

LINK = "https://kept.example/r/Ab1xY7q-Lm0"
QUESTION = EmailContent(
    subject=NAMES["subject"],
    headline="Has your credit card arrived?",
    paragraphs=("Choose below: your page opens, and one press there answers.",),
    answer_links=(("Yes", f"{LINK}#answer-yes"), ("No", f"{LINK}#answer-no")),
    button_label="See your request",
    link=LINK,
    footer="You get this because you have a request with Acme Bank.",
    unsubscribe_label="No more e-mail about it",
    reference="CARD-7K4M-2Q9",
)
KNOWN = Correspondence(
    sent=letter_texts(QUESTION, "Acme Bank"),
    our_marks=("Acme Bank", "@acme.example", "CARD-7K4M-2Q9"),
    their_marks=("Martin Miller", "martin@example.com"),
)


def lines_of(text):
    """A page has more or fewer blank lines than a text."""
    return [line for line in text.split("\n") if line.strip()]


def test_matrix_has_twenty_programs_and_fifteen_languages():
    assert len(PROGRAMS) >= 20
    assert len(LANGUAGES) >= 15


@pytest.mark.parametrize("program", PROGRAMS)
def test_own_words_are_found_in_each_language(program):
    text, page = parts(letter_of(QUESTION))
    wrong = {}
    for reply in replies(program, text, page):
        said = html_to_text(reply.text) if reply.is_html else reply.text
        own = read_own_text(said, KNOWN, is_html=reply.is_html)
        if lines_of(own.words) != lines_of(reply.own) or own.says_more:
            wrong[reply.id] = (own.words, own.says_more)
    assert wrong == {}
