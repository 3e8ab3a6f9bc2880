"""A stage that somebody outside does: what they say is kept, shown, and missed when it stops."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.errors import BadInput
from portal.models import KEPT, EventKind
from portal.operations import hear_from_third_party, hold, resume
from portal.workflows import WorkflowFileError, read_workflow
from tests.support.desk_client import read

pytestmark = pytest.mark.either_database

PARCEL = """
key = "parcel"
name = "Parcel"

[departments.courier]
name = "Courier Desk"

[[stages]]
key = "sent"
department = "courier"
title = "Your parcel is on its way"
expected = "5d"
{more}

[[stages]]
key = "there"
department = "courier"
title = "Your parcel is there"
expected = "1d"
"""
BY_DHL = 'third_party = "DHL"\nsilent_after = "2d"'


@pytest.fixture
async def parcel(clock, house):
    """Martin's parcel, which DHL brings; nothing was heard of it yet."""
    await house.load(PARCEL.format(more=BY_DHL))
    return await house.open("parcel", by=KEPT)


async def test_from_the_moment_the_stage_is_reached_they_may_be_silent_for_so_long(parcel):
    [run] = parcel.open_runs
    assert run.third_party == "DHL"
    assert run.silent_at == run.reached_at + timedelta(days=2)
    assert run.heard_at is None


async def test_each_word_lets_the_silence_begin_anew(clock, house, parcel):
    clock.shift(timedelta(days=1))
    heard = await house.do(
        hear_from_third_party, parcel, words="Picked\nup", tracking_number="JD 014", by=KEPT
    )
    [run] = heard.open_runs
    assert (run.heard_at, run.tracking_number) == (june(4, 14), "JD 014")
    assert run.silent_at == run.heard_at + timedelta(days=2)
    event = (await house.events(heard))[-1]
    assert (event.kind, event.visible) == (EventKind.THIRD_PARTY_HEARD, True)
    assert event.data == {
        "from": "DHL", "words": "Picked up", "at": run.heard_at.isoformat(),
        "tracking_number": "JD 014",
    }  # fmt: skip
    assert heard.version == parcel.version, "a scan makes no colleague's click stale"


def june(day, hour):
    return datetime(2025, 6, day, hour, tzinfo=UTC)


async def test_words_that_came_late_do_not_take_the_place_of_newer_ones(
    clock, client, house, parcel
):
    clock.shift(timedelta(days=1))
    await house.do(hear_from_third_party, parcel, words="Out for delivery", by=KEPT)
    before = await house.do(
        hear_from_third_party, parcel, words="Picked up",
        at=june(3, 15), by=KEPT,
    )  # fmt: skip
    assert before.open_runs[0].heard_at == june(4, 14)
    page = (await client.get(f"/r/{parcel.live_link.token}")).text
    assert "Out for delivery" in page
    assert "Picked up" not in page


async def test_the_customer_reads_the_latest_word_with_its_time_and_number(client, house, parcel):
    said = {"words": "Out for <delivery>", "tracking_number": "JD014"}
    await house.do(hear_from_third_party, parcel, by=KEPT, **said)
    page = (await client.get(f"/r/{parcel.live_link.token}")).text
    assert "DHL: Out for <delivery> today, 10 am · number JD014" in read(page)
    assert await house.told(parcel) == (await house.told(parcel))[:1], "and is not texted"


async def test_while_it_is_held_their_silence_is_not_counted(clock, house, parcel):
    clock.shift(timedelta(days=1))
    await house.do(hold, parcel, reason="The address.", by=KEPT)
    clock.shift(timedelta(days=7))
    resumed = await house.do(resume, parcel, by=KEPT)
    assert resumed.open_runs[0].silent_at == june(12, 14)


async def test_a_tracking_number_makes_a_third_party_of_whoever_has_it(clock, house, martins):
    with pytest.raises(BadInput, match="say who it is"):
        await house.do(hear_from_third_party, martins, words="Hello", by=KEPT)
    heard = await house.do(
        hear_from_third_party, martins, words="Posted", third_party="USPS",
        tracking_number="94", by=KEPT,
    )  # fmt: skip
    [run] = heard.open_runs
    assert (run.third_party, run.silent_at) == ("USPS", run.heard_at + timedelta(days=2))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"words": " "}, "say what they told us"),
        ({"words": "x" * 161}, "160 letters"),
        ({"words": "Hi", "tracking_number": "x" * 65}, "64 letters"),
        ({"words": "Hi", "at": datetime(2025, 6, 3, 14, 11, tzinfo=UTC)}, "cannot have said"),
    ],
)
async def test_what_cannot_be_is_refused_and_changes_nothing(house, parcel, said, why):
    with pytest.raises(BadInput, match=why):
        await house.do(hear_from_third_party, parcel, by=KEPT, **said)
    assert (await house.see(parcel)).open_runs[0].heard_at is None


async def test_a_clock_that_is_a_little_fast_is_forgiven(house, parcel):
    at = datetime(2025, 6, 3, 14, 5, tzinfo=UTC)
    heard = await house.do(hear_from_third_party, parcel, words="Hi", at=at, by=KEPT)
    assert heard.open_runs[0].heard_at == datetime(2025, 6, 3, 14, tzinfo=UTC)


async def test_another_system_tells_it(api, house, parcel):
    body = {"event": "In the van", "at": "2025-06-03T09:10:00-04:00", "tracking_number": "JD1"}
    answer = await api.post(f"/requests/{parcel.reference}/third-party", json=body)
    stage = answer.json()["stages"][0]
    assert answer.status_code == 200
    assert (stage["third_party"], stage["tracking_number"]) == ("DHL", "JD1")
    assert stage["heard_at"] == "2025-06-03T13:10:00Z"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('silent_after = "2d"', 'has "silent_after" but no "third_party"'),
        ('third_party = "DHL"\nsilent_after = "0s"', "would be silent at once"),
        ('third_party = "DHL"\nsilent_after = "soon"', "cannot be read"),
        ("third_party = 5", "should be text"),
    ],
)
def test_a_file_says_it_right_or_is_told_where_and_how(line, why):
    with pytest.raises(WorkflowFileError, match=why) as refusal:
        read_workflow(PARCEL.format(more=line))
    last = 13 + line.count("\n")
    assert f"workflow file:{last}: stage" in str(refusal.value)
