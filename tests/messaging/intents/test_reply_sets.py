"""Replies by people who had not seen the rules are read well; the rules were then written for them.

What the rules do with replies that nobody wrote them for, ``python -m tests.bench replies`` shows.
"""

import pytest

from tests.support.reply_sets import CORPUS, LANGUAGES, count, judge, read_set


@pytest.fixture(scope="module", params=LANGUAGES)
def judged(request):
    language = request.param
    return judge(read_set(CORPUS / "practice" / f"replies.{language}.csv"), language)


def test_practice_replies_are_read_acceptably(judged):
    totals = count(judged)
    assert totals.replies >= 700
    assert totals.acceptable >= 0.92
    assert totals.needless <= 0.16


def test_few_practice_replies_are_read_harmfully(judged):
    """One in a hundred at most; a miss names its reply."""
    harmful = [
        f"{each.reply.text!r} to {each.reply.question}: {each.reading}"
        for each in judged
        if each.is_harmful
    ]
    assert len(harmful) <= 0.012 * len(judged), harmful


def test_practice_wishes_to_stop_are_obeyed(judged):
    totals = count(judged)
    assert totals.stop_recall >= 0.97
    assert totals.stop_precision >= 0.95


def test_practice_replies_that_need_a_person_reach_one(judged):
    asking = sum(each.reply.needs_owner for each in judged)
    assert count(judged).swallowed <= 0.1 * asking
