"""A stage that waits for a third party: its silence and its problems, its texts and its end."""

from datetime import timedelta

import pytest

from portal.models import SYSTEM_ACTOR, DroppedBallKind, MessageKind
from portal.operations import accept, advance, hold, resume, send_due_updates

pytestmark = pytest.mark.either_database

NUMBER = "JD014"
WAITING = """
key = "waiting"
name = "Parcel"
timezone = "America/New_York"

[departments.courier]
name = "Courier Desk"

[[stages]]
key = "sent"
department = "courier"
title = "Your parcel is on its way"
third_party = "DHL"
waits_for = "DHL"
silent_after = "2d"
update_every = "7d"
expected = "2d"

[[stages]]
key = "there"
department = "courier"
title = "Your parcel is there"
expected = "1d"
"""
REFUND = (
    WAITING.replace('waits_for = "DHL"\n', 'delivered = "keep"\n')
    + """
[[follow_ups]]
after_stage = "sent"
question = "Your refund is {amount}. Is that right? Reply YES or NO."
"""
)


@pytest.fixture
async def waiting(clock, organisation):
    """Martin's parcel, for which everybody waits for DHL; nothing was reported of it yet."""
    await organisation.load(WAITING)
    return await organisation.open("waiting", by=SYSTEM_ACTOR)


@pytest.fixture
def tell(api):
    async def post(request, **body):
        path = f"/requests/{request.reference}/third-party-events"
        return await api.post(path, json={"number": NUMBER} | body)

    return post


async def test_silence_of_a_third_party_that_is_waited_for_is_a_dropped_ball(watch, waiting, tell):
    await watch.advance_clock(timedelta(days=2, minutes=1))
    assert await watch.kinds() == [DroppedBallKind.THIRD_PARTY_SILENT]
    await tell(waiting, code="in_transit")
    assert await watch.kinds() == []
    await watch.advance_clock(timedelta(days=1))
    assert await watch.kinds() == []
    await watch.advance_clock(timedelta(days=1, minutes=1))
    assert await watch.kinds() == [DroppedBallKind.THIRD_PARTY_SILENT]


async def test_hold_stops_the_silence_of_a_third_party_that_is_waited_for(
    watch, waiting, organisation
):
    watch.clock.shift(timedelta(days=1))
    await organisation.run(hold, waiting, reason="You are away.", by=SYSTEM_ACTOR)
    await watch.advance_clock(timedelta(days=5))
    assert await watch.kinds() == []
    await organisation.run(resume, waiting, by=SYSTEM_ACTOR)
    await watch.advance_clock(timedelta(hours=23))
    assert await watch.kinds() == []
    await watch.advance_clock(timedelta(hours=1, minutes=1))
    assert await watch.kinds() == [DroppedBallKind.THIRD_PARTY_SILENT]


@pytest.mark.parametrize("is_held", [True, False])
async def test_problem_is_a_dropped_ball_also_while_the_stage_is_paused(
    watch, waiting, organisation, tell, is_held
):
    if is_held:
        await organisation.run(hold, waiting, reason="You are away.", by=SYSTEM_ACTOR)
    await tell(waiting, code="exception")
    assert await watch.kinds() == [DroppedBallKind.THIRD_PARTY_PROBLEM]


async def test_delivered_ends_the_silence_of_a_stage_that_staff_complete(watch, organisation, tell):
    await organisation.load(REFUND)
    request = await organisation.open("waiting", by=SYSTEM_ACTOR)
    await tell(request, code="delivered")
    [run] = (await organisation.reload(request)).open_runs
    assert run.silence_overdue_at is None
    await tell(request, description="Signed for at the door")
    [run] = (await organisation.reload(request)).open_runs
    assert run.silence_overdue_at is None


async def test_delivered_before_the_stage_is_accepted_ends_the_silence_too(organisation, tell):
    accepting = REFUND.replace(
        "[[stages]]",
        '[departments.bank]\nname = "Bank"\n\n[[stages]]\nkey = "packed"\ndepartment = "bank"\n'
        'title = "It is packed"\nexpected = "1d"\n\n[[stages]]',
        1,
    ).replace('name = "Courier Desk"', 'name = "Courier Desk"\naccept_within = "4h"')
    await organisation.load(accepting)
    request = await organisation.open("waiting", by=SYSTEM_ACTOR)
    await organisation.run(advance, request, by=SYSTEM_ACTOR)
    await tell(request, code="delivered", carrier="DHL", stage="sent")
    request = await organisation.run(accept, request, by=SYSTEM_ACTOR)
    [run] = request.open_runs
    assert run.silence_overdue_at is None


async def test_weekly_text_says_for_whom_the_stage_waits(clock, waiting, organisation):
    """Our own clock stands still, so no date of ours is given."""
    clock.shift(timedelta(days=7, minutes=1))
    await organisation.run(send_due_updates, waiting, by=SYSTEM_ACTOR)
    update = (await organisation.outbound_messages(waiting))[-1]
    assert update.kind == MessageKind.UPDATE
    assert (
        "Acme Bank: No change yet: we wait for DHL. Your parcel is on its way. http" in update.body
    )
    assert "still on it" not in update.body


async def test_text_after_a_hold_says_for_whom_the_stage_waits(clock, waiting, organisation):
    await organisation.run(hold, waiting, reason="You are away.", by=SYSTEM_ACTOR)
    clock.shift(timedelta(hours=1))
    await organisation.run(resume, waiting, by=SYSTEM_ACTOR)
    resumed = (await organisation.outbound_messages(waiting))[-1]
    assert resumed.kind == MessageKind.RESUMED
    assert "Your parcel is on its way. We wait for DHL, then about 1 day more." in resumed.body


async def test_delivery_is_recorded_where_the_next_question_lacks_its_value(
    watch, organisation, api
):
    """The carrier became known by its report; staff complete the stage, with the value."""
    by_us = REFUND.replace('third_party = "DHL"\n', "").replace('delivered = "keep"\n', "")
    await organisation.load(by_us.replace('silent_after = "2d"\n', ""))
    request = await organisation.open("waiting", by=SYSTEM_ACTOR)
    path = f"/requests/{request.reference}"
    report = {"carrier": "DHL", "number": NUMBER, "code": "delivered"}
    answer = await api.post(f"{path}/third-party-events", json=report)
    assert answer.status_code == 200, answer.text
    assert answer.json()["stages"][0]["third_party_code"] == "delivered"
    assert answer.json()["open_stages"] == ["sent"]
    [ball] = await watch.balls()
    assert ball.kind == DroppedBallKind.FIELD_MISSING
    assert ball.owner_id == request.open_runs[0].assignee_id
    assert "give the amount" in ball.detail
    answer = await api.post(f"{path}/advance", json={"fields": {"amount": "$89"}})
    assert answer.status_code == 200, answer.text
    assert await watch.balls() == []
