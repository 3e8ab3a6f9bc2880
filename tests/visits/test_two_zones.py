"""Hours that a customer in another zone reads: those that staff write, and those of a visit."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from portal.messaging.sms.segments import count_segments
from portal.models import SYSTEM_ACTOR
from tests.support.factories import MARTIN, ORIGIN
from tests.tracking.page_requests import link, read
from tests.visits.conftest import OTHER

pytestmark = pytest.mark.either_database


@pytest.fixture
async def theirs(loan, organisation):
    """A customer in Los Angeles, three hours behind the desk in New York."""
    far = replace(MARTIN, phone="+14155550199", email=None, timezone="America/Los_Angeles")
    return await organisation.open("loan", far, by=SYSTEM_ACTOR)


async def test_hour_is_followed_by_the_customers_own(theirs, api, client, organisation):
    """In the text, and on the page "at" stays "at"."""
    answer = await api.post(
        f"/requests/{theirs.reference}/messages", json={"body": "I'll call you tomorrow at 3 pm."}
    )
    assert answer.status_code == 201
    assert "I'll call you tomorrow at 3 pm (noon your time)." in answer.json()["body"]
    [promise] = (await organisation.reload(theirs)).promises
    assert promise.due_at == promise.not_before_at == datetime(2025, 6, 4, 19, tzinfo=UTC)
    text = read(await client.get(link(theirs)))
    assert "I'll call you at noon on Wed 4 Jun." in text
    assert "by tomorrow" not in text


@pytest.mark.parametrize(
    ("body", "read"),
    [
        (
            "I'll call you tomorrow between 2 and 4 pm.",
            "between 2 and 4 pm (11 am-1 pm your time).",
        ),
        ("I'll call you tomorrow, 2 pm to 4 pm.", "2 pm to 4 pm (11 am-1 pm your time)."),
        ("We call noon-4 pm on Friday.", "noon-4 pm on Friday (9 am-1 pm your time)."),
        ("We call from 3 to 5 pm tomorrow.", "from 3 to 5 pm tomorrow (noon-2 pm your time)."),
        ("I'll call you tomorrow 10:30-noon.", "tomorrow 10:30-noon (7:30-9 am your time)."),
    ],
)
async def test_both_ends_of_a_range_are_given(theirs, api, body, read):
    answer = await api.post(f"/requests/{theirs.reference}/messages", json={"body": body})
    assert read in answer.json()["body"]
    assert answer.json()["body"].count("your time") == 1


async def test_text_as_long_as_may_be_stays_as_it_is_written(theirs, api):
    """The hour of the customer would make it longer than a text may be."""
    body = f"I'll call you tomorrow at 3 pm. {'Thank you. ' * 142}".strip()
    assert 1_590 < len(body) <= 1_600
    answer = await api.post(f"/requests/{theirs.reference}/messages", json={"body": body})
    assert answer.status_code == 201
    assert body in answer.json()["body"]
    assert len(answer.json()["body"]) <= 1_600


@pytest.mark.parametrize(
    "body",
    [
        "I'll call you tomorrow at 3 pm your time.",
        "I'll call you tomorrow at 3 pm (noon for you).",
        "I'll call you within 2 hours.",
        "I'll call you by Friday.",
        "The fee is 3 dollars.",
        "2 and 4 pm suit us.",
    ],
)
async def test_other_text_stays_as_it_is_written(theirs, api, body):
    answer = await api.post(f"/requests/{theirs.reference}/messages", json={"body": body})
    assert body in answer.json()["body"]


async def test_customer_in_the_same_zone_reads_one_hour(loan, api):
    answer = await api.post(
        f"/requests/{loan.reference}/messages", json={"body": "I'll call you tomorrow at 3 pm."}
    )
    assert "your time" not in answer.json()["body"]


@pytest.fixture
async def far_visit(asked):
    """A customer with a number from Los Angeles, whose engineers are in New York."""
    return await asked(replace(OTHER, timezone="America/Los_Angeles"))


async def test_visit_is_offered_and_booked_by_text_in_hours_of_its_place(
    far_visit, texts, said, booked
):
    """Not at 7 in the morning, and the zone is named; a reply names an hour of the place too."""
    assert (
        "1) Wed 4 Jun, 10 am-noon 2) noon-2 pm 3) 2-4 pm (New York time) Reply"
        in (await said(far_visit))[-1]
    )
    await texts("Thursday at 10", sender=OTHER.phone)
    assert (await booked(far_visit)).answer_at == datetime(2025, 6, 5, 14, tzinfo=UTC)
    text = (await said(far_visit))[-1]
    assert "Booked, Gwen: Thu 5 Jun, 10 am-noon (New York time)." in text
    assert count_segments(text).segments == 1


async def test_visit_is_booked_and_moved_on_the_page_in_hours_of_its_place(
    far_visit, client, booked
):
    from_page = {"Origin": ORIGIN}
    page = await client.get(link(far_visit))
    assert "A day and a time that suit you (New York time)" in page.text
    assert '<option value="2025-06-04T10:00">Wed 4 Jun, 10 am-noon</option>' in page.text
    answer = {"follow_up": str(far_visit.open_question.id), "answer": "yes"}
    await client.post(
        f"{link(far_visit)}/answers", data=answer | {"at": "2025-06-04T10:00"}, headers=from_page
    )
    assert (await booked(far_visit)).answer_at == datetime(2025, 6, 4, 14, tzinfo=UTC)
    assert "Wed 4 Jun, 10 am-noon (New York time)" in read(await client.get(link(far_visit)))
    page = await client.get(f"{link(far_visit)}/visit")
    assert "Wed 4 Jun, 10 am-noon (New York time)" in read(page)
    await client.post(
        f"{link(far_visit)}/visit", data={"do": "book", "at": "2025-06-05T14:00"}, headers=from_page
    )
    assert (await booked(far_visit)).answer_at == datetime(2025, 6, 5, 18, tzinfo=UTC)


async def test_zone_of_a_visit_is_named_in_each_language(asked, said):
    luisa = await asked(replace(OTHER, locale="es-US", timezone="America/Los_Angeles"))
    assert "(hora de Nueva York)" in (await said(luisa))[-1]


@pytest.mark.parametrize(
    "words",
    ["ok thurs 4 it is, thx", "can he come thurs after 4? \U0001f64f", "thurs 4 then, see you"],
)
async def test_window_of_the_place_is_booked_while_a_question_of_theirs_is_open(
    far_visit, texts, said, booked, words
):
    """Never the bare hour on the customer's own clock, which is a closed one at the place."""
    await texts("what does he bring with him?", sender=OTHER.phone)
    before = len(await said(far_visit))
    await texts(words, sender=OTHER.phone)
    assert (await booked(far_visit)).answer_at == datetime(2025, 6, 5, 20, tzinfo=UTC)
    assert "Booked, Gwen: Thu 5 Jun, 4-6 pm (New York time)." in (await said(far_visit))[before]
