"""Events of third parties: recorded once, followed by the stage, shown to the customer."""

from dataclasses import replace
from datetime import timedelta

import pytest

from portal.models import SYSTEM_ACTOR, DroppedBallKind, EventKind, MessageKind, RequestStatus
from portal.operations import hold, run_due_follow_ups
from tests.support.desk_client import visible_text
from tests.support.factories import MARTIN

pytestmark = pytest.mark.either_database

OUT = {
    "carrier": "dhl-express", "number": "JD 014", "code": "out_for_delivery",
    "description": "Shipment is out with the courier", "place": "Newark",
    "time": "2025-06-03T13:05:00Z",
}  # fmt: skip


async def page_of(client, request):
    return (await client.get(f"/r/{request.live_link.token}")).text


def headline_of(page):
    return visible_text(page.split('tabindex="-1">')[1].split("</h1>")[0]).strip()


async def third_party_events(organisation, request):
    return [
        event for event in await organisation.events(request)
        if event.kind == EventKind.THIRD_PARTY_UPDATED
    ]  # fmt: skip


async def test_headline_carries_the_last_report_and_their_words_stand_below(client, report, parcel):
    answer = await report(**OUT)
    assert answer.status_code == 200, answer.text
    stage = answer.json()["stages"][0]
    assert (stage["third_party"], stage["tracking_number"]) == ("DHL", "JD 014")
    assert stage["third_party_code"] == "out_for_delivery"
    page = await page_of(client, parcel)
    assert headline_of(page) == "Out for delivery, Newark 9:05 am"
    assert "DHL: Shipment is out with the courier today, 9:05 am" in visible_text(page)
    title = page.split("<title>")[1].split("</title>")[0]
    assert title.startswith("Out for delivery ·"), "a preview names no place"


@pytest.mark.parametrize(
    ("locale", "words"), [("es", "En reparto, Newark"), ("ar", "خرج للتسليم، Newark")]
)
async def test_headline_is_in_the_language_of_the_customer(
    clock, client, api, organisation, parcel, locale, words
):
    request = await organisation.open(
        "parcel", replace(MARTIN, locale=locale, email=None, phone=None), by=SYSTEM_ACTOR
    )
    await api.post(f"/requests/{request.reference}/third-party-events", json=OUT)
    assert words in headline_of(await page_of(client, request))


async def test_repeated_event_is_recorded_once(organisation, report, parcel):
    first = await report(**OUT)
    again = await report(**OUT | {"number": "jd014", "carrier": "DHL"})
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json()["page_version"] == first.json()["page_version"]
    assert len(await third_party_events(organisation, parcel)) == 1


async def test_event_id_says_what_is_the_same_event(organisation, report, parcel):
    await report(**OUT, event_id="e1")
    await report(**OUT | {"time": "2025-06-03T13:06:00Z"}, event_id="e1")
    await report(**OUT, event_id="e2")
    assert len(await third_party_events(organisation, parcel)) == 2


async def test_older_event_does_not_replace_a_newer_one(client, organisation, report, parcel):
    await report(**OUT)
    late = {"code": "in_transit", "place": "Leipzig", "time": "2025-06-02T20:00:00Z"}
    answer = await report(**late, estimated_date="2025-06-20")
    assert answer.json()["stages"][0]["third_party_code"] == "out_for_delivery"
    run = (await organisation.reload(parcel)).open_runs[0]
    assert run.due_at == parcel.open_runs[0].due_at
    assert "Leipzig" not in await page_of(client, parcel)


async def test_later_date_of_theirs_is_followed_and_announced_with_who_says_so(
    client, organisation, report, parcel
):
    before = len(await organisation.outbound_messages(parcel))
    answer = await report(**OUT, estimated_date="2025-06-09")
    assert answer.json()["stages"][0]["due_at"] == "2025-06-10T00:00:00Z", "8 pm in New York"
    message = (await organisation.outbound_messages(parcel))[before]
    assert message.kind == MessageKind.DELAY
    assert "DHL says that it takes longer." in message.body
    assert "Mon 9 Jun" in message.body
    page = visible_text(await page_of(client, parcel))
    assert "Mon 9 Jun" in page
    assert "DHL says that it takes longer." in page
    await report(**OUT | {"time": "2025-06-03T13:30:00Z"}, estimated_date="2025-06-09T16:00:00Z")
    assert len(await organisation.outbound_messages(parcel)) == before + 1, "the same day"


