"""What the status page says of the date, of whose turn it is, and of the end."""

import re
from datetime import timedelta
from html import unescape

import pytest
import time_machine

from portal.models import CUSTOMER_ACTOR, Answer, ServiceRequest
from portal.operations import (
    advance,
    announce_delay,
    answer_follow_up,
    cancel,
    load_workflow,
    receive_web_message,
)
from portal.web import templating
from portal.workflows import read_workflow
from tests.support.factories import Organisation
from tests.tracking.status_page.status_page_steps import START, ask, say, step

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

WORKFLOW = """
key = "turns"
name = "Turns"
prefix = "TRN"
arrives = { en = "Online by", es = "Con internet como tarde" }
on_declined = { en = "Your kettle is ready to collect.", es = "Puede recoger su hervidor." }
on_cancelled = "Nothing is charged."

[departments.shop]
name = "Corner Shop"
hours = "Mon-Fri 09:00-18:00; Sat 10:00-16:00"
timezone = "America/New_York"

[[stages]]
key = "quote"
department = "shop"
title = "Your quote"
expected = "5d"
question = "Shall we go ahead? Reply YES or NO."
yes = "complete"
no = { close = "declined" }

[[stages]]
key = "consent"
department = "shop"
title = "We ask the landowner for consent"
waits_for = { en = "the landowner", es = "el propietario" }
expected = "21d"

[[stages]]
key = "repair"
department = "shop"
title = "We repair it"
expected = "20d"

[[stages]]
key = "collect"
department = "shop"
title = "Ready for you to collect"
ask = "come"
place = "12 Elm Street"
bring = "Please bring your reference."
expected = "14d"

[[stages]]
key = "old"
department = "shop"
title = "We wait for a paper"
pauses_clock = true
expected = "5d"
"""


@pytest.fixture(autouse=True)
def _from_the_start(clock: time_machine.Traveller) -> None:
    """Time stands still, on Tuesday 3 June 2025 at 10 in New York."""


@pytest.fixture
async def request_of_turns(organisation: Organisation) -> ServiceRequest:
    async with organisation.operations.begin(organisation.people.mona.actor) as uow:
        await load_workflow(uow, read_workflow(WORKFLOW))
    request = await organisation.open("turns", by=organisation.people.mona.actor)
    return await ask(organisation, request)


async def read(see, request: ServiceRequest) -> str:
    """The page's text."""
    page = await see(request)
    html = templating.render("tracking/status_page/status.html", page.context())
    text = unescape(re.sub(r"<[^>]+>", " ", html.split("<main", 1)[1]))
    return re.sub(r"\s+([.,;:])", r"\1", " ".join(text.split()))


async def move_on(organisation: Organisation, request: ServiceRequest, times: int = 1) -> None:
    for _ in range(times):
        await organisation.run(advance, request, by=organisation.people.mona.actor)


async def test_third_party_is_not_the_customers_turn(
    see, organisation: Organisation, request_of_turns: ServiceRequest
) -> None:
    await say(organisation, request_of_turns, Answer.YES)
    page, text = await see(request_of_turns), await read(see, request_of_turns)
    assert (page.status, step(page, "consent").state) == ("open", "paused")
    assert "Expected about 4 weeks after the landowner agrees" in text
    assert "waiting for the landowner" in text
    assert "There is nothing that you need to do now." in text
    assert "Send a photo" not in text


async def test_pause_for_a_third_party_counts_as_paused(
    see, organisation: Organisation, request_of_turns: ServiceRequest, clock
) -> None:
    await say(organisation, request_of_turns, Answer.YES)
    clock.shift(timedelta(days=40))
    page = await see(request_of_turns)
    assert page.delay is None
    await move_on(organisation, request_of_turns)
    request = await organisation.reload(request_of_turns)
    consent = next(run for run in request.runs if run.stage_key == "consent")
    assert consent.paused_seconds > 0
    assert not consent.waits_on_third_party


async def test_customer_who_comes_reads_where_when_and_what_to_bring(
    see, organisation: Organisation, request_of_turns: ServiceRequest
) -> None:
    await say(organisation, request_of_turns, Answer.YES)
    await move_on(organisation, request_of_turns, 2)
    page, text = await see(request_of_turns), await read(see, request_of_turns)
    assert (page.status, page.headline) == ("waiting_on_customer", "Ready for you to collect")
    assert (
        "12 Elm Street Open Mon-Fri 9 am-6 pm, Sat 10 am-4 pm. Please bring your reference." in text
    )
    assert "waiting for you" in text
    assert "Send a photo" not in text


