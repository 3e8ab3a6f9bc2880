"""Work of an absent or disabled person is reassigned."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, select

from portal.errors import BadInput, Conflict
from portal.models import (
    CUSTOMER_ACTOR,
    SYSTEM_ACTOR,
    DroppedBall,
    DroppedBallKind,
    EscalationLevel,
    EventKind,
)
from portal.operations import (
    accept,
    advance,
    assign,
    cancel,
    disable_staff,
    make_promise,
    mark_returned,
    reassign_all,
    reassignment,
    receive_web_message,
    reopen,
    set_department_lead,
)
from portal.queries.roster import load_full_roster
from workers.sweep import Sweep

pytestmark = pytest.mark.either_database


NOW = datetime(2025, 6, 3, 14, tzinfo=UTC)


TUESDAY = datetime(2025, 6, 10, 4, tzinfo=UTC)
"""The day they are back: midnight in New York."""


async def lines(organisation, request):
    """Who was given it, and why, as the timeline has it."""
    return [
        (event.data["to"], event.data.get("reason"), event.visible)
        for event in await organisation.events(request)
        if event.kind == EventKind.ASSIGNED
    ]


async def test_deputy_gets_requests_stages_and_promises_of_an_absent_person(
    organisation, away, clock, card_request
):
    due = NOW + timedelta(days=1)
    promised = await organisation.run(
        make_promise, card_request, text="A call.", due_at=due, by=SYSTEM_ACTOR
    )
    await away("tess", until=TUESDAY, deputy="pia@acme.example")
    seen = await organisation.reload(card_request)
    assert seen.owner_id == seen.open_runs[0].assignee_id == organisation.people.pia.id
    assert seen.promises[0].owner_id == organisation.people.pia.id
    assert seen.version > promised.version
    assert seen.page_version > promised.page_version, "the page says who keeps the promise"
    assert await lines(organisation, seen) == [
        ("Pia Press", "Tess Sales is away until Tue 10 Jun", False)
    ]


async def test_lead_replaces_a_missing_deputy_and_colleagues_replace_a_lead(
    organisation, away, card_request
):
    await organisation.run(assign, card_request, owner="tom@acme.example", by=SYSTEM_ACTOR)
    await away("tom")
    assert (await organisation.reload(card_request)).owner_id == organisation.people.tess.id
    await away("tess")
    assert (await organisation.reload(card_request)).owner_id == organisation.people.mona.id


async def test_waiting_handoff_is_reassigned_to_the_senders_colleagues(
    organisation, away, card_request
):
    """The sender owns it until it is accepted, so the sender's side stands in."""
    await organisation.run(advance, card_request, by=SYSTEM_ACTOR)
    await away("tess")
    assert (await organisation.reload(card_request)).owner_id == organisation.people.tom.id


async def test_coordinator_and_branch_are_reassigned_separately(organisation, away):
    permit = await organisation.open("permit", by=SYSTEM_ACTOR)
    await organisation.run(advance, permit, by=SYSTEM_ACTOR)
    await away("pat", deputy="zoe@acme.example")
    await away("cora", deputy="ben@acme.example")
    seen = await organisation.reload(permit)
    assert seen.owner_id == seen.coordinator_id == organisation.people.ben.id
    runs = {run.stage_key: run.assignee_id for run in seen.open_runs}
    assert runs == {
        "plans": organisation.people.zoe.id, "zoning": organisation.people.zoe.id, "fire": organisation.people.ben.id,
    }  # fmt: skip
    assert [line[0] for line in await lines(organisation, seen)] == ["Zoe Zoning", "Ben Bench"]


async def test_dropped_balls_are_reassigned_too(organisation, away, card_request):
    ada, mona, tess = (
        organisation.people.ada.id,
        organisation.people.mona.id,
        organisation.people.tess.id,
    )
    kinds = DroppedBallKind.MESSAGE_UNDELIVERED, DroppedBallKind.SENDING_LIMIT
    async with organisation.database.transaction() as session:
        for kind, subject, request_id, owner in (
            (kinds[0], "message:1", card_request.id, tess),
            (kinds[1], "month:2025-06", None, mona),
        ):
            session.add(
                DroppedBall(
                    kind=kind, subject=subject, request_id=request_id, owner_id=owner,
                    escalated_to_id=mona if request_id else None, level=EscalationLevel.MANAGER,
                    dropped_at=NOW, raised_at=NOW,
                )
            )  # fmt: skip
    await away("mona")
    await away("tess", deputy="pia@acme.example")
    query = select(DroppedBall).where(col(DroppedBall.kind).in_(kinds)).order_by(DroppedBall.id)
    async with organisation.database.reading() as session:
        about_message, ceiling = (await session.exec(query)).all()
    assert (about_message.owner_id, about_message.escalated_to_id) == (
        organisation.people.pia.id,
        ada,
    )
    assert ceiling.owner_id == ada
    assert [line[0] for line in await lines(organisation, card_request)] == [
        "Ada Admin",
        "Pia Press",
    ]


async def test_absent_staff_get_no_new_work(organisation, away):
    await away("tess", deputy="pia@acme.example")
    assert (await organisation.open(by=SYSTEM_ACTOR)).owner_id == organisation.people.pia.id
    await away("pia")
    opened = await organisation.open(by=SYSTEM_ACTOR)
    assert opened.owner_id == organisation.people.tom.id
    await organisation.run(advance, opened, by=SYSTEM_ACTOR)
    await away("uma")
    taken = await organisation.run(accept, opened, by=organisation.people.uma.actor)
    assert taken.owner_id == organisation.people.mona.id, "marked as away, whatever they click"