async def test_date_that_moves_to_and_fro_is_announced_once(clock, organisation, report, parcel):
    days = ["2025-06-06", "2025-06-05", "2025-06-06", "2025-06-04", "2025-06-06"]
    for minute, day in enumerate(days):
        time = f"2025-06-03T13:{minute:02}:00Z"
        answer = await report(code="in_transit", number="JD1", time=time, estimated_date=day)
        assert answer.status_code == 200
    delays = [
        message for message in await organisation.outbound_messages(parcel)
        if message.kind == MessageKind.DELAY
    ]  # fmt: skip
    assert len(delays) == 1
    [run] = (await organisation.reload(parcel)).open_runs
    assert run.due_at.isoformat() == "2025-06-07T00:00:00+00:00"


async def test_earlier_date_of_theirs_is_shown_without_a_text(client, organisation, report, parcel):
    before = len(await organisation.outbound_messages(parcel))
    answer = await report(**OUT | {"code": "in_transit"}, estimated_date="2025-06-04")
    assert answer.json()["stages"][0]["due_at"] == "2025-06-05T00:00:00Z"
    assert len(await organisation.outbound_messages(parcel)) == before
    assert "by tomorrow" in visible_text(await page_of(client, parcel))


@pytest.mark.parametrize("code", ["attempted", "exception", "returning"])
async def test_problem_of_theirs_is_a_dropped_ball_with_an_owner(
    clock, client, open_balls, report, parcel, code
):
    await report(number="JD014", code=code, description="Address not found")
    [ball] = await open_balls(DroppedBallKind.THIRD_PARTY_PROBLEM)
    assert (ball.owner_id, ball.request_id) == (parcel.open_runs[0].assignee_id, parcel.id)
    assert "number JD014" in ball.detail
    assert "Courier Desk is looking into it." in visible_text(await page_of(client, parcel))
    clock.shift(timedelta(minutes=1))
    await report(number="JD014", code="out_for_delivery")
    still = await open_balls(DroppedBallKind.THIRD_PARTY_PROBLEM)
    assert bool(still) == (code == "returning"), "a scan on the way back is no good news"


async def test_parcel_that_comes_back_to_us_is_not_delivered(clock, open_balls, report, parcel):
    await report(number="JD014", code="returning")
    clock.shift(timedelta(days=1))
    answer = await report(number="JD014", code="delivered")
    assert answer.json()["open_stages"] == ["sent"]
    assert await open_balls(DroppedBallKind.THIRD_PARTY_PROBLEM)
    answer = await report(number="JD015", code="delivered")
    assert answer.json()["open_stages"] == [], "the next parcel is"


async def test_delivered_completes_the_wait_and_asks_the_question_once(
    organisation, report, parcel
):
    answer = await report(number="JD014", code="delivered", time="2025-06-03T13:00:00Z")
    assert answer.json()["status"] == RequestStatus.AWAITING_CONFIRMATION
    again = await report(number="JD014", code="delivered", time="2025-06-03T13:00:00Z")
    assert again.status_code == 200
    await organisation.run(run_due_follow_ups, parcel, by=SYSTEM_ACTOR)
    asked = [
        message.body for message in await organisation.outbound_messages(parcel)
        if message.kind == MessageKind.FOLLOW_UP
    ]  # fmt: skip
    assert len(asked) == 1
    assert "Has your parcel arrived?" in asked[0]


async def test_delivered_counts_although_newer_words_came_first(organisation, report, parcel):
    await report(number="JD014", description="We called them", time="2025-06-03T13:40:00Z")
    answer = await report(number="JD014", code="delivered", time="2025-06-03T13:00:00Z")
    assert answer.json()["status"] == RequestStatus.AWAITING_CONFIRMATION


async def test_event_of_a_finished_stage_does_not_reopen_it(client, organisation, report, parcel):
    await report(number="JD014", code="delivered", time="2025-06-03T13:00:00Z")
    before = await organisation.reload(parcel)
    answer = await report(number="JD014", code="out_for_delivery", time="2025-06-03T12:00:00Z")
    assert answer.status_code == 200
    after = await organisation.reload(parcel)
    assert (after.status, after.open_runs) == (before.status, [])
    assert after.page_version == before.page_version
    assert (await third_party_events(organisation, parcel))[-1].visible is False


