"""A booked visit lasts until its window ends, whatever becomes of the stages around it."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, select

from portal.models import SYSTEM_ACTOR, EventKind, FollowUp
from portal.operations import advance, run_due_follow_ups, send_back
from tests.support.factories import ORIGIN
from tests.tracking.page_requests import link, read
from tests.visits.conftest import ENGINEER, OTHER

pytestmark = pytest.mark.either_database

FROM_PAGE = {"Origin": ORIGIN}
THU_10 = datetime(2025, 6, 5, 14, tzinfo=UTC)
STAGED = ENGINEER.replace(
    "[[stages]]",
    """[[stages]]
key = "order"
department = "field"
title = "We have your order"
expected = "1d"

[[stages]]""",
    1,
).replace(
    """[[stages]]
key = "install\"""",
    """[[stages]]
key = "prepare"
department = "field"
title = "We prepare your visit"
expected = "7d"

[[stages]]
key = "install\"""",
)
"""With an order before the question, and a stage between its answer and the visit."""

ACTIVATED = (
    ENGINEER.replace("[[stages]]", '[departments.network]\nname = "Network"\n\n[[stages]]', 1)
    + """
[[stages]]
key = "activate"
department = "network"
title = "We switch your line on"
expected = "1d"
"""
)
"""With a stage of another department after the visit."""


@pytest.fixture
async def ordered(clock, organisation, texts):
    """Martin's line, whose visit is on Thu 5 June, from 10 to noon."""
    await organisation.load(STAGED)
    line = await organisation.open("engineer", by=SYSTEM_ACTOR)
    await organisation.run(advance, line, by=SYSTEM_ACTOR)
    line = await organisation.run(run_due_follow_ups, line, by=SYSTEM_ACTOR)
    await texts("Thursday at 10")
    clock.shift(timedelta(hours=1))
    return await organisation.reload(line)


async def test_visit_stays_when_what_comes_before_it_is_done(
    ordered, organisation, client, see, texts, said, clock
):
    await organisation.run(advance, ordered, stage="prepare", by=SYSTEM_ACTOR)
    assert (await see(ordered)).visit.at == THU_10
    assert "Thu 5 Jun, 10 am-noon" in read(await client.get(f"{link(ordered)}/visit"))
    clock.move_to(datetime(2025, 6, 4, 14, 1, tzinfo=UTC))
    await organisation.run(run_due_follow_ups, ordered, by=SYSTEM_ACTOR)
    assert "see you tomorrow: Thu 5 Jun, 10 am-noon." in (await said(ordered))[-1]
    await texts("I need to cancel the appointment")
    assert "Your visit is cancelled." in (await said(ordered))[-1]


async def test_visit_stays_when_an_earlier_stage_is_sent_back(
    ordered, organisation, see, desk_clients, api
):
    await organisation.run(
        send_back, ordered, stage="order", reason="The address is wrong.", by=SYSTEM_ACTOR
    )
    assert (await see(ordered)).visit.at == THU_10
    assert "Cancel the visit" in await (await desk_clients("mona")).page(ordered)
    answer = await api.post(
        f"/requests/{ordered.reference}/visit", json={"at": "2025-06-06T18:00:00Z"}
    )
    assert answer.status_code == 200, answer.text
    assert (await see(ordered)).visit.at == datetime(2025, 6, 6, 18, tzinfo=UTC)


async def test_question_put_again_says_that_the_visit_is_off(
    ordered, organisation, see, said, booked
):
    await organisation.run(
        send_back, ordered, stage="date", reason="The engineer is ill.", by=SYSTEM_ACTOR
    )
    await organisation.run(run_due_follow_ups, ordered, by=SYSTEM_ACTOR)
    assert "Your visit is cancelled. When instead? 1) Wed 4 Jun" in (await said(ordered))[-1]
    assert await booked(ordered) is None
    assert (await see(ordered)).visit is None


async def test_visit_is_over_once_its_window_has_ended(ordered, organisation, see, clock, api):
    await organisation.run(advance, ordered, stage="prepare", by=SYSTEM_ACTOR)
    clock.move_to(datetime(2025, 6, 5, 16, 1, tzinfo=UTC))
    assert (await see(ordered)).visit is None
    assert (await api.post(f"/requests/{ordered.reference}/visit/cancel")).status_code == 409
    windows = await api.get(f"/requests/{ordered.reference}/visit-windows")
    assert windows.json()["items"] == []


