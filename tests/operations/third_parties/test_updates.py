"""Third parties: their updates are stored and shown, and their silence is detected."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.errors import BadInput
from portal.models import SYSTEM_ACTOR, EventKind
from portal.operations import hold, record_third_party_update, resume
from portal.workflows import WorkflowFileError, read_workflow
from tests.support.desk_client import visible_text

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
async def parcel(clock, organisation):
    """Martin's parcel, which DHL brings; nothing was heard of it yet."""
    await organisation.load(PARCEL.format(more=BY_DHL))
    return await organisation.open("parcel", by=SYSTEM_ACTOR)


async def test_silence_deadline_starts_when_stage_is_reached(parcel):
    [run] = parcel.open_runs
    assert run.third_party == "DHL"
    assert run.silence_overdue_at == run.reached_at + timedelta(days=2)
    assert run.third_party_updated_at is None


async def test_each_update_restarts_the_silence_deadline(clock, organisation, parcel):
    clock.shift(timedelta(days=1))
    heard = await organisation.run(
        record_third_party_update,
        parcel,
        words="Picked\nup",
        tracking_number="JD 014",
        by=SYSTEM_ACTOR,
    )
    [run] = heard.open_runs
    assert (run.third_party_updated_at, run.tracking_number) == (june(4, 14), "JD 014")
    assert run.silence_overdue_at == run.third_party_updated_at + timedelta(days=2)
    event = (await organisation.events(heard))[-1]
    assert (event.kind, event.visible) == (EventKind.THIRD_PARTY_UPDATED, True)
    assert event.data == {
        "from": "DHL", "words": "Picked up", "at": run.third_party_updated_at.isoformat(),
        "tracking_number": "JD 014",
    }  # fmt: skip
    assert heard.version == parcel.version, "a scan makes no colleague's click stale"


def june(day, hour):
    return datetime(2025, 6, day, hour, tzinfo=UTC)


async def test_late_update_does_not_replace_a_newer_one(clock, client, organisation, parcel):
    clock.shift(timedelta(days=1))
    await organisation.run(
        record_third_party_update, parcel, words="Out for delivery", by=SYSTEM_ACTOR
    )
    before = await organisation.run(
        record_third_party_update, parcel, words="Picked up",
        at=june(3, 15), by=SYSTEM_ACTOR,
    )  # fmt: skip
    assert before.open_runs[0].third_party_updated_at == june(4, 14)
    page = (await client.get(f"/r/{parcel.live_link.token}")).text
    assert "Out for delivery" in page
    assert "Picked up" not in page


async def test_customer_sees_the_latest_update_with_its_time_and_number(
    client, organisation, parcel
):
    said = {"words": "Out for <delivery>", "tracking_number": "JD014"}
    await organisation.run(record_third_party_update, parcel, by=SYSTEM_ACTOR, **said)
    page = (await client.get(f"/r/{parcel.live_link.token}")).text
    assert "DHL: Out for <delivery> today, 10 am · number JD014" in visible_text(page)
    assert (
        await organisation.outbound_messages(parcel)
        == (await organisation.outbound_messages(parcel))[:1]
    ), "and is not texted"


async def test_hold_pauses_the_silence_deadline(clock, organisation, parcel):
    clock.shift(timedelta(days=1))
    await organisation.run(hold, parcel, reason="The address.", by=SYSTEM_ACTOR)
    clock.shift(timedelta(days=7))
    resumed = await organisation.run(resume, parcel, by=SYSTEM_ACTOR)
    assert resumed.open_runs[0].silence_overdue_at == june(12, 14)


async def test_tracking_number_needs_and_sets_a_third_party(clock, organisation, card_request):
    with pytest.raises(BadInput, match="say who it is"):
        await organisation.run(
            record_third_party_update, card_request, words="Hello", by=SYSTEM_ACTOR
        )
    heard = await organisation.run(
        record_third_party_update, card_request, words="Posted", third_party="USPS",
        tracking_number="94", by=SYSTEM_ACTOR,
    )  # fmt: skip
    [run] = heard.open_runs
    assert (run.third_party, run.silence_overdue_at) == (
        "USPS",
        run.third_party_updated_at + timedelta(days=2),
    )


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"words": " "}, "say what they told us"),
        ({"words": "x" * 161}, "160 letters"),
        ({"words": "Hi", "tracking_number": "x" * 65}, "64 letters"),
        ({"words": "Hi", "at": datetime(2025, 6, 3, 14, 11, tzinfo=UTC)}, "cannot have said"),
    ],
)
async def test_impossible_update_is_rejected_and_changes_nothing(organisation, parcel, said, why):
    with pytest.raises(BadInput, match=why):
        await organisation.run(record_third_party_update, parcel, by=SYSTEM_ACTOR, **said)
    assert (await organisation.reload(parcel)).open_runs[0].third_party_updated_at is None


async def test_small_clock_skew_is_accepted(organisation, parcel):
    at = datetime(2025, 6, 3, 14, 5, tzinfo=UTC)
    heard = await organisation.run(
        record_third_party_update, parcel, words="Hi", at=at, by=SYSTEM_ACTOR
    )
    assert heard.open_runs[0].third_party_updated_at == datetime(2025, 6, 3, 14, tzinfo=UTC)


async def test_api_records_a_third_party_update(api, organisation, parcel):
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
def test_invalid_third_party_in_a_file_is_reported_with_line_and_remedy(line, why):
    with pytest.raises(WorkflowFileError, match=why) as refusal:
        read_workflow(PARCEL.format(more=line))
    last = 13 + line.count("\n")
    assert f"workflow file:{last}: stage" in str(refusal.value)
