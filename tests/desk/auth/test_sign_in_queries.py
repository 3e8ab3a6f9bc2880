"""The sign-in costs one query; only pages count the badges."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from starlette.applications import Starlette

from portal.models import ServiceRequest
from tests.support.desk_client import hidden_fields

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

StatementRecorder = Callable[[], AbstractContextManager[list[str]]]
BADGES = 3
"""Queries for the counts in the bar of an agent's page."""


@pytest.fixture
def statements(app: Starlette) -> StatementRecorder:
    """What the application sends to the database while the block runs."""

    @contextmanager
    def recorded() -> Iterator[list[str]]:
        engine, sent = app.state.database.engine.sync_engine, []

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if not statement.startswith("BEGIN"):
                sent.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        try:
            yield sent
        finally:
            event.remove(engine, "before_cursor_execute", note)

    return recorded


def counts_of(sent: list[str]) -> list[str]:
    return [statement for statement in sent if "count(" in statement.lower()]


async def test_page_costs_one_query_for_the_sign_in_and_one_for_each_badge(
    desk_clients: Any, statements: StatementRecorder
) -> None:
    tess = await desk_clients("tess")
    with statements() as sent:
        page = await tess.get("/desk/keys")
    assert page.status_code == 200
    assert len(sent) == 1 + BADGES, sent
    assert "staff_member" in sent[0]
    assert "membership" in sent[0]


async def test_post_that_redirects_costs_one_query_for_the_sign_in_alone(
    desk_clients: Any, statements: StatementRecorder
) -> None:
    tess = await desk_clients("tess")
    form = hidden_fields((await tess.get("/desk/keys")).text, "/desk/keys") | {"keys": "off"}
    with statements() as sent:
        answer = await tess.client.post("/desk/keys", data=form)
    assert answer.status_code == 303
    assert len(sent) == 1, sent


async def test_action_on_a_request_counts_no_badge_before_it_redirects(
    desk_clients: Any, statements: StatementRecorder, card_request: ServiceRequest
) -> None:
    tess = await desk_clients("tess")
    page = await tess.page(card_request)
    with statements() as sent:
        answer = await tess.submit(card_request, "messages", page=page, body="Hello")
    assert answer.status_code == 303
    assert "staff_member" in sent[0]
    assert counts_of(sent) == []
    with statements() as sent:
        assert (await tess.get("/desk/sign-in")).status_code == 303
    assert len(sent) == 1, sent
