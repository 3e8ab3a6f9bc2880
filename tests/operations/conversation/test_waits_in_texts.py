"""Texts that say when it arrives, whose turn it is, and what an end means."""

from collections.abc import Awaitable, Callable

import httpx2
import pytest
import time_machine

from portal.models import Channel, MessageKind, ServiceRequest
from portal.operations import (
    CustomerDetails,
    advance,
    cancel,
    load_workflow,
    receive_text,
    run_due_follow_ups,
)
from portal.workflows import read_workflow
from tests.support.factories import Organisation

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

Texts = Callable[[str], Awaitable[str]]

WORKFLOW = """
key = "turns"
name = "Turns"
prefix = "TRN"
arrives = "Online by"
on_declined = "Your kettle is ready to collect."
on_cancelled = "Nothing is charged."

[departments.shop]
name = "Shop"

[[stages]]
key = "check"
department = "shop"
title = "We check your order"
expected = "2d"

[[stages]]
key = "consent"
department = "shop"
title = "We ask the landowner for consent"
title_next = "Asking the landowner"
waits_for = "the landowner"
expected = "21d"

[[stages]]
key = "quote"
department = "shop"
title = "Your quote"
expected = "5d"
milestone = false
question = "Shall we go ahead? Reply YES or NO."
yes = "complete"
no = { close = "declined" }

[[stages]]
key = "build"
department = "shop"
title = "We build it"
expected = "20d"
"""

COLLECT = """
key = "collect"
name = "Collect"
prefix = "CHK"

[departments.counter-shop]
name = "Shop"
hours = "Mon-Fri 09:00-18:00"
timezone = "America/New_York"

[[stages]]
key = "collect"
department = "counter-shop"
title = "Ready for you to collect"
ask = "come"
place = "12 Elm Street"
expected = "14d"
"""
OTHER = CustomerDetails("Gwen Jones", phone="+14155550188", timezone="America/New_York")


@pytest.fixture(autouse=True)
def _from_the_start(clock: time_machine.Traveller) -> None:
    """Time stands still, on Tuesday 3 June 2025 at 10 in New York."""


@pytest.fixture
async def turns(organisation: Organisation) -> ServiceRequest:
    by = organisation.people.mona.actor
    async with organisation.operations.begin(by) as uow:
        await load_workflow(uow, read_workflow(WORKFLOW))
    return await organisation.open("turns", by=by)


@pytest.fixture
def texts(organisation: Organisation, turns: ServiceRequest) -> Texts:
    """Text as the customer, and get the body of the reply."""

    async def text(body: str) -> str:
        await organisation.run_unbound(
            receive_text, by=organisation.people.mona.actor, sid=f"SM{body}",
            sender="+14155550132", to="+15005550006", body=body,
        )  # fmt: skip
        return (await organisation.outbound_messages(turns))[-1].body

    return text


async def move_on(organisation: Organisation, request: ServiceRequest) -> None:
    await organisation.run(advance, request, by=organisation.people.mona.actor)
    await organisation.run(run_due_follow_ups, request, by=organisation.people.mona.actor)


async def test_when_is_answered_with_the_one_date(texts: Texts) -> None:
    """2, 21 and 20 days; the quote waits for the customer."""
    body = await texts("When will it arrive?")
    assert body.startswith("Acme Bank: Online by Wed 16 Jul, we expect. We check your order.")


async def test_third_party_is_named_and_no_move_is_asked(
    organisation: Organisation, turns: ServiceRequest, texts: Texts
) -> None:
    await move_on(organisation, turns)
    milestone = (await organisation.outbound_messages(turns))[-1]
    assert milestone.kind == MessageKind.MILESTONE
    assert "We ask the landowner for consent. There is nothing for you to do now." in milestone.body
    body = await texts("Any news?")
    assert "We wait for the landowner, then about 3 weeks more." in body
    assert "your move" not in milestone.body + body


@pytest.mark.parametrize(
    ("question", "owed"),
    [
        ("Where is it?", []),
        ("when are you open and where?", ["answer"]),
        ("a que hora abren y donde estan?", ["answer"]),
    ],
)
async def test_customer_who_comes_is_told_where_and_when(
    organisation: Organisation, texts: Texts, turns: ServiceRequest, question: str, owed: list[str]
) -> None:
    """A question that is more than "where is it?" keeps an owner."""
    await organisation.load(COLLECT)
    request = await organisation.open("collect", OTHER, by=organisation.people.mona.actor)
    await organisation.run_unbound(
        receive_text, by=organisation.people.mona.actor, sid="SMcome",
        sender=OTHER.phone, to="+15005550006", body=question,
    )  # fmt: skip
    body = (await organisation.outbound_messages(request))[-1].body
    assert "Ready for you to collect. 12 Elm Street. Open Mon-Fri 9 am-6 pm." in body
    promises = (await organisation.reload(request)).promises
    assert [promise.kind for promise in promises] == owed


async def test_no_by_text_says_what_becomes_of_the_thing(
    organisation: Organisation, turns: ServiceRequest, texts: Texts
) -> None:
    await move_on(organisation, turns)
    await move_on(organisation, turns)
    assert "Noted, Martin. Your kettle is ready to collect." in await texts("NO")


async def test_no_on_the_page_is_confirmed_by_text(
    organisation: Organisation, turns: ServiceRequest, client: httpx2.AsyncClient
) -> None:
    await move_on(organisation, turns)
    await move_on(organisation, turns)
    request = await organisation.reload(turns)
    link = f"/r/{request.live_link.token}"
    form = {"follow_up": str(request.open_question.id), "answer": "no"}
    assert (await client.post(f"{link}/answers", data=form)).status_code == 303
    last = (await organisation.outbound_messages(turns))[-1]
    assert last.channel == Channel.SMS
    assert "Noted, Martin. Your kettle is ready to collect." in last.body
    assert (await organisation.reload(turns)).closed_by_customer


async def test_cancellation_says_what_becomes_of_the_money(
    organisation: Organisation, turns: ServiceRequest
) -> None:
    await organisation.run(cancel, turns, by=organisation.people.mona.actor, reason="Sold out.")
    last = (await organisation.outbound_messages(turns))[-1]
    assert (last.kind, "Martin, this is cancelled. Nothing is charged." in last.body) == (
        MessageKind.CANCELLED, True,
    )  # fmt: skip
    assert not (await organisation.reload(turns)).closed_by_customer


async def test_status_of_a_handoff_says_when_all_should_be_done(
    organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Beside by when its department starts, where both fit."""
    await organisation.run(advance, card_request, by=organisation.people.tess.actor)
    await organisation.run_unbound(
        receive_text, by=organisation.people.mona.actor, sid="SMpassed",
        sender="+14155550132", to="+15005550006", body="wen does the card come",
    )  # fmt: skip
    assert (
        "Passed to Underwriting. They start by Tue 3 Jun, 2 pm. Ready by Wed 11 Jun, we expect. http"
        in (await organisation.outbound_messages(card_request))[-1].body
    )
