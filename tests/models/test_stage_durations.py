"""Expected dates from measured durations, and warnings about unlikely dates."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.models import SYSTEM_ACTOR, WHOLE_REQUEST, StageDuration, StageRun
from portal.operations import advance, announce_delay, hold, resume, send_due_updates
from portal.queries.stage_durations import load_stage_durations, measure_stage_durations
from tests.support.desk_client import visible_text
from tests.support.factories import Organisation
from workers.measure_durations import DurationMeasurer

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


async def believe(
    organisation: Organisation, workflow: str, stage: str, half: timedelta, most: timedelta
):
    """So it has been measured."""
    async with organisation.database.transaction() as session:
        await session.merge(
            StageDuration(
                workflow_key=workflow, stage_key=stage, p50_seconds=int(half.total_seconds()),
                p80_seconds=int(most.total_seconds()), sample_count=20, measured_at=START,
            )
        )  # fmt: skip


async def first_run(organisation: Organisation, workflow: str = "card", **order) -> StageRun:
    """The first stage of a request that is opened now."""
    return (await organisation.open(workflow, by=SYSTEM_ACTOR, **order)).open_runs[0]


async def test_duration_counts_working_time(clock, organisation):
    """Held over an hour of work and through a night: three open hours are what it took."""
    await organisation.load(SHORT)
    clock.move_to(datetime(2025, 6, 3, 18, tzinfo=UTC))  # 14:00
    opened = await organisation.open("short", by=SYSTEM_ACTOR)
    clock.shift(2 * HOUR)
    await organisation.run(hold, opened, reason="Wait.", by=SYSTEM_ACTOR)
    clock.move_to(datetime(2025, 6, 4, 13, tzinfo=UTC))  # 09:00, an open hour later
    await organisation.run(resume, opened, by=SYSTEM_ACTOR)
    clock.shift(HOUR)
    done = await organisation.run(advance, opened, by=SYSTEM_ACTOR)
    assert done.runs[0].duration_seconds == 3 * 3600


async def test_p50_and_p80_need_twenty_samples(clock, organisation):
    """Nineteen say nothing. Of twenty, done after 1 to 20 minutes: 10 and 16."""
    await organisation.load(SHORT)
    for minutes in range(1, 21):
        if minutes == 20:
            async with organisation.database.transaction() as session:
                assert await measure_stage_durations(session, datetime.now(UTC)) == 0
        opened = await organisation.open("short", by=SYSTEM_ACTOR)
        clock.shift(timedelta(minutes=minutes))
        await organisation.run(advance, opened, by=SYSTEM_ACTOR)
        await organisation.run(advance, opened, by=SYSTEM_ACTOR)
        clock.move_to(START)
    await DurationMeasurer(organisation.database).once()
    async with organisation.database.reading() as session:
        stage_durations = await load_stage_durations(session, "short")
    write, whole = stage_durations.of("write"), stage_durations.of(WHOLE_REQUEST)
    assert (write.p50, write.p80) == (timedelta(minutes=10), timedelta(minutes=16))
    assert (whole.p50, whole.p80) == (timedelta(minutes=10), timedelta(minutes=16))
    assert write.sample_count == 20
    assert stage_durations.of("post").p80 == timedelta()


async def test_durations_are_measured_every_ten_minutes_by_one_worker(clock, organisation):
    await believe(organisation, "card", "received", HOUR, HOUR)
    first, second = DurationMeasurer(organisation.database), DurationMeasurer(organisation.database)
    await first.once()
    clock.shift(timedelta(minutes=11))
    await second.once()  # Nothing is done yet, so nothing is measured, and nothing breaks.
    async with organisation.database.reading() as session:
        assert (await load_stage_durations(session, "card")).of("received").measured_at == START


async def test_expected_date_is_later_of_configured_and_p80(clock, organisation):
    """The department is late by its own expectation all the same."""
    before = await first_run(organisation)
    assert (before.due_at, before.p50_at) == (START + 4 * HOUR, None)
    await believe(organisation, "card", "received", 5 * HOUR, 9 * HOUR)
    run = await first_run(organisation)
    assert (run.due_at, run.overdue_at) == (START + 9 * HOUR, START + 6 * HOUR)
    assert (run.p50_at, run.last_promised_at) == (START + 5 * HOUR, START + 9 * HOUR)
    await believe(organisation, "card", "received", HOUR, 2 * HOUR)
    assert (await first_run(organisation)).due_at == START + 4 * HOUR


async def test_measured_duration_adds_open_hours_only(clock, organisation):
    """Ten hours from Tuesday 10:00: seven today, three tomorrow."""
    await organisation.load(SHORT)
    await believe(organisation, "short", "write", 4 * HOUR, 10 * HOUR)
    run = await first_run(organisation, "short")
    assert run.due_at == datetime(2025, 6, 4, 16, tzinfo=UTC)


async def test_request_is_ageing_after_twice_the_usual_time(clock, organisation):
    """Unmeasured, past three times what the longest way is expected to take: nine days of card."""
    opened = await organisation.open(by=SYSTEM_ACTOR)
    assert opened.overdue_age_at == START + 3 * (8 * DAY + 4 * HOUR)
    await believe(organisation, "card", WHOLE_REQUEST, 2 * DAY, 5 * DAY)
    assert (await organisation.open(by=SYSTEM_ACTOR)).overdue_age_at == START + 10 * DAY


async def test_status_page_shows_the_usual_date(clock, organisation, client):
    await believe(organisation, "card", "received", DAY, 2 * DAY)
    opened = await organisation.open(by=SYSTEM_ACTOR)
    url = f"/r/{opened.live_link.token}"
    assert "Usually by Thu 12 Jun , at the latest by Fri 13 Jun ." in visible_text(
        (await client.get(url)).text
    )
    clock.shift(DAY)
    assert "Usually" not in (await client.get(url)).text


async def test_desk_warns_of_an_unlikely_date(clock, organisation, desk_clients):
    """Beside the field before, and above it after it was given all the same."""
    await believe(organisation, "card", "received", DAY, 2 * DAY)
    opened = await organisation.open(by=organisation.people.tess.actor)
    tess = await desk_clients("tess")
    page = visible_text(await tess.page(opened))
    assert "Half are done by tomorrow, four in five by Thu 5 Jun." in page
    assert "only few of its like" not in page
    answer = await tess.submit(
        opened, "delay", stage="received", expected_by="2025-06-03T18:00", reason="Soon"
    )
    page = visible_text((await tess.get(answer.headers["location"])).text)
    assert "Saved. The customer is notified of the new date" in page
    assert "By 6 pm only few of its like are done. Half are done by tomorrow" in page


async def test_desk_suggests_a_new_date_before_the_old_one_passes(
    clock, organisation, card_request, desk_clients
):
    """Due at 2 pm in New York; from an hour before on it is asked. A bad date changes nothing."""
    tess = await desk_clients("tess")
    assert "Due soon" not in await tess.page(card_request)
    clock.shift(3 * HOUR)
    page = await tess.page(card_request)
    assert "Due soon: will it be done by 2 pm?" in visible_text(page)
    assert 'value="2025-06-03T16:00"' in page
    assert "Telesales needs more time." in page
    refused = await tess.submit(
        card_request, "delay", stage="received", expected_by="2020-01-01T10:00", reason="Ill."
    )
    assert refused.status_code == 422
    assert "The new date has passed already." in refused.text
    assert "Ill." in refused.text
    assert (await organisation.reload(card_request)).open_runs[0].due_at == START + 4 * HOUR
    done = await tess.submit(
        card_request, "delay", stage="received", expected_by="2025-06-04T11:00", reason="Ill today"
    )
    assert done.status_code == 303
    told = (await organisation.outbound_messages(card_request))[-1].body
    assert "Sorry: now Wed 4 Jun, not Tue 3 Jun. Ill today. http" in told


async def test_api_returns_the_date_with_a_warning(clock, organisation, api):
    await believe(organisation, "card", "received", DAY, 2 * DAY)
    opened = await organisation.open(by=SYSTEM_ACTOR)
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


async def test_automatic_new_date_is_the_measured_one_if_still_ahead(clock, organisation):
    """Staff said four o'clock; four in five take until noon tomorrow, so that is what is told."""
    await believe(organisation, "card", "received", DAY, DAY + 2 * HOUR)
    opened = await organisation.open(by=SYSTEM_ACTOR)
    soon = await organisation.run(
        announce_delay, opened, expected_by=START + 6 * HOUR, reason="Soon.", by=SYSTEM_ACTOR
    )
    assert soon.open_runs[0].is_date_unlikely
    clock.move_to(START + 6 * HOUR - timedelta(minutes=1))
    told = await organisation.run(send_due_updates, opened, by=SYSTEM_ACTOR)
    assert told.open_runs[0].due_at == START + DAY + 2 * HOUR
