"""Dropped balls at the desk and through the API: who sees them, and how they are dismissed."""

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from html import unescape

import httpx2
import pytest
import time_machine

from portal.database import Database
from portal.models import DroppedBall, ServiceRequest
from portal.operations import Operations
from tests.support.desk_client import DeskClient, visible_text
from tests.support.dropped_ball_helpers import DetectionDriver
from tests.support.factories import Organisation

pytestmark = pytest.mark.either_database

SignIn = Callable[[str], Awaitable[DeskClient]]


@pytest.fixture
async def overdue(
    clock: time_machine.Traveller,
    operations: Operations,
    database: Database,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> DetectionDriver:
    """Martin's card has lain with Tess past its time and grace."""
    watch = DetectionDriver(operations, clock, database)
    await watch.advance_clock(timedelta(hours=7))
    return watch


async def test_dropped_ball_is_shown_to_its_assignee_with_actions(
    overdue: DetectionDriver, desk_clients: SignIn, card_request: ServiceRequest
) -> None:
    """Tess finds it in the bar, in her list and above the request; Uma has none before her."""
    tess = await desk_clients("tess")
    page = visible_text((await tess.get("/desk/balls")).text)
    assert "Overdue" in page
    assert "Complete the stage, or change the due date and notify the customer." in page
    assert "Needs attention</h2>" in await tess.page(card_request)
    uma = await desk_clients("uma")
    assert "Nothing needs attention." in visible_text((await uma.get("/desk/balls")).text)


async def test_dismissal_requires_a_reason(
    overdue: DetectionDriver, desk_clients: SignIn, card_request: ServiceRequest
) -> None:
    """Without words it stays; with them it goes, and the timeline says why and by whom."""
    (ball,) = await overdue.balls()
    tess = await desk_clients("tess")
    refused = await _set_aside(tess, ball, " ")
    assert refused.status_code == 422
    assert "Please give a reason." in refused.text
    done = await _set_aside(tess, ball, "Martin asked for a later start.")
    assert done.status_code == 303
    assert await overdue.balls() == []
    assert "Martin asked for a later start." in await tess.page(card_request)
    again = await _set_aside(tess, ball, "Again.")
    assert again.status_code == 409


async def test_uninvolved_staff_can_read_and_not_dismiss(
    overdue: DetectionDriver, desk_clients: SignIn
) -> None:
    """Another department sees it among everybody's, and may not set it aside."""
    (ball,) = await overdue.balls()
    carl = await desk_clients("carl")
    page = (await carl.get("/desk/balls?show=all")).text
    assert "Overdue" in page
    assert f"/desk/balls/{ball.id}/dismiss" not in page
    refused = await _set_aside(carl, ball, "Not mine.")
    assert refused.status_code == 403
    assert len(await overdue.balls()) == 1


async def test_api_lists_and_dismisses_dropped_balls(
    overdue: DetectionDriver, api: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    """The API gives the person as e-mail and name, and takes a reason."""
    (ball,) = (await api.get("/dropped-balls", params={"open": "true"})).json()["items"]
    assert (ball["kind"], ball["reference"]) == ("stage_overdue", card_request.reference)
    assert ball["owner"] == {"email": "tess@acme.example", "name": "Tess Sales"}
    assert (await api.post(f"/dropped-balls/{ball['id']}/dismiss", json={})).status_code == 422
    told = await api.post(f"/dropped-balls/{ball['id']}/dismiss", json={"reason": "A test."})
    assert (told.json()["dismissed_by"], told.json()["dismissed_reason"]) == ("crm", "A test.")
    assert (await api.get("/dropped-balls", params={"open": "true"})).json()["items"] == []
    assert (await api.post("/dropped-balls/99999/dismiss", json={"reason": "x"})).status_code == 404


async def _set_aside(desk: DeskClient, ball: DroppedBall, reason: str) -> httpx2.Response:
    url = f"/desk/balls/{ball.id}/dismiss"
    page = (await desk.get("/desk/keys")).text
    token = re.search(r'name="form_token" value="([^"]*)"', page)
    assert token
    return await desk.client.post(url, data={"form_token": unescape(token[1]), "reason": reason})
