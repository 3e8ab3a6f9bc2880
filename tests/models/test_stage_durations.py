"""Dates that we believe in: measured from what was done lately, and doubted where they are early."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.models import KEPT, WHOLE, Pace, StageRun
from portal.operations import advance, hold, resume, tell_delay, tell_in_time
from portal.queries.stage_durations import load_paces, measure_paces
from tests.support.desk_client import read
from tests.support.factories import House
from workers.measure_durations import Measurer

pytestmark = pytest.mark.either_database

START = datetime(2025, 6, 3, 14, tzinfo=UTC)  # Tuesday, 10:00 in New York: the clock's fixture
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

SHORT = """
key = "short"
name = "Certificate"
timezone = "America/New_York"
[departments.hall]
name = "Town Hall"
hours = "Mon-Fri 09:00-17:00"
[[stages]]
key = "write"
department = "hall"
title = "We write it"
expected = "4bh"
grace = "2bh"
[[stages]]
key = "post"
department = "telesales"
title = "It is in the post"
expected = "4h"
"""


async def believe(house: House, workflow: str, stage: str, half: timedelta, most: timedelta):
    """So it has been measured."""
    async with house.database.transaction() as session:
        await session.merge(
            Pace(
                workflow_key=workflow, stage_key=stage, half_seconds=int(half.total_seconds()),
                most_seconds=int(most.total_seconds()), measured=20, measured_at=START,
            )
        )  # fmt: skip


async def first_run(house: House, workflow: str = "card", **order) -> StageRun:
    """The first stage of a request that is opened now."""
    return (await house.open(workflow, by=KEPT, **order)).open_runs[0]


async def test_what_a_stage_took_is_the_time_that_counts(clock, house):
    """Held over an hour of work and through a night: three open hours are what it took."""
    await house.load(SHORT)
    clock.move_to(datetime(2025, 6, 3, 18, tzinfo=UTC))  # 14:00
    opened = await house.open("short", by=KEPT)
    clock.shift(2 * HOUR)
    await house.do(hold, opened, reason="Wait.", by=KEPT)
    clock.move_to(datetime(2025, 6, 4, 13, tzinfo=UTC))  # 09:00, an open hour later
    await house.do(resume, opened, by=KEPT)
    clock.shift(HOUR)
    done = await house.do(advance, opened, by=KEPT)
    assert done.runs[0].took_seconds == 3 * 3600


async def test_half_and_four_in_five_are_measured_from_twenty_on(clock, house):
    """Nineteen say nothing. Of twenty, done after 1 to 20 minutes: 10 and 16."""
    await house.load(SHORT)
    for minutes in range(1, 21):
        if minutes == 20:
            async with house.database.transaction() as session:
                assert await measure_paces(session, datetime.now(UTC)) == 0
        opened = await house.open("short", by=KEPT)
        clock.shift(timedelta(minutes=minutes))
        await house.do(advance, opened, by=KEPT)
        await house.do(advance, opened, by=KEPT)
        clock.move_to(START)
    await Measurer(house.database).once()
    async with house.database.reading() as session:
        paces = await load_paces(session, "short")
    write, whole = paces.of("write"), paces.of(WHOLE)
    assert (write.half, write.most) == (timedelta(minutes=10), timedelta(minutes=16))
    assert (whole.half, whole.most) == (timedelta(minutes=10), timedelta(minutes=16))
    assert write.measured == 20
    assert paces.of("post").most == timedelta()


async def test_it_is_measured_every_ten_minutes_by_one_worker(clock, house):
    await believe(house, "card", "received", HOUR, HOUR)
    first, second = Measurer(house.database), Measurer(house.database)
    await first.once()
    clock.shift(timedelta(minutes=11))
    await second.once()  # Nothing is done yet, so nothing is measured, and nothing breaks.
    async with house.database.reading() as session:
        assert (await load_paces(session, "card")).of("received").measured_at == START


async def test_the_date_is_the_later_of_what_was_expected_and_what_four_in_five_take(clock, house):
    """The department is late by its own expectation all the same."""
    before = await first_run(house)
    assert (before.due_at, before.usual_at) == (START + 4 * HOUR, None)
    await believe(house, "card", "received", 5 * HOUR, 9 * HOUR)
    run = await first_run(house)
    assert (run.due_at, run.late_at) == (START + 9 * HOUR, START + 6 * HOUR)
    assert (run.usual_at, run.outer_at) == (START + 5 * HOUR, START + 9 * HOUR)
    await believe(house, "card", "received", HOUR, 2 * HOUR)
    assert (await first_run(house)).due_at == START + 4 * HOUR


async def test_measured_hours_are_open_hours(clock, house):
    """Ten hours from Tuesday 10:00: seven today, three tomorrow."""
    await house.load(SHORT)
    await believe(house, "short", "write", 4 * HOUR, 10 * HOUR)
    run = await first_run(house, "short")
    assert run.due_at == datetime(2025, 6, 4, 16, tzinfo=UTC)


async def test_a_request_is_old_past_twice_what_its_like_take(clock, house):
    """Unmeasured, past three times what the longest way is expected to take: nine days of card."""
    opened = await house.open(by=KEPT)
    assert opened.ages_at == START + 3 * (8 * DAY + 4 * HOUR)
    await believe(house, "card", WHOLE, 2 * DAY, 5 * DAY)
    assert (await house.open(by=KEPT)).ages_at == START + 10 * DAY


async def test_the_customer_reads_by_when_it_is_usual(clock, house, client):
    await believe(house, "card", "received", DAY, 2 * DAY)
    opened = await house.open(by=KEPT)
    url = f"/r/{opened.live_link.token}"
    assert "Usually by tomorrow , at the latest by Thu 5 Jun" in read((await client.get(url)).text)
    clock.shift(DAY)
    assert "Usually" not in (await client.get(url)).text


async def test_the_desk_warns_where_a_date_is_unlikely(clock, house, desks):
    """Beside the field before, and above it after it was given all the same."""
    await believe(house, "card", "received", DAY, 2 * DAY)
    opened = await house.open(by=house.people.tess.actor)
    tess = await desks("tess")
    page = read(await tess.page(opened))
    assert "Half are done by tomorrow, four in five by Thu 5 Jun." in page
    assert "only few of its like" not in page
    answer = await tess.press(
        opened, "delay", stage="received", expected_by="2025-06-03T18:00", reason="Soon"
    )
    page = read((await tess.get(answer.headers["location"])).text)
    assert "The new date stands." in page
    assert "By 6 pm only few of its like are done. Half are done by tomorrow" in page


async def test_the_desk_asks_before_a_date_and_has_the_answer_ready(clock, house, martins, desks):
    """Due at 2 pm in New York; from an hour before on it is asked. A bad date changes nothing."""
    tess = await desks("tess")
    assert "Due soon" not in await tess.page(martins)
    clock.shift(3 * HOUR)
    page = await tess.page(martins)
    assert "Due soon: will it be done by 2 pm?" in read(page)
    assert 'value="2025-06-03T16:00"' in page
    assert "Telesales needs more time." in page
    refused = await tess.press(
        martins, "delay", stage="received", expected_by="2020-01-01T10:00", reason="Ill."
    )
    assert refused.status_code == 422
    assert "The new date has passed already." in refused.text
    assert "Ill." in refused.text
    assert (await house.see(martins)).open_runs[0].due_at == START + 4 * HOUR
    done = await tess.press(
        martins, "delay", stage="received", expected_by="2025-06-04T11:00", reason="Ill today"
    )
    assert done.status_code == 303
    told = (await house.told(martins))[-1].body
    assert "now by tomorrow. Ill today. http" in told


async def test_the_api_gives_a_date_and_warns(clock, house, api):
    await believe(house, "card", "received", DAY, 2 * DAY)
    opened = await house.open(by=KEPT)
    path = f"/requests/{opened.reference}/delay"
    answer = await api.post(path, json={"expected_by": "2025-06-03T20:00:00Z", "reason": "Soon."})
    assert answer.status_code == 200
    stage = answer.json()["stages"][0]
    assert stage["due_at"] == "2025-06-03T20:00:00Z"
    assert "Half are done by 2025-06-04T14:00Z." in answer.json()["warning"]
    later = {"expected_by": "2025-06-06T20:00:00Z", "reason": "Later."}
    assert (await api.post(path, json=later)).json()["warning"] == ""
    late = await api.post(path, json={"expected_by": "2025-06-01T20:00:00Z", "reason": "No."})
    assert late.status_code == 422


async def test_a_new_date_of_our_own_is_the_measured_one_where_that_is_still_to_come(clock, house):
    """Staff said four o'clock; four in five take until noon tomorrow, so that is what is told."""
    await believe(house, "card", "received", DAY, DAY + 2 * HOUR)
    opened = await house.open(by=KEPT)
    soon = await house.do(tell_delay, opened, expected_by=START + 6 * HOUR, reason="Soon.", by=KEPT)
    assert soon.open_runs[0].is_unlikely
    clock.move_to(START + 6 * HOUR - timedelta(minutes=1))
    told = await house.do(tell_in_time, opened, by=KEPT)
    assert told.open_runs[0].due_at == START + DAY + 2 * HOUR
