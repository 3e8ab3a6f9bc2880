"""A call is promised in the window that the customer names, on their clock and in our hours."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from portal.messaging.sms.segments import count_segments
from portal.models import SYSTEM_ACTOR, PromiseKind
from tests.support.factories import MARTIN
from tests.tracking.page_requests import link, read

pytestmark = pytest.mark.either_database


def at(day, hour, minute=0):
    """That time of a day of June in New York, in UTC."""
    return datetime(2025, 6, day, hour + 4, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wish", "reply", "window"),
    [
        ("call me tomorrow after 5", "after 5 pm on Wed 4 Jun", ((at(4, 17), at(4, 17, 30)))),
        (
            "Call me on Thursday between 2 and 4",
            "between 2 and 4 pm on Thu 5 Jun",
            (at(5, 14), at(5, 16)),
        ),
        (
            "please call me tomorrow not before noon",
            "after noon on Wed 4 Jun",
            (at(4, 12), at(4, 17, 30)),
        ),
        ("call me on Friday", "on Fri 6 Jun", ((at(6, 9), at(6, 17, 30)))),
        (
            "can you call me after lunch tomorrow?",
            "after 1 pm on Wed 4 Jun",
            (at(4, 13), at(4, 17, 30)),
        ),
        ("Call me tomorrow morning please", "in the morning on Wed 4 Jun", ((at(4, 9), at(4, 12)))),
        ("call me after 5", "after 5 pm on Tue 3 Jun", ((at(3, 17), at(3, 17, 30)))),
        (
            "ll\u00e1meme el jueves entre las 2 y las 4",
            "between 2 and 4 pm on Thu 5 Jun",
            (at(5, 14), at(5, 16)),
        ),
    ],
)
async def test_call_keeps_the_window_that_was_named(
    loan, organisation, texts, client, wish, reply, window
):
    """The text and the page word it so, with no hour that nobody said; it is due at its end."""
    await texts(wish)
    [promise] = (await organisation.reload(loan)).promises
    assert (promise.kind, promise.not_before_at, promise.due_at) == (
        PromiseKind.CALL,
        *window,
    )
    text = (await organisation.outbound_messages(loan))[-1].body
    assert text == f"Acme Bank: Loan Desk will call you {reply}."
    assert f"Loan Desk will call you {reply}." in read(await client.get(link(loan)))


@pytest.mark.parametrize(
    ("wish", "reply"),
    [
        (
            "Can you call me at 6pm tomorrow?",
            "closes at 5:30 pm. May we call you tomorrow before then?",
        ),
        ("call me tomorrow at 7 am", "opens at 9 am. May we call you tomorrow after that?"),
        ("call me on Sunday at 10", "is closed on Sun 8 Jun. May we call you on Mon 9 Jun?"),
        ("call me today after 6 pm", "closes at 5:30 pm. May we call you today before then?"),
    ],
)
async def test_call_outside_hours_is_refused_with_what_is_possible(
    loan, organisation, texts, said, client, wish, reply
):
    """Staff own it meanwhile, and the page promises no hour; a time alone then agrees the call."""
    await texts(wish)
    text = (await said(loan))[-1]
    assert reply in text
    assert text.endswith("Reply with a time.")
    assert count_segments(text).segments == 1
    [promise] = (await organisation.reload(loan)).promises
    assert (promise.kind, promise.is_told) == (PromiseKind.CALL, False)
    assert "will call you" not in read(await client.get(link(loan)))
    await texts("Thursday at 10 am")
    [promise] = (await organisation.reload(loan)).promises
    assert (promise.due_at, promise.is_told) == (at(5, 10), True)
    assert "Mona at Loan Desk will call you on Thu 5 Jun, 10 am." in (await said(loan))[-1]


@pytest.mark.parametrize(
    ("wish", "what"),
    [
        ("Please call me on Friday or Saturday", "on Friday or Saturday"),
        ("call me sometime next week", "sometime next week"),
        ("call me around 5 tomorrow", "around 5 tomorrow"),
    ],
)
async def test_vague_wish_is_said_back_and_a_person_agrees_the_time(
    loan, organisation, texts, said, wish, what
):
    """It owes a call whose time the text does not name; a time alone then agrees it."""
    await texts(wish)
    text = (await said(loan))[-1]
    assert f"Noted: you asked for a call {what}. Loan Desk will agree a time with you." in text
    [promise] = (await organisation.reload(loan)).promises
    assert (promise.kind, promise.is_told) == (PromiseKind.CALL, False)
    await texts("Thursday at 10 am please")
    [promise] = (await organisation.reload(loan)).promises
    assert (promise.due_at, promise.is_told) == (at(5, 10), True)


async def test_time_after_our_question_moves_the_call_that_stands(loan, organisation, texts, said):
    await texts("call me on Thursday at 10 am")
    await texts("call me at 8 pm on Thursday instead")
    assert (await said(loan))[-1].endswith("Reply with a time.")
    await texts("Thursday at 4 pm")
    [promise] = (await organisation.reload(loan)).promises
    assert (promise.kind, promise.due_at, promise.is_told) == (PromiseKind.CALL, at(5, 16), True)
    assert "will call you on Thu 5 Jun, 4 pm." in (await said(loan))[-1]


async def test_page_takes_the_time_that_it_asked_for(loan, organisation, client, said):
    page = f"{link(loan)}/messages"
    for words in ("call me on Thursday at 10 am", "call me at 8 pm on Thursday instead", "at 4 pm"):
        assert (await client.post(page, data={"body": words})).status_code == 303
    [promise] = (await organisation.reload(loan)).promises
    assert (promise.due_at, promise.is_told) == (at(3, 16), True)


@pytest.mark.parametrize(
    "text", ["it closes at 5", "My train leaves at 5 pm", "the meeting was at 3 pm on Thursday"]
)
async def test_hour_of_something_else_agrees_no_call(loan, organisation, texts, text):
    """A time alone does, with polite words; else a person answers."""
    await texts("Can you call me at 6pm tomorrow?")
    await texts(text)
    calls = [
        promise
        for promise in (await organisation.reload(loan)).promises
        if promise.kind == PromiseKind.CALL
    ]
    assert [call.is_told for call in calls] == [False]


@pytest.mark.parametrize(
    "wish", ["call me, I'm busy after 3", "Please call me, I waited from 2 to 4 yesterday"]
)
async def test_call_is_not_promised_when_the_customer_is_not_free(
    loan, organisation, texts, said, wish
):
    await texts(wish)
    [promise] = (await organisation.reload(loan)).promises
    assert (promise.kind, promise.not_before_at) == (PromiseKind.CALL, None)
    assert "after 3" not in (await said(loan))[-1]


async def test_question_about_our_number_is_no_wish_for_a_call(loan, organisation, texts):
    await texts("ok thanks Tess, what number will you call from?")
    promises = (await organisation.reload(loan)).promises
    assert [promise.kind for promise in promises] == [PromiseKind.ANSWER]


async def test_window_is_read_in_the_zone_of_the_customer(loan, organisation, texts, said):
    """2 to 4 in Los Angeles is 5 to 7 in New York, where the desk closes at 5:30."""
    other = replace(MARTIN, phone="+14155550199", email=None, timezone="America/Los_Angeles")
    theirs = await organisation.open("loan", other, by=SYSTEM_ACTOR)
    await texts("call me tomorrow between 2 and 4", sender="+14155550199")
    [promise] = (await organisation.reload(theirs)).promises
    assert (promise.not_before_at, promise.due_at) == ((at(4, 17), at(4, 17, 30)))
    assert "between 2 and 2:30 pm on Wed 4 Jun" in (await said(theirs))[-1]


@pytest.mark.parametrize(
    ("locale", "wish", "reply"),
    [
        (
            "es-US",
            "Ll\u00e1meme ma\u00f1ana despu\u00e9s de las 5",
            "Loan Desk le llama el mi\u00e9 4 jun desde las 17:00.",
        ),
        ("ar", "call me tomorrow after 5", "\u0633\u064a\u062a\u0635\u0644 \u0628\u0643 Loan Desk"),
    ],
)
async def test_window_is_worded_in_the_language_of_the_customer(
    loan, organisation, texts, said, locale, wish, reply
):
    other = replace(MARTIN, phone="+14155550199", email=None, locale=locale)
    theirs = await organisation.open("loan", other, by=SYSTEM_ACTOR)
    await texts(wish, sender="+14155550199")
    assert reply in (await said(theirs))[-1]
