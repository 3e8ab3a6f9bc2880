"""The board and the search: what lies where, by key, in a fixed number of queries."""

import re
from html import unescape
from typing import Any

import pytest
from sqlalchemy import event as sql
from starlette.applications import Starlette

from portal import operations as verbs
from portal.models import KEPT, THE_CUSTOMER, ServiceRequest
from portal.operations import CustomerDetails
from tests.support.desk_client import HTMX, hidden_fields, read
from tests.support.factories import House


async def passed_on(house: House, request: ServiceRequest) -> ServiceRequest:
    """Tess has passed it to Underwriting, which has not taken it up."""
    return await house.do(verbs.advance, request, by=house.people.tess.actor)


async def test_the_board_shows_what_was_handed_over_first(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    waiting = await passed_on(house, martins)
    uma = await desks("uma")
    working = await house.open(customer=CustomerDetails("Zara Z", "+14155550199"), by=KEPT)
    working = await passed_on(house, working)
    await house.do(verbs.accept, working, by=house.people.uma.actor)
    board = (await uma.get("/desk")).text
    assert board.index("Handed to us") < board.index(waiting.reference)
    assert board.index(waiting.reference) < board.index("In work")
    assert board.index("In work") < board.index(working.reference)
    assert "1 in work, 1 to take up." in read(board)


async def test_a_handoff_is_taken_up_from_the_board(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    await passed_on(house, martins)
    uma = await desks("uma")
    board = (await uma.get("/desk")).text
    url = f"/desk/requests/{martins.reference}/handoff/accept"
    told = hidden_fields(board, url)
    answer = await uma.client.post(url, data=told, headers=HTMX)
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert "It is yours now" in answer.text
    assert (await house.see(martins)).owner_id == house.people.uma.id
    again = await uma.client.post(url, data=told, headers=HTMX)
    assert again.status_code == 409
    assert "has changed since" in again.text
    assert "Underwriting" in again.text


async def test_the_same_button_works_without_script(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    await passed_on(house, martins)
    uma = await desks("uma")
    url = f"/desk/requests/{martins.reference}/handoff/accept"
    answer = await uma.client.post(url, data=hidden_fields((await uma.get("/desk")).text, url))
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/desk?department=underwriting&done=handoff/accept"
    assert "It is yours now" in (await uma.get(answer.headers["Location"])).text


async def test_what_the_customer_wrote_stands_on_the_board_until_it_is_answered(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    await house.do(verbs.receive_web_message, martins, "My address has changed", by=THE_CUSTOMER)
    tess = await desks("tess")
    board = (await tess.get("/desk")).text
    assert board.index("Needs an answer") < board.index("My address has changed")
    await tess.press(martins, "messages", body="Thank you, noted.")
    assert "My address has changed" not in (await tess.get("/desk")).text


async def test_a_long_board_pages_by_key(desks: Any, house: House) -> None:
    for number in range(27):
        await house.open(customer=CustomerDetails(f"C{number:02}", "+14155550111"), by=KEPT)
    tess = await desks("tess")
    first = (await tess.get("/desk")).text
    older = unescape(re.search(r'<p class="older"><a href="([^"]+)"', first)[1])  # type: ignore[index]
    second = (await tess.get(older)).text
    names = re.findall(r"<b>(C\d\d)</b>", first) + re.findall(r"<b>(C\d\d)</b>", second)
    assert names == [f"C{number:02}" for number in range(27)]


async def test_a_page_takes_the_same_number_of_queries_however_long_it_is(
    desks: Any, house: House, app: Starlette
) -> None:
    tess = await desks("tess")
    counts = []
    seen: list[str] = []
    engine = app.state.database.engine.sync_engine

    def count(_c: object, _cur: object, statement: str, *_: object) -> None:
        seen.append(statement)

    sql.listen(engine, "before_cursor_execute", count)
    for _ in range(3):
        for number in range(4):
            await house.open(customer=CustomerDetails(f"C{number}", "+14155550111"), by=KEPT)
        seen.clear()
        await tess.get("/desk")
        counts.append(len(seen))
    sql.remove(engine, "before_cursor_execute", count)
    assert counts[0] == counts[1] == counts[2] <= 20


@pytest.mark.parametrize(
    "place", ["x", "1", "1.2.3", "9" * 30 + ".1", "-1.1", "1.99999999999999999999"]
)
async def test_a_made_up_place_in_a_list_is_refused(desks: Any, place: str) -> None:
    tess = await desks("tess")
    answer = await tess.get("/desk", params={"section": "work", "after": place})
    assert answer.status_code == 422


async def test_an_unknown_department_or_request_is_a_kind_page(desks: Any) -> None:
    tess = await desks("tess")
    for url in ("/desk?department=none", "/desk/requests/CARD-0000-000", "/desk/requests/%00"):
        answer = await tess.get(url)
        assert answer.status_code == 404
        assert "To the board" in answer.text


async def test_a_manager_sees_every_department(desks: Any) -> None:
    mona = await desks("mona")
    board = read((await mona.get("/desk")).text)
    for name in ("Card Processing", "Courier Desk", "Telesales", "Repair Bench"):
        assert name in board


@pytest.mark.parametrize("q", ["martin", "MILLER", "+1 415 555 0132", "martin@example.com"])
async def test_a_request_is_found_by_what_people_know(
    desks: Any, martins: ServiceRequest, q: str
) -> None:
    zoe = await desks("zoe")
    assert martins.reference in (await zoe.get("/desk/search", params={"q": q})).text


async def test_a_whole_reference_leads_straight_to_the_request(
    desks: Any, martins: ServiceRequest
) -> None:
    tess = await desks("tess")
    answer = await tess.get("/desk/search", params={"q": martins.reference.lower()})
    assert answer.headers["Location"] == f"/desk/requests/{martins.reference}"


@pytest.mark.parametrize("q", ["nobody", "%", "_", "\x00%", "<script>", "x" * 5000])
async def test_a_search_that_finds_nothing_says_so(
    desks: Any, martins: ServiceRequest, q: str
) -> None:
    tess = await desks("tess")
    answer = await tess.get("/desk/search", params={"q": q})
    assert answer.status_code == 200
    assert "Nothing fits." in answer.text
    assert "<script>" not in answer.text.replace("<script defer", "")
