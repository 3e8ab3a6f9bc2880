"""Titles of stages in their tense, and headlines that move with the handoff."""

import re

import pytest
import time_machine

from portal.models import Answer, ServiceRequest
from portal.operations import accept, advance, load_workflow, send_back
from portal.web import templating
from portal.workflows import read_workflow
from tests.support.factories import Organisation
from tests.tracking.status_page.status_page_steps import ask, say, step, walk

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

REPAIR = """
key = "tenses"
name = "Repair"
prefix = "TNS"
arrives = "Ready by"

[departments.front]
name = "Front Counter"

[departments.back]
name = "Back Workshop"
accept_within = "4h"

[[stages]]
key = "quote"
department = "front"
title = "Your quote is ready for you"
title_next = "Your quote"
title_done = "Quote accepted"
expected = "2d"
milestone = false
question = "Shall we go ahead? Reply YES or NO."
yes = "complete"
no = { close = "declined" }

[[stages]]
key = "repair"
department = "back"
title = "We are repairing your device"
title_next = { en = "Repairing your device", es = "Arreglar su aparato" }
title_done = { en = "Device repaired", es = "Aparato arreglado" }
expected = "3d"

[[stages]]
key = "pick-up"
department = "front"
title = "Ready for you to pick up"
title_next = "Picking it up"
title_done = "You have picked it up"
waits_for = "customer"
ask = "come"
expected = "14d"

[[follow_ups]]
after_stage = "pick-up"
wait = "2d"
title = "Working as it should"
question = "Does it work? Reply YES or NO."
"""


@pytest.fixture(autouse=True)
def _from_the_start(clock: time_machine.Traveller) -> None:
    """Time stands still."""


@pytest.fixture
async def repair(organisation: Organisation) -> ServiceRequest:
    async with organisation.operations.begin(organisation.people.mona.actor) as uow:
        await load_workflow(uow, read_workflow(REPAIR))
    request = await organisation.open("tenses", by=organisation.people.mona.actor)
    return await ask(organisation, request)


async def test_headline_after_yes_is_the_title_of_what_is_done(
    see, organisation: Organisation, repair: ServiceRequest
) -> None:
    await say(organisation, repair, Answer.YES)
    page = await see(repair)
    assert page.handoff
    assert page.headline == "Quote accepted"


async def test_headline_after_collecting_is_the_title_of_what_is_done(
    see, organisation: Organisation, repair: ServiceRequest
) -> None:
    by = organisation.people.mona.actor
    await say(organisation, repair, Answer.YES)
    await organisation.run(accept, repair, by=by)
    assert (await see(repair)).headline == "We are repairing your device"
    await organisation.run(advance, repair, by=by)
    assert (await see(repair)).headline == "Ready for you to pick up"
    await organisation.run(advance, repair, by=by)
    assert (await see(repair)).headline == "You have picked it up"


async def test_steps_are_titled_in_their_tense(
    see, organisation: Organisation, repair: ServiceRequest
) -> None:
    page = await see(repair)
    assert step(page, "quote").title == "Your quote is ready for you"
    assert step(page, "repair").title == "Repairing your device"
    assert page.next_step.title == "Repairing your device"
    await say(organisation, repair, Answer.YES)
    page = await see(repair)
    assert step(page, "quote").title == "Quote accepted"
    assert step(page, "repair").state == "handed_off"
    assert step(page, "repair").title == "Repairing your device"


async def test_cancelled_step_is_not_titled_as_done(
    see, organisation: Organisation, repair: ServiceRequest
) -> None:
    await say(organisation, repair, Answer.NO)
    page = await see(repair)
    assert step(page, "quote").title == "Your quote"
    assert step(page, "repair").title == "Repairing your device"


async def test_state_of_a_step_is_read_once(see, repair: ServiceRequest) -> None:
    page = await see(repair)
    html = templating.render("tracking/status_page/status.html", page.context())
    [quote] = re.findall(r'<li id="step-quote".*?</li>', html, re.DOTALL)
    words = " ".join(re.sub(r"<[^>]+>", " ", quote).split())
    assert words.startswith("Your quote is ready for you waiting for you")


async def test_sent_back_stage_is_passed_on_in_the_headline(
    see, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """What was completed before it says nothing about it."""
    await walk(organisation, card_request, "tess", "uma", "pia")
    await organisation.run(accept, card_request, by=organisation.people.carl.actor)
    await organisation.run(
        send_back, card_request, by=organisation.people.carl.actor, stage="made", reason="Torn."
    )
    assert (await see(card_request)).headline == "Passed to Card Processing"