async def test_stage_that_staff_complete_stays_open_when_delivered(organisation, api, clock):
    text = """
    key = "kept"
    name = "Kept"
    departments.desk = { name = "Desk" }
    [[stages]]
    key = "sent"
    department = "desk"
    title = "Sent"
    expected = "2d"
    third_party = "UPS"
    delivered = "keep"
    """
    await organisation.load(text)
    request = await organisation.open("kept", by=SYSTEM_ACTOR)
    answer = await api.post(
        f"/requests/{request.reference}/third-party-events", json={"code": "delivered"}
    )
    assert answer.json()["open_stages"] == ["sent"]


async def test_silence_is_a_dropped_ball_until_the_next_event(
    clock, open_balls, organisation, report, parcel
):
    await report(**OUT)
    clock.shift(timedelta(days=3))
    await report(code="in_transit", time="2025-06-03T13:30:00Z")
    assert await open_balls(DroppedBallKind.THIRD_PARTY_SILENT)
    await report(code="in_transit")
    assert not await open_balls(DroppedBallKind.THIRD_PARTY_SILENT)


async def test_headline_is_that_of_the_hold_while_staff_hold_it(
    client, organisation, report, parcel
):
    await report(**OUT)
    await organisation.run(hold, parcel, reason="You asked us to wait.", by=SYSTEM_ACTOR)
    page = await page_of(client, parcel)
    assert "On hold for now" in headline_of(page)
    assert "Out for delivery, Newark: Shipment is out" in visible_text(page)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "code"),
        ({"code": "teleported"}, "code"),
        ({"description": "x" * 161}, "description"),
        ({"code": "in_transit", "place": "x" * 81}, "place"),
        ({"code": "in_transit", "number": "x" * 65}, "number"),
        ({"code": "in_transit", "number": "---"}, "number"),
        ({"code": "in_transit", "carrier": "x" * 81}, "carrier"),
        ({"code": "in_transit", "time": "yesterday"}, "time"),
        ({"code": "in_transit", "time": "2025-06-03T15:00:00Z"}, "time"),
        ({"code": "in_transit", "time": "2021-06-03T15:00:00Z"}, "time"),
        ({"code": "in_transit", "estimated_date": "soon"}, "estimated_date"),
        ({"code": "in_transit", "estimated_date": "2026-06-03"}, "estimated_date"),
        ({"code": "in_transit", "estimated_date": "9999-12-31"}, "estimated_date"),
        ({"code": "in_transit", "stage": "nowhere"}, "stage"),
        ({"code": "in_transit", "event_id": ""}, "event_id"),
    ],
)
async def test_impossible_event_is_refused_with_its_field_and_changes_nothing(
    organisation, report, parcel, body, field
):
    answer = await report(**body)
    assert answer.status_code == 422, answer.text
    assert field in answer.text
    assert not await third_party_events(organisation, parcel)


async def test_desk_records_an_event_with_code_place_and_date(
    desk_clients, organisation, client, parcel
):
    desk = await desk_clients("mona")
    form = {
        "code": "attempted", "event": "Nobody was in", "place": "Newark",
        "tracking_number": "JD014", "estimated_date": "2025-06-10",
    }  # fmt: skip
    answer = await desk.submit(parcel, "third-party", **form)
    assert answer.status_code == 303, answer.text
    text = visible_text(await desk.page(parcel))
    assert "A delivery was tried, Newark: Nobody was in" in text
    assert "Third party reports a problem" in text
    [run] = (await organisation.reload(parcel)).open_runs
    assert run.due_at.isoformat() == "2025-06-11T00:00:00+00:00"
    assert "A delivery was tried, Newark" in visible_text(await page_of(client, parcel))


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({}, "say what they report"),
        ({"code": "teleported"}, "from the list"),
        ({"code": "in_transit", "estimated_date": "soon"}, "as a date"),
    ],
)
async def test_desk_refuses_what_it_cannot_use_and_keeps_what_was_typed(
    desk_clients, organisation, parcel, form, why
):
    desk = await desk_clients("mona")
    answer = await desk.submit(parcel, "third-party", place="Newark", **form)
    assert answer.status_code == 422
    assert why in answer.text
    assert 'value="Newark"' in answer.text
    assert not await third_party_events(organisation, parcel)
