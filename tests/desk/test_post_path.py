"""A POST at the desk takes a short way: it loads the request once and passes few functions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from starlette.applications import Starlette

from portal.models import ServiceRequest
from tests.support.count_calls import counted_calls
from tests.support.desk_client import HTMX, visible_text

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

OPERATION = "operations.transitions:advance"
MAX_FUNCTIONS = 22
"""Up to the operation, which counts as one: what it passes is counted in
`tests/operations/test_path_length.py`."""
FORMS: dict[str, dict[str, str]] = {
    "advance": {"handover": "She prefers a call."},
    "cancel": {"reason": "Ordered twice."},
    "contacts": {"channel": "call", "reason": "where_is_it", "note": "Asked when."},
    "hold": {"reason": "We wait for the bank."},
    "link/reissue": {},
    "messages": {"body": "I will call you tomorrow at 3pm."},
    "minds": {"text": "Prefers mornings."},
    "promises": {"text": "call back", "due_at": "2099-01-01T10:00", "zone": "UTC"},
}


@contextmanager
def loads_of_request(app: Starlette) -> Iterator[list[str]]:
    """The statements that select one request, while the block runs."""
    engine, found = app.state.database.engine.sync_engine, []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        _, _, condition = statement.partition("FROM service_request ")
        if statement.startswith("SELECT") and condition.lstrip().startswith(
            ("WHERE service_request.reference =", "WHERE service_request.id =")
        ):
            found.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("verb", FORMS)
@pytest.mark.parametrize("htmx", [True, False])
async def test_action_loads_the_request_once(
    desk_clients: Any, app: Starlette, card_request: ServiceRequest, *, htmx: bool, verb: str
) -> None:
    tess = await desk_clients("tess")
    page = await tess.page(card_request)
    with loads_of_request(app) as loads:
        answer = await tess.submit(card_request, verb, page=page, htmx=htmx, **FORMS[verb])
    assert answer.status_code == (200 if htmx else 303)
    assert len(loads) == 1, loads


@pytest.mark.parametrize("htmx", [True, False])
async def test_button_of_the_board_loads_its_request_once(
    desk_clients: Any, app: Starlette, card_request: ServiceRequest, *, htmx: bool
) -> None:
    tess = await desk_clients("tess")
    page = await tess.page(card_request)
    with loads_of_request(app) as loads:
        answer = await tess.submit(card_request, "advance", page=page, htmx=htmx, back="board")
    assert answer.status_code == (200 if htmx else 303)
    assert len(loads) == 1, loads


async def test_preview_of_a_promise_loads_the_request_once(
    desk_clients: Any, app: Starlette, card_request: ServiceRequest
) -> None:
    tess = await desk_clients("tess")
    page = await tess.page(card_request)
    with loads_of_request(app) as loads:
        answer = await tess.submit(card_request, "promises", page=page, text="call at 3pm")
    assert "call" in visible_text(answer.text)
    assert len(loads) == 1, loads


@pytest.mark.parametrize("verb", FORMS)
async def test_answer_shows_what_a_page_loaded_anew_shows(
    clock: Any, desk_clients: Any, card_request: ServiceRequest, verb: str
) -> None:
    tess = await desk_clients("tess")
    answer = await tess.submit(card_request, verb, htmx=True, **FORMS[verb])
    url = f"/desk/requests/{card_request.reference}?done={verb}"
    anew = await tess.get(url, headers=HTMX)
    assert visible_text(answer.text) == visible_text(anew.text)


async def test_post_passes_few_functions(desk_clients: Any, card_request: ServiceRequest) -> None:
    tess = await desk_clients("tess")
    page = await tess.page(card_request)
    with counted_calls() as count:
        answer = await tess.submit(card_request, "advance", page=page)
    assert answer.status_code == 303
    way = count.functions[: count.functions.index(OPERATION) + 1]
    assert len(way) <= MAX_FUNCTIONS, "\n".join(way)
