"""The status page at confirmation and after the end of a request."""

from datetime import timedelta

import pytest
import time_machine

from portal.models import Answer, ServiceRequest
from portal.operations import accept, cancel, load_workflow, reopen, send_back
from portal.web import templating
from portal.workflows import read_workflow
from tests.support.factories import Organisation
from tests.tracking.status_page.status_page_steps import START, ask, say, states, step, walk

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


LOAN = """
key = "loan"
name = "Loan"
prefix = "PAY"

[departments.telesales]
name = "Telesales"

[[stages]]
key = "paid"
department = "telesales"
title = "Your money is on its way"
expected = "1d"

[[follow_ups]]
after_stage = "paid"
wait = "2d"
title = "In your account"
question = "Has your money arrived? Reply YES or NO."
yes = "complete"
"""


@pytest.fixture(autouse=True)
def _from_the_start(clock: time_machine.Traveller) -> None:
    """Time stands still, so that each moment can be named."""


async def test_only_the_customer_confirms_completion(
    see, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await ask(
        organisation, await walk(organisation, card_request, "tess", "uma", "pia", "carl", "carl")
    )
    page = await see(card_request)
    assert page.status == "awaiting_confirmation"
    assert page.headline == "Our part is done"
    assert page.question
    assert page.question.text == "Has your card arrived?"
    assert page.current_departments == ()
    await say(organisation, card_request, Answer.YES)
    page = await see(card_request)
    assert page.status == "completed"
    assert page.ending
    assert page.ending.confirmed
    assert set(states(page).values()) == {"done"}


async def test_no_repeats_the_stage(
    see, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await ask(
        organisation, await walk(organisation, card_request, "tess", "uma", "pia", "carl", "carl")
    )
    await say(organisation, card_request, Answer.NO)
    page = await see(card_request)
    assert page.status == "open"
    assert states(page)["courier"] == "current"
    assert states(page)["delivered"] == "upcoming"
    assert step(page, "courier").is_repeated
    assert page.headline == "Carl is looking for your card"


async def test_unanswered_confirmation_is_not_shown_as_confirmed(
    see, organisation: Organisation, card_request: ServiceRequest, clock: time_machine.Traveller
) -> None:
    await ask(
        organisation, await walk(organisation, card_request, "tess", "uma", "pia", "carl", "carl")
    )
    for days in (2, 30):
        clock.shift(timedelta(days=days))
        await ask(organisation, card_request)
    page = await see(card_request)
    assert page.status == "completed"
    assert page.ending
    assert (page.ending.confirmed, page.ending.unconfirmed) == (False, True)
    assert page.ending.reason is None
    html = templating.render("tracking/status_page/status.html", page.context())
    assert "We asked and did not hear from you, so we closed it" in html


async def test_cancelled_request_shows_reason_and_last_stage(
    see, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await walk(organisation, card_request, "tess")
    await organisation.run(
        cancel, card_request, by=organisation.people.tess.actor, reason="You asked us to stop."
    )
    page = await see(card_request)
    assert page.status == "cancelled"
    assert page.ending
    assert page.ending.reason == "You asked us to stop."
    assert states(page) == {
        "received": "done", "decision": "ended", "made": "skipped", "courier": "skipped",
        "delivered": "skipped",
    }  # fmt: skip
    await organisation.run(
        reopen, card_request, by=organisation.people.tess.actor, reason="They changed their mind."
    )
    page = await see(card_request)
    assert page.status == "open"
    assert states(page)["decision"] == "current"
    assert step(page, "decision").is_repeated


async def test_sent_back_request_shows_reason_and_only_valid_runs(
    see, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await walk(organisation, card_request, "tess", "uma", "pia")
    await organisation.run(accept, card_request, by=organisation.people.carl.actor)
    await organisation.run(
        send_back,
        card_request,
        by=organisation.people.carl.actor,
        stage="made",
        reason="The name is wrong.",
    )
    await organisation.run(accept, card_request, by=organisation.people.pia.actor)
    page = await see(card_request)
    assert states(page)["made"] == "current"
    assert states(page)["courier"] == "upcoming"
    assert step(page, "made").note == "The name is wrong."
    assert step(page, "made").is_repeated


async def test_titled_question_is_the_last_step(
    see, organisation: Organisation, clock: time_machine.Traveller
) -> None:
    """A question with a title is a leg; it is done when they say so."""
    async with organisation.operations.begin(organisation.people.mona.actor) as uow:
        await load_workflow(uow, read_workflow(LOAN))
    loan = await organisation.open("loan", by=organisation.people.tess.actor)
    [[paid], [yours]] = (await see(loan)).step_groups
    assert paid.expected_at == START + timedelta(days=1)
    assert (yours.title, yours.department, yours.state) == (
        "In your account",
        "You tell us",
        "upcoming",
    )
    assert yours.expected_at == START + timedelta(days=3)
    page = await see(await walk(organisation, loan, "tess"))
    assert page.status == "awaiting_confirmation"
    assert page.question is None
    assert page.next_step
    assert (page.next_step.title, page.next_step.by) == (
        "In your account",
        START + timedelta(days=2),
    )
    clock.shift(timedelta(days=2))
    page = await see(await ask(organisation, loan))
    assert page.step_groups[-1][0].state == "current"
    assert page.next_step is None
    await say(organisation, loan, Answer.YES)
    page = await see(loan)
    assert page.step_groups[-1][0].state == "done"
    assert page.step_groups[-1][0].began_at == START + timedelta(days=2)
