"""Mail programs in many languages: the sender's own words, exactly, wherever they stand."""

import time
from dataclasses import replace
from textwrap import wrap

import pytest

from portal.messaging.email.composition import EmailContent
from portal.messaging.email.correspondence import Correspondence
from portal.messaging.email.letter_content import letter_texts
from portal.messaging.email.own_text.own_words import read_own_text
from portal.messaging.email.quoted_text import html_to_text
from tests.corpus.mail_programs import LANGUAGES, MORE_HEADERS, NAMES, PROGRAMS, replies
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


@pytest.mark.parametrize("mark", ["", "> ", "| "])
def test_header_is_known_by_what_it_holds(mark):
    text, _ = parts(letter_of(QUESTION))
    quoted = "\n".join(mark + line for line in text.split("\n"))
    wrong = {}
    for template in MORE_HEADERS:
        header = template.format(**NAMES)
        for own in ("Yes, it arrived.", "No\n\nIt is the wrong one, call me", "Ja"):
            for reply in (
                f"{own}\n\n{header}\n\n{quoted}",
                f"{header}\n\n{quoted}\n\n{own}",
                f"{own}\n{header}\n{quoted}",
            ):
                said = read_own_text(reply, KNOWN)
                if said.words != own or said.says_more:
                    wrong[reply] = said
    assert wrong == {}


STAFF = replace(
    QUESTION,
    headline="Tess wrote to you",
    paragraphs=(
        (
            "We can come on Friday at 3 pm or on Monday at 9 am, which of the two is better for you and"
            " your neighbours?\nPlease bring your passport."
        ),
    ),
    author_name="Tess",
    answer_links=(),
)
WRITTEN, _ = parts(letter_of(STAFF))
QUOTED = "\n".join(f"> {line}" for line in WRITTEN.split("\n"))
KNOWN_TOO = replace(
    KNOWN, sent=(*KNOWN.sent, *letter_texts(STAFF, "Acme Bank"), f"{LINK}#answer-yes")
)
HEADER = LANGUAGES["pl"]["attribution"].format(**NAMES)
FOOTER = "You get this because you have a request with Acme Bank. No more e-mail about it: {link}"
HARD = {
    "words of ours that they repeat": (f"Friday at 3 pm\n\n{HEADER}\n{QUOTED}", "Friday at 3 pm"),
    "the same between the lines": (
        (
            "> which of the two is better for you and your neighbours?\nFriday at 3 pm\n"
            "> Please bring your passport.\nI have none"
        ),
        "Friday at 3 pm\n\nI have none",
    ),
    "a header without a blank line": (f"Yes\n{HEADER}\n{QUOTED}", "Yes"),
    "our name and a date without a header": (
        f"Acme Bank, please come on 24.11.2026 at 14:00\n\n{QUOTED}",
        "Acme Bank, please come on 24.11.2026 at 14:00",
    ),
    "our words in the same line": (f"Yes {FOOTER.format(link=LINK)}", "Yes"),
    "our link alone": (f"Yes\n\nNo more e-mail about it: {LINK}#answer-yes", "Yes"),
    "a word that a link of ours has": (f"{HEADER}\n\n{WRITTEN}\n\nanswer-yes", "answer-yes"),
    "a disclaimer below the quotation": (
        f"Yes\n\n{HEADER}\n\n{WRITTEN}\n\nThis e-mail is confidential. Use of it must cease.",
        "Yes",
    ),
    "lines broken by a server": (
        (
            f"Ok\n\n{HEADER}\n> We can come on Friday at 3 pm or on Monday at 9 am, which of the two\n"
            "is better for\n> you and your neighbours?\n> Please bring your passport."
        ),
        "Ok",
    ),
    "a link broken by a server": (
        f"Ok\n\n{HEADER}\n{QUOTED}\n> Yes: https://kept.example/r/Ab1x\nY7q-Lm0#answer-yes",
        "Ok",
    ),
    "narrow lines": (
        f"Ok\n\n{HEADER}\n" + "\n".join(f"> {line}" for line in wrap(WRITTEN, 38)),
        "Ok",
    ),
    "nothing of theirs": (f"{HEADER}\n{QUOTED}", ""),
}


@pytest.mark.parametrize("case", HARD)
def test_what_is_ours_goes_and_what_is_theirs_stays(case):
    text, own = HARD[case]
    assert read_own_text(text, KNOWN_TOO).words == own


HOSTILE = {
    "our mail, often": WRITTEN * 300,
    "our mail, often, marked": f"{QUOTED}\n" * 300,
    "an answer in each": ("Has your credit card arrived?\nNo\n" + WRITTEN) * 200,
    "their name": "Martin\n" * 40_000,
    "headers": "2026 14:05 Acme Bank:\n" * 20_000,
    "paragraphs": "a b c d e@f\n\n" * 20_000,
    "rules": "____\n" * 40_000,
    "rules in one line": "-=-=" * 40_000,
    "entities": "&amp;" * 40_000,
}


@pytest.mark.parametrize("case", HOSTILE)
def test_time_is_linear(case):
    known = replace(KNOWN_TOO, sent=KNOWN_TOO.sent * 10, earlier=("Martin\n" * 1_500,) * 10)
    began = time.process_time()
    read_own_text(f"{WRITTEN}\n{HOSTILE[case]}\n{WRITTEN}", known)
    assert time.process_time() - began < 10