async def test_visit_is_over_once_its_work_is_done(ordered, organisation, see, clock, desk_clients):
    """The engineer was there from the beginning of the window, and is gone before its end."""
    clock.move_to(THU_10 + timedelta(minutes=30))
    assert (await see(ordered)).visit.at == THU_10
    await organisation.run(advance, ordered, stage="prepare", by=SYSTEM_ACTOR)
    assert (await see(ordered)).visit is None
    assert "On the way" not in await (await desk_clients("mona")).page(ordered)


async def test_visit_done_before_its_window_is_over(
    asked, organisation, client, see, texts, said, clock
):
    """The engineer came earlier: the page and texts say no more of the visit in the next stage."""
    await organisation.load(ACTIVATED)
    line = await asked()
    await texts("Thursday at 10")
    assert (await see(line)).visit.at == THU_10
    await organisation.run(advance, line, by=SYSTEM_ACTOR)
    words = read(await client.get(link(line)))
    assert "We switch your line on" in words
    assert "Engineer visit" not in words
    assert "Change or cancel" not in words
    clock.move_to(datetime(2025, 6, 4, 14, 1, tzinfo=UTC))
    await organisation.run(run_due_follow_ups, line, by=SYSTEM_ACTOR)
    assert not any("see you tomorrow" in each for each in await said(line))


async def test_visit_that_took_place_is_kept_when_the_question_is_put_again(
    ordered, organisation, clock, database, said
):
    clock.move_to(datetime(2025, 6, 5, 18, tzinfo=UTC))
    await organisation.run(
        send_back, ordered, stage="date", reason="The router is missing.", by=SYSTEM_ACTOR
    )
    await organisation.run(run_due_follow_ups, ordered, by=SYSTEM_ACTOR)
    assert "Your visit is cancelled" not in (await said(ordered))[-1]
    async with database.reading() as session:
        query = select(FollowUp.answer_at).where(col(FollowUp.answer_until).is_not(None))
        assert (await session.exec(query)).all() == [THU_10]


@pytest.mark.parametrize("by_text", [True, False])
async def test_reason_of_a_cancelled_visit_is_no_note_for_the_customer(
    ordered, organisation, client, api, texts, by_text
):
    if by_text:
        await texts("I need to cancel the appointment")
    else:
        path = f"/requests/{ordered.reference}/visit/cancel"
        assert (await api.post(path, json={"reason": "The engineer is ill"})).status_code == 200
    page = (await client.get(link(ordered))).text
    assert "The customer asked for it" not in page
    assert "The engineer is ill" not in page
    assert "asks you to correct" not in page
    line = await organisation.reload(ordered)
    assert [run.note for run in line.open_runs] == [""]
    [off] = [e for e in await organisation.events(line) if e.kind == EventKind.VISIT_CANCELLED]
    assert off.data["reason"]


async def test_cancelled_visit_keeps_the_fields_of_its_question(
    clock, organisation, api, texts, said, booked
):
    """Neither staff nor another system is asked once more for what was given before."""
    priced = STAGED.replace(
        'question.en = "When may our engineer come?"', 'question.en = "For {amount}, when?"'
    )
    translated = ("question.es", "question.ar")
    lines = [line for line in priced.splitlines() if not line.startswith(translated)]
    await organisation.load("\n".join(lines))
    line = await organisation.open("engineer", OTHER, by=SYSTEM_ACTOR)
    path = f"/requests/{line.reference}"
    answer = await api.post(f"{path}/advance", json={"fields": {"amount": "$89"}})
    assert answer.status_code == 200, answer.text
    await organisation.run(run_due_follow_ups, line, by=SYSTEM_ACTOR)
    await texts("Thursday at 10", sender=OTHER.phone)
    off = await api.post(f"{path}/visit/cancel", json={"reason": "The engineer is ill"})
    assert off.status_code == 200, off.text
    assert (await organisation.reload(line)).open_question.fields == {"amount": "$89"}
