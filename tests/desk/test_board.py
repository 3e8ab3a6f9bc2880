"""The board and the search: which requests they list, in a fixed number of queries."""

import re
from html import unescape
from typing import Any

import pytest
from sqlalchemy import event as sql
from starlette.applications import Starlette

from portal import operations as verbs
from portal.models import CUSTOMER_ACTOR, SYSTEM_ACTOR, ServiceRequest
from portal.operations import CustomerDetails
from tests.support.desk_client import HTMX, hidden_fields, visible_text
from tests.support.factories import Organisation


async def passed_on(organisation: Organisation, request: ServiceRequest) -> ServiceRequest:
    """Tess has passed it to Underwriting, which has not taken it up."""
    return await organisation.run(verbs.advance, request, by=organisation.people.tess.actor)


async def test_board_lists_incoming_handoffs_first(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    waiting = await passed_on(organisation, card_request)
    uma = await desk_clients("uma")
    working = await organisation.open(
        customer=CustomerDetails("Zara Z", "+14155550199"), by=SYSTEM_ACTOR
    )
    working = await passed_on(organisation, working)
    await organisation.run(verbs.accept, working, by=organisation.people.uma.actor)
    board = (await uma.get("/desk")).text
    assert board.index("Incoming handoffs") < board.index(waiting.reference)
    assert board.index(waiting.reference) < board.index("In progress")
    assert board.index("In progress") < board.index(working.reference)
    assert "1 in progress, 1 to accept." in visible_text(board)


async def test_handoff_is_accepted_from_the_board(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await passed_on(organisation, card_request)
    uma = await desk_clients("uma")
    board = (await uma.get("/desk")).text
    url = f"/desk/requests/{card_request.reference}/handoff/accept"
    told = hidden_fields(board, url)
    answer = await uma.client.post(url, data=told, headers=HTMX)
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert "Accepted." in answer.text
    assert (await organisation.reload(card_request)).owner_id == organisation.people.uma.id
    again = await uma.client.post(url, data=told, headers=HTMX)
    assert again.status_code == 409
    assert "has changed since" in again.text
    assert "Underwriting" in again.text


async def test_board_button_works_without_javascript(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await passed_on(organisation, card_request)
    uma = await desk_clients("uma")
    url = f"/desk/requests/{card_request.reference}/handoff/accept"
    answer = await uma.client.post(url, data=hidden_fields((await uma.get("/desk")).text, url))
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/desk?department=underwriting&done=handoff/accept"
    assert "Accepted." in (await uma.get(answer.headers["Location"])).text


async def test_unanswered_text_is_shown_on_the_board(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await organisation.run(
        verbs.receive_web_message, card_request, "My address has changed", by=CUSTOMER_ACTOR
    )
    tess = await desk_clients("tess")
    board = (await tess.get("/desk")).text
    assert board.index("Replies due") < board.index("My address has changed")
    await tess.submit(card_request, "messages", body="Thank you, noted.")
    assert "My address has changed" not in (await tess.get("/desk")).text


async def test_board_is_paged_by_key(desk_clients: Any, organisation: Organisation) -> None:
    for number in range(27):
        await organisation.open(
            customer=CustomerDetails(f"C{number:02}", "+14155550111"), by=SYSTEM_ACTOR
        )
    tess = await desk_clients("tess")
    first = (await tess.get("/desk")).text
    older = unescape(re.search(r'<p class="older"><a href="([^"]+)"', first)[1])  # type: ignore[index]
    second = (await tess.get(older)).text
    names = re.findall(r"<b>(C\d\d)</b>", first) + re.findall(r"<b>(C\d\d)</b>", second)
    assert names == [f"C{number:02}" for number in range(27)]


async def test_query_count_does_not_grow_with_the_board(
    desk_clients: Any, organisation: Organisation, app: Starlette
) -> None:
    tess = await desk_clients("tess")
    counts = []
    seen: list[str] = []
    engine = app.state.database.engine.sync_engine

    def count(_c: object, _cur: object, statement: str, *_: object) -> None:
        seen.append(statement)

    sql.listen(engine, "before_cursor_execute", count)
    for _ in range(3):
        for number in range(4):
            await organisation.open(
                customer=CustomerDetails(f"C{number}", "+14155550111"), by=SYSTEM_ACTOR
            )
        seen.clear()
        await tess.get("/desk")
        counts.append(len(seen))
    sql.remove(engine, "before_cursor_execute", count)
    assert counts[0] == counts[1] == counts[2] <= 20


@pytest.mark.parametrize(
    "place", ["x", "1", "1.2.3", "9" * 30 + ".1", "-1.1", "1.99999999999999999999"]
)
async def test_forged_page_cursor_is_rejected(desk_clients: Any, place: str) -> None:
    tess = await desk_clients("tess")
    answer = await tess.get("/desk", params={"section": "work", "after": place})
    assert answer.status_code == 422


async def test_unknown_department_or_request_is_404(desk_clients: Any) -> None:
    tess = await desk_clients("tess")
    for url in ("/desk?department=none", "/desk/requests/CARD-0000-000", "/desk/requests/%00"):
        answer = await tess.get(url)
        assert answer.status_code == 404
        assert "To the board" in answer.text


async def test_manager_sees_every_department(desk_clients: Any) -> None:
    mona = await desk_clients("mona")
    board = visible_text((await mona.get("/desk")).text)
    for name in ("Card Processing", "Courier Desk", "Telesales", "Repair Bench"):
        assert name in board


@pytest.mark.parametrize("q", ["martin", "MILLER", "+1 415 555 0132", "martin@example.com"])
async def test_search_by_name_phone_and_reference(
    desk_clients: Any, card_request: ServiceRequest, q: str
) -> None:
    zoe = await desk_clients("zoe")
    assert card_request.reference in (await zoe.get("/desk/search", params={"q": q})).text


async def test_full_reference_redirects_to_the_request(
    desk_clients: Any, card_request: ServiceRequest
) -> None:
    tess = await desk_clients("tess")
    answer = await tess.get("/desk/search", params={"q": card_request.reference.lower()})
    assert answer.headers["Location"] == f"/desk/requests/{card_request.reference}"


@pytest.mark.parametrize("q", ["nobody", "%", "_", "\x00%", "<script>", "x" * 5000])
async def test_search_without_results_says_so(
    desk_clients: Any, card_request: ServiceRequest, q: str
) -> None:
    tess = await desk_clients("tess")
    answer = await tess.get("/desk/search", params={"q": q})
    assert answer.status_code == 200
    assert "No results." in answer.text
    assert "<script>" not in answer.text.replace("<script defer", "")
