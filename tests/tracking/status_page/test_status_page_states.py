"""The steps that the status page shows in each state of a request."""

from datetime import timedelta

import pytest
import time_machine

from portal.models import Answer, ServiceRequest
from portal.operations import advance, hold, refuse, resume
from tests.support.factories import Organisation
from tests.tracking.status_page.status_page_steps import START, ask, say, states, step, walk

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def _from_the_start(clock: time_machine.Traveller) -> None:
    """Time stands still, so that each moment can be named."""


async def test_upcoming_step_is_expected_when_earlier_steps_are_due(
    see, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """4 hours, 1 day, 3 days, 3 days: when the one begins is when the one before it ends."""
    page = await see(card_request)
    due = START + timedelta(hours=4)
    assert step(page, "received").expected_at == due
    assert step(page, "decision").expected_at == due
    assert step(page, "made").expected_at == due + timedelta(days=1)
    assert step(page, "courier").expected_at == due + timedelta(days=4)
    assert step(page, "delivered").expected_at == due + timedelta(days=7)
    assert page.next_step
    assert (page.next_step.title, page.next_step.by) == ("Your application is being checked", due)
    assert page.valid_until == due


async def test_sender_keeps_the_request_until_acceptance(
    see, organisation: Organisation, card_request: ServiceRequest
) -> None:
    page = await see(await walk(organisation, card_request, "tess"))
    assert page.headline == "Passed to Underwriting"
    assert [holder.department for holder in page.current_departments] == ["Telesales"]
    assert page.handoff == step(page, "decision").handoff
    assert page.handoff
    assert page.handoff.department == "Underwriting"
    assert page.handoff.accept_by == START + timedelta(hours=4)
    assert states(page)["decision"] == "handed_off"
    assert page.write_to == "Telesales"


async def test_refused_handoff_returns_to_its_sender(
    see, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await walk(organisation, card_request, "tess")
    await organisation.run(
        refuse, card_request, by=organisation.people.uma.actor, reason="The form is unsigned."
    )
    page = await see(card_request)
    assert states(page)["received"] == "current"
    assert states(page)["decision"] == "upcoming"
    assert page.handoff is None
    assert [holder.department for holder in page.current_departments] == ["Telesales"]


async def test_late_stage_is_shown_and_later_dates_are_unknown(
    see, organisation: Organisation, card_request: ServiceRequest, clock: time_machine.Traveller
) -> None:
    clock.shift(timedelta(hours=4))
    page = await see(card_request)
    assert page.delay
    assert page.delay.previous_by == START + timedelta(hours=4)
    assert step(page, "received").is_overdue(page.now)
    assert page.next_step
    assert page.next_step.by is None
    assert step(page, "delivered").expected_at is None


async def test_parallel_departments_share_a_group(see, organisation: Organisation) -> None:
    """The note of who finished stands with what came of it; the join waits for the slowest."""
    permit = await organisation.open("permit", by=organisation.people.cora.actor)
    await organisation.run(advance, permit, by=organisation.people.cora.actor, note="All is there.")
    page = await see(permit)
    assert [len(level) for level in page.step_groups] == [1, 3, 1]
    assert states(page) == {
        "intake": "done", "fire": "handed_off", "plans": "current", "zoning": "current", "decision": "upcoming",
    }  # fmt: skip
    assert page.handoff is None
    assert step(page, "fire").handoff
    assert step(page, "plans").note == "All is there."
    assert [h.department for h in page.current_departments] == [
        "Permit Counter",
        "Plan Review",
        "Zoning",
    ]
    assert page.headline == "Your plans are being reviewed"
    assert page.next_step
    assert page.next_step.title == "Your permit is being decided"
    assert page.next_step.by == START + timedelta(days=2)


async def test_question_during_a_stage_waits_for_the_customer(
    see, organisation: Organisation
) -> None:
    repair = await organisation.open("repair", by=organisation.people.ben.actor)
    await walk(organisation, repair, "ben")
    await ask(organisation, repair)
    page = await see(repair)
    assert page.status == "waiting_on_customer"
    assert page.question
    assert page.question.text == "The repair costs 80 dollars. Shall we go ahead?"
    assert states(page)["quote"] == "paused"
    assert page.next_step
    assert page.next_step.by is None
    await say(organisation, repair, Answer.YES)
    page = await see(repair)
    assert (page.status, page.question) == ("open", None)
    assert states(page) == {"diagnosis": "done", "quote": "done", "mended": "current"}


async def test_declined_quote_ends_the_request(see, organisation: Organisation) -> None:
    repair = await organisation.open("repair", by=organisation.people.ben.actor)
    await walk(organisation, repair, "ben")
    await ask(organisation, repair)
    await say(organisation, repair, Answer.NO)
    page = await see(repair)
    assert page.status == "declined"
    assert page.ending
    assert (page.ending.at, page.ending.confirmed) == (START, False)
    assert states(page) == {"diagnosis": "done", "quote": "ended", "mended": "skipped"}
    assert page.next_step is None
    assert page.current_departments == ()


async def test_hold_shows_reason_and_end(
    see, organisation: Organisation, card_request: ServiceRequest
) -> None:
    until = START + timedelta(days=2)
    by = organisation.people.tess.actor
    await organisation.run(
        hold, card_request, by=by, reason="We wait for your employer.", until=until
    )
    page = await see(card_request)
    assert page.status == "on_hold"
    assert page.pause
    assert (page.pause.reason, page.pause.until) == ("We wait for your employer.", until)
    assert states(page)["received"] == "paused"
    assert page.delay is None
    await organisation.run(resume, card_request, by=by)
    page = await see(card_request)
    assert (page.status, page.pause) == ("open", None)


async def test_hold_of_one_branch_pauses_only_that_branch(see, organisation: Organisation) -> None:
    permit = await organisation.open("permit", by=organisation.people.cora.actor)
    await walk(organisation, permit, "cora")
    await organisation.run(
        hold, permit, by=organisation.people.zoe.actor, stage="zoning", reason="A map misses."
    )
    page = await see(permit)
    assert (page.status, page.pause) == ("open", None)
    assert states(page)["zoning"] == "paused"
    assert step(page, "zoning").note == "A map misses."
    assert page.next_step
    assert page.next_step.by is None
