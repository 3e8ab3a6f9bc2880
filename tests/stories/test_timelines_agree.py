"""The customer's page, the desk and the API show the same state of each stage."""

import re
from collections.abc import Awaitable, Callable

import httpx2
import pytest
from starlette.applications import Starlette

from portal.models import ServiceRequest
from portal.operations import accept, advance, cancel, hold, reopen
from tests.support.desk_client import DeskClient
from tests.support.factories import Organisation

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

API_STATES = {
    "current": "open",
    "paused": "open",
    "handed_off": "waiting_acceptance",
    "upcoming": "upcoming",
    "skipped": "upcoming",
    "done": "done",
    "ended": "cancelled",
}


@pytest.fixture
async def states(
    app: Starlette,
    api: httpx2.AsyncClient,
    desk_clients: Callable[[str], Awaitable[DeskClient]],
) -> Callable[[ServiceRequest], Awaitable[list[str]]]:
    """The states on the page, once desk and API are seen to agree with them."""
    mona = await desk_clients("mona")

    async def read(request: ServiceRequest) -> list[str]:
        assert request.live_link
        page = await app.state.status_pages.build_page(request.live_link.token)
        shown = [step.state for group in page.step_groups for step in group]
        answer = (await api.get(f"/requests/{request.reference}")).json()
        assert [stage["state"] for stage in answer["stages"]] == [
            API_STATES[state] for state in shown
        ]
        timeline = (
            (await mona.page(request)).partition('<ol class="relay">')[2].partition("</ol>")[0]
        )
        at_desk = re.findall(r'<li class="(\w+)"', timeline)
        assert at_desk == [state.replace("ended", "skipped") for state in shown]
        return shown

    return read


async def test_each_state_is_the_same_on_page_desk_and_api(
    states: Callable[[ServiceRequest], Awaitable[list[str]]],
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    people = organisation.people
    ahead = ["upcoming", "upcoming", "upcoming"]
    assert await states(card_request) == ["current", "upcoming", *ahead]
    card = await organisation.run(advance, card_request, by=people.tess.actor)
    assert await states(card) == ["done", "handed_off", *ahead]
    card = await organisation.run(accept, card, by=people.uma.actor)
    card = await organisation.run(hold, card, by=people.uma.actor, reason="A map is missing.")
    assert await states(card) == ["done", "paused", *ahead]
    card = await organisation.run(cancel, card, by=people.mona.actor, reason="They said so.")
    assert await states(card) == ["done", "ended", "skipped", "skipped", "skipped"]
    card = await organisation.run(
        reopen, card, by=people.mona.actor, stage="received", reason="They want it after all."
    )
    assert await states(card) == ["current", "upcoming", *ahead]