async def test_reopened_request_goes_to_the_substitute(organisation, away):
    permit = await organisation.open("permit", by=SYSTEM_ACTOR)
    await organisation.run(advance, permit, by=SYSTEM_ACTOR)
    await organisation.run(cancel, permit, reason="Too dear.", by=SYSTEM_ACTOR)
    await away("cora", deputy="ben@acme.example")
    assert (await organisation.reload(permit)).owner_id == organisation.people.cora.id, (
        "it has ended"
    )
    again = await organisation.run(reopen, permit, reason="Not too dear.", by=SYSTEM_ACTOR)
    assert again.owner_id == again.coordinator_id == organisation.people.ben.id


async def test_promise_after_the_end_belongs_to_the_substitute(organisation, away, card_request):
    await organisation.run(cancel, card_request, reason="Too dear.", by=SYSTEM_ACTOR)
    await away("tess")
    words = "I do not understand why you have ended this."
    seen = await organisation.run(receive_web_message, card_request, words, by=CUSTOMER_ACTOR)
    assert [promise.owner_id for promise in seen.promises] == [organisation.people.tom.id]


async def test_assigning_absent_staff_is_rejected_with_return_date_and_substitute(
    organisation, away, card_request
):
    await away("pia", until=TUESDAY, deputy="paul@acme.example")
    words = "Pia Press is away until Tue 10 Jun. Paul Press stands in."
    promised = {"text": "A call.", "due_at": NOW + timedelta(days=1)}
    with pytest.raises(Conflict, match=words):
        await organisation.run(assign, card_request, owner="pia@acme.example", by=SYSTEM_ACTOR)
    with pytest.raises(Conflict, match=words):
        await organisation.run(
            make_promise, card_request, **promised, owner="pia@acme.example", by=SYSTEM_ACTOR
        )
    assert (await organisation.reload(card_request)).version == card_request.version


async def test_returning_staff_does_not_get_work_back(organisation, away, card_request):
    await away("tess")
    await organisation.run_unbound(mark_returned, email="tess@acme.example", by=SYSTEM_ACTOR)
    assert (await organisation.reload(card_request)).owner_id == organisation.people.tom.id
    assert (await organisation.open(by=SYSTEM_ACTOR)).owner_id == organisation.people.tess.id


async def test_absence_ends_by_itself(organisation, away, clock):
    await away("tess", until=NOW + timedelta(hours=1))
    clock.shift(timedelta(hours=1))
    assert (await organisation.open(by=SYSTEM_ACTOR)).owner_id == organisation.people.tess.id
    with pytest.raises(Conflict, match="not marked as away"):
        await organisation.run_unbound(mark_returned, email="tess@acme.example", by=SYSTEM_ACTOR)


async def sweep(organisation):
    await Sweep(organisation.operations, lambda: None, "test").once()


async def test_future_absence_takes_effect_at_its_start(organisation, away, card_request, clock):
    await away("tess", from_=NOW + timedelta(hours=2), until=TUESDAY)
    await sweep(organisation)
    assert (await organisation.reload(card_request)).owner_id == organisation.people.tess.id
    clock.shift(timedelta(hours=2))
    await sweep(organisation)
    seen = await organisation.reload(card_request)
    assert seen.owner_id == seen.open_runs[0].assignee_id == organisation.people.tom.id
    await sweep(organisation)
    assert await lines(organisation, seen) == [
        ("Tom Sales", "Tess Sales is away until Tue 10 Jun", False)
    ]


async def test_remaining_work_is_reassigned_in_the_next_round(
    organisation, away, card_request, monkeypatch
):
    """The absence and its first part are one transaction, the rest follows request by request."""
    monkeypatch.setattr(reassignment, "BATCH_SIZE", 1)
    requests = [card_request, *[await organisation.open(by=SYSTEM_ACTOR) for _ in range(2)]]
    await away("tess")
    owners = [(await organisation.reload(request)).owner_id for request in requests]
    assert sorted(owners) == sorted(
        [organisation.people.tom.id, *[organisation.people.tess.id] * 2]
    )
    await reassign_all(organisation.operations, SYSTEM_ACTOR)
    assert {(await organisation.reload(request)).owner_id for request in requests} == {
        organisation.people.tom.id
    }


async def test_unassignable_work_moves_when_somebody_returns(organisation, away, card_request):
    for name in ("tom", "mona", "ada", "tess"):
        await away(name)
    await sweep(organisation)
    assert (await organisation.reload(card_request)).owner_id == organisation.people.tess.id
    assert await lines(organisation, card_request) == []
    await organisation.run_unbound(mark_returned, email="mona@acme.example", by=SYSTEM_ACTOR)
    await sweep(organisation)
    assert (await organisation.reload(card_request)).owner_id == organisation.people.mona.id


async def test_disabled_staff_keeps_no_work(organisation, away, card_request):
    for name in ("tom", "mona", "ada"):
        await away(name)
    await organisation.run_unbound(disable_staff, email="tess@acme.example", by=SYSTEM_ACTOR)
    seen = await organisation.reload(card_request)
    assert seen.owner_id == organisation.people.tom.id
    assert await lines(organisation, seen) == [("Tom Sales", "Tess Sales has left", False)]


async def test_new_lead_replaces_the_former_one(organisation):
    await organisation.run_unbound(
        set_department_lead, email="tom@acme.example", department="telesales", by=SYSTEM_ACTOR
    )
    assert (await organisation.open(by=SYSTEM_ACTOR)).owner_id == organisation.people.tom.id
    async with organisation.database.reading() as session:
        leads = (await load_full_roster(session)).leads
    assert list(leads.values()).count(organisation.people.tom.id) == 1
    with pytest.raises(BadInput, match="There is no department 'moon'"):
        await organisation.run_unbound(
            set_department_lead, email="tom@acme.example", department="moon", by=SYSTEM_ACTOR
        )
