"""What the desk refuses: kindly, changing nothing, and giving back what was typed."""

import re
from typing import Any

import httpx2
import pytest

from portal import operations as verbs
from portal.models import KEPT, THE_CUSTOMER, EventKind, ServiceRequest
from portal.operations import CustomerDetails
from tests.support.desk_client import read
from tests.support.factories import MARTIN, House

pytestmark = pytest.mark.either_database


async def passed_on(house: House, request: ServiceRequest) -> ServiceRequest:
    """Tess has passed it to Underwriting, which has not taken it up."""
    return await house.do(verbs.advance, request, by=house.people.tess.actor)


async def test_what_is_missing_is_said_in_the_form_and_nothing_is_lost(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    tess = await desks("tess")
    for htmx in (True, False):
        answer = await tess.press(
            martins, "hold", reason="A form is missing", until="1999-01-01T10:00", htmx=htmx
        )
        assert answer.status_code == 422
        assert "A form is missing" in answer.text
        assert "in the past" in answer.text
        assert "<details open><summary>Put on hold" in answer.text
    assert (await house.see(martins)).status == "open"


@pytest.mark.parametrize("due_at", ["", "soon", "2099-01-01T10:00+01:00", "2099-13-01T10:00"])
async def test_a_time_that_is_none_is_refused(
    desks: Any, martins: ServiceRequest, due_at: str
) -> None:
    tess = await desks("tess")
    answer = await tess.press(martins, "promises", text="Call", due_at=due_at, htmx=True)
    assert answer.status_code == 422
    assert 'value="Call"' in answer.text


async def test_an_old_page_changes_nothing_and_keeps_what_was_typed(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    """Tom put it on hold meanwhile: Tess reads so, and her note still stands in its form."""
    tess = await desks("tess")
    page = await tess.page(martins)
    await house.do(verbs.hold, martins, reason="A form is missing", by=house.people.tom.actor)
    for htmx in (True, False):
        answer = await tess.press(martins, "advance", page=page, note="Signed today", htmx=htmx)
        assert answer.status_code == 409
        assert "Put on hold: A form is missing (Tom Sales" in read(answer.text)
        assert re.search(r'<textarea name="note"[^>]*>Signed today</textarea>', answer.text)
        assert "Opened the request (" not in read(answer.text)
    assert [run.stage_key for run in (await house.see(martins)).open_runs] == ["received"]


async def test_words_for_a_form_that_is_gone_are_given_back(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    tess = await desks("tess")
    page = await tess.page(martins)
    await house.do(verbs.cancel, martins, reason="They asked", by=house.people.tom.actor)
    answer = await tess.press(martins, "advance", page=page, note="Signed today", htmx=True)
    assert answer.status_code == 409
    assert "You had written: “Signed today”" in answer.text


async def test_pressing_twice_advances_once(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    tess = await desks("tess")
    page = await tess.page(martins)
    first = await tess.press(martins, "advance", page=page)
    second = await tess.press(martins, "advance", page=page)
    assert (first.status_code, second.status_code) == (303, 409)
    kinds = [event.kind for event in await house.events(martins)]
    assert kinds.count(EventKind.STAGE_COMPLETED) == 1


async def test_a_customers_message_does_not_make_a_click_stale(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    tess = await desks("tess")
    page = await tess.page(martins)
    await house.do(verbs.receive_web_message, martins, "Hello?", by=THE_CUSTOMER)
    assert (await tess.press(martins, "advance", page=page)).status_code == 303


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 40])
async def test_a_form_without_a_version_moves_nothing(
    desks: Any, house: House, martins: ServiceRequest, version: str
) -> None:
    tess = await desks("tess")
    answer = await tess.press(martins, "advance", version=version)
    assert answer.status_code == 422
    assert (await house.see(martins)).version == martins.version


@pytest.mark.parametrize("verb", ["explode", "promises/keep", "promises/x/keep", "handoff"])
async def test_an_unknown_verb_is_not_found(desks: Any, martins: ServiceRequest, verb: str) -> None:
    tess = await desks("tess")
    assert (await tess.press(martins, verb)).status_code == 404


async def test_what_people_wrote_is_shown_and_never_run(
    desks: Any, house: House, client: httpx2.AsyncClient
) -> None:
    evil = "<script>alert(1)</script>\"' onload=x"
    customer = CustomerDetails(evil, "+14155550177")
    request = await house.open(customer=customer, title=evil, by=KEPT)
    await house.do(verbs.receive_web_message, request, evil, by=THE_CUSTOMER)
    tess = await desks("tess")
    for page in (
        await tess.page(request),
        (await tess.get("/desk")).text,
        (await tess.get("/desk/search", params={"q": evil})).text,
        (await tess.press(request, "hold", reason=evil, until="1999-01-01T10:00")).text,
    ):
        assert "<script>alert" not in page
        assert "\"' onload" not in page
        assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize("body", ["", "  ", "x" * 1601, "\x00"])
async def test_words_that_cannot_be_sent_are_refused_and_kept(
    desks: Any, house: House, martins: ServiceRequest, body: str
) -> None:
    tess = await desks("tess")
    answer = await tess.press(martins, "messages", body=body, htmx=True)
    assert answer.status_code == 422
    assert body.strip("\x00 ") in answer.text
    assert not [one for one in await house.told(martins) if one.kind == "staff"]


async def test_fork_shows_each_open_stage_and_completes_the_one_named(
    desks: Any, house: House
) -> None:
    permit = await house.open("permit", MARTIN, by=house.people.cora.actor)
    await house.do(verbs.advance, permit, by=house.people.cora.actor)
    pat = await desks("pat")
    page = await pat.page(permit)
    assert page.count('class="move') == 3
    assert read(page).index("Plan Review, due") < read(page).index("Zoning, due")
    answer = await pat.press(permit, "advance", stage="plans", htmx=True)
    assert answer.status_code == 200
    keys = {run.stage_key for run in (await house.see(permit)).open_runs}
    assert keys == {"fire", "zoning"}


async def test_only_the_customer_says_that_it_arrived_or_somebody_writes_how(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    actor = house.people.ada.actor
    for _ in range(20):
        request = await house.see(martins)
        if not request.open_runs:
            break
        verb = verbs.accept if any(one.waits for one in request.handoffs) else verbs.advance
        await house.do(verb, martins, by=actor)
    ada = await desks("ada")
    page = read(await ada.page(martins))
    assert "Only Martin can say so" in page
    without = await ada.press(martins, "advance", htmx=True)
    assert without.status_code == 409
    assert "write how and when" in without.text
    done = await ada.press(martins, "advance", note="He rang today", htmx=True)
    assert done.status_code == 200
    assert (await house.see(martins)).status == "completed"
