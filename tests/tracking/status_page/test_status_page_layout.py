"""How the status page is laid out: what is folded, grouped and said once."""

import re
from dataclasses import replace
from datetime import timedelta

from portal.tracking.status_page.appointment_view import Appointment
from portal.tracking.status_page.promises_view import PromiseLine
from tests.support.status_page.card_page import (
    APPROVED,
    ARRIVED,
    ASKED,
    HEARD,
    MADE,
    MARTIN,
    NOW,
    RECEIVED,
    SENT,
    STAFF_REPLY,
    html,
)
from tests.support.status_page.states import STATES


def test_finished_steps_are_folded_into_one_line() -> None:
    page = html(MARTIN)
    fold = re.search(r'<details class="fold timeline">(.*?)</details>', page, re.DOTALL)
    assert fold
    assert re.search(r"<summary[^>]*>.*2 steps done</summary>", fold[1])
    assert [key for key in ("received", "approved", "made") if f"step-{key}" in fold[1]] == [
        "received",
        "approved",
    ]
    assert MADE.title in page.replace(fold[0], "")


def test_a_single_finished_step_is_not_folded() -> None:
    page = html(replace(MARTIN, step_groups=((RECEIVED,), (MADE,), (SENT,))))
    assert '<details class="fold' not in page


def test_a_completed_request_shows_every_step() -> None:
    page = html(STATES["done"])
    assert '<details class="fold' not in page
    assert page.count('id="step-') == 5


def test_steps_that_an_end_made_unnecessary_are_folded() -> None:
    page = html(STATES["cancelled"])
    assert "2 steps done</summary>" in page
    assert "2 steps not needed</summary>" in page
    assert page.index("2 steps done") < page.index(MADE.title) < page.index("2 steps not needed")


def test_parallel_steps_count_one_by_one_in_a_fold() -> None:
    fork = (APPROVED, replace(APPROVED, key="checked"))
    page = html(replace(MARTIN, step_groups=((RECEIVED,), fork, (MADE,), (ARRIVED,))))
    assert "3 steps done</summary>" in page


def test_answers_are_a_group_named_by_their_question() -> None:
    asked, arrived = html(STATES["a question"]), html(STATES["did it arrive"])
    assert '<div role="group" aria-labelledby="question">' in asked
    assert '<p id="question"' in asked
    assert '<div role="group" aria-labelledby="headline">' in arrived
    assert '<h1 id="headline"' in arrived


def test_an_acknowledgement_is_a_small_line_without_a_time() -> None:
    page = html(replace(MARTIN, conversation=(ASKED, HEARD)))
    line = re.search(r'<li id="m-2" class="ack">(.*?)</li>', page, re.DOTALL)
    assert line
    assert "<time" not in line[1]
    assert "<small>" not in line[1]


def test_author_way_and_time_stand_where_they_change() -> None:
    """The way once a day; of several messages in a row the last says who wrote them and when."""
    second = replace(STAFF_REPLY, key="4", body="It is sent.", at=NOW - 0.45 * timedelta(hours=1))
    mine = replace(ASKED, key="5", body="Thank you", at=NOW - timedelta(minutes=5))
    page = html(replace(MARTIN, conversation=(ASKED, STAFF_REPLY, second, mine)))
    stamps = re.findall(r"<small>([^<·]+) · ", page)
    assert stamps == ["You, by text", "Pia", "You"]
    yesterday = replace(ASKED, key="0", at=NOW - timedelta(days=1))
    page = html(replace(MARTIN, conversation=(yesterday, ASKED)))
    assert re.findall(r"<small>([^<·]+) · ", page) == ["You, by text", "You, by text"]


def test_the_foot_says_what_is_never_asked_and_where_texts_come_from() -> None:
    page = html(MARTIN)
    foot = page[page.index("<footer") :]
    assert "We never ask for card details or passwords here." in foot
    assert '<bdi dir="ltr">+15550100100</bdi>' in foot
    assert "Our texts come from" not in html(replace(MARTIN, text_number=None))


def test_a_preview_of_the_link_names_the_brand_and_no_state() -> None:
    previews = {
        re.search(r'og:title" content="([^"]*)"', html(page))[1] for page in STATES.values()
    }  # type: ignore[index]
    assert previews == {"Follow your request · Acme Bank", "Follow your request · City of Elm"}


def test_a_refusal_is_in_the_title() -> None:
    page = html(replace(MARTIN, refusal="Please write something first."))
    assert "<title>Error: Your card is being made" in page


def test_what_nobody_confirmed_is_closed_for_now() -> None:
    page = html(STATES["never confirmed"])
    assert "Closed for now, Martin" in page
    assert "All done" not in page


def test_visit_stands_between_the_headline_and_who_has_the_request() -> None:
    for state in ("a visit", "a visit in a window"):
        page = html(STATES[state])
        visit = page.index('id="appointment-1"')
        assert page.index("</h1>") < visit < page.index('<p class="who">') < page.index('id="way"')


def test_call_has_its_calendar_file_below_its_promise() -> None:
    call = Appointment("call-1", "", NOW + timedelta(hours=3), is_call=True)
    promise = PromiseLine("1", "I will call you", call.at, owner="Pia")
    page = html(replace(MARTIN, appointments=(call,), promises=(promise,)))
    assert page.index("I will call you") < page.index("/appointment.ics")
    assert 'class="next visit"' not in page