async def test_customer_who_comes_and_has_written_reads_that_we_have_the_message(
    see, organisation: Organisation, request_of_turns: ServiceRequest
) -> None:
    await say(organisation, request_of_turns, Answer.YES)
    await move_on(organisation, request_of_turns, 2)
    async with organisation.operations.begin(organisation.people.mona.actor) as uow:
        held = await uow.lock(request_of_turns.reference)
        await receive_web_message(uow, held, "May my brother collect it?")
    text = await read(see, request_of_turns)
    assert text.index("We have your message and will answer it.") < text.index("12 Elm Street")
    assert "nothing else that you need to do" not in text


async def test_pause_without_a_reason_asks_nothing_in_particular(
    see, organisation: Organisation, request_of_turns: ServiceRequest
) -> None:
    await say(organisation, request_of_turns, Answer.YES)
    await move_on(organisation, request_of_turns, 3)
    page, text = await see(request_of_turns), await read(see, request_of_turns)
    assert page.status == "waiting_on_customer"
    assert "Do we need something from you?" in text
    assert "Send a photo" not in text


async def test_question_shows_how_long_it_takes_after_the_answer(
    see, request_of_turns: ServiceRequest
) -> None:
    """21 days for the landowner, 20 for the repair, 5 for a paper."""
    text = await read(see, request_of_turns)
    assert "Expected about 7 weeks after your answer" in text
    assert "We ask the landowner for consent" in text


async def test_open_question_is_still_to_be_answered_after_a_message(
    see, organisation: Organisation, request_of_turns: ServiceRequest
) -> None:
    async with organisation.operations.begin(organisation.people.mona.actor) as uow:
        held = await uow.lock(request_of_turns.reference)
        await receive_web_message(uow, held, "How much is it?")
    text = await read(see, request_of_turns)
    assert "Please answer above. We have your message too." in text
    assert "nothing else that you need to do" not in text


async def test_arrival_is_the_first_date_and_the_next_step_the_second(
    see, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """4 hours, 1, 3, 3 and 1 days."""
    text = await read(see, card_request)
    assert "Ready by Wed 11 Jun in 8 days Next Your application is being checked by 2 pm" in text


async def test_moved_date_is_shown_with_the_old_one_and_the_reason(
    see, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await organisation.run(
        announce_delay, card_request, by=organisation.people.tess.actor,
        expected_by=START + timedelta(days=2), reason="Snow on the road",
    )  # fmt: skip
    text = await read(see, card_request)
    assert (
        "We're sorry, this takes longer. We said Wed 11 Jun; now we expect Fri 13 Jun. "
        "Snow on the road." in text
    )
    assert "Ready by Fri 13 Jun" in text


async def test_usual_date_is_shown_only_where_it_differs(see, card_request: ServiceRequest) -> None:
    page = await see(card_request)
    assert page.estimate is None
    assert "Usually by" not in await read(see, card_request)


async def test_declined_request_says_whose_decision_it_was_and_what_becomes_of_the_thing(
    see, organisation: Organisation, request_of_turns: ServiceRequest
) -> None:
    async with organisation.operations.begin(organisation.people.mona.actor) as uow:
        held = await uow.lock(request_of_turns.reference)
        held.customer.locale = "es"
    await say_as_customer(organisation, request_of_turns, Answer.NO)
    text = await read(see, request_of_turns)
    assert "Usted decidió no seguir" in text
    assert "Puede recoger su hervidor." in text


async def test_cancelled_request_says_what_becomes_of_the_money(
    see, organisation: Organisation, request_of_turns: ServiceRequest
) -> None:
    await organisation.run(
        cancel, request_of_turns, by=organisation.people.mona.actor, reason="Out of stock."
    )
    text = await read(see, request_of_turns)
    assert "This request was cancelled" in text
    assert "Nothing is charged. Out of stock." in text


async def say_as_customer(
    organisation: Organisation, request: ServiceRequest, given: Answer
) -> None:
    async with organisation.operations.begin(CUSTOMER_ACTOR) as uow:
        held = await uow.lock(request.reference)
        assert held.open_question
        await answer_follow_up(uow, held, held.open_question, given)
