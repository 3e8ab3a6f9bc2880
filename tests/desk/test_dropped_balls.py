"""What has slipped, at the desk and by API: before whom, what helps, and setting it aside."""

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from html import unescape

import httpx2
import pytest
import time_machine

from portal.database import Database
from portal.models import DroppedBall, ServiceRequest
from portal.operations import Relay
from tests.support.desk_client import Desk, read
from tests.support.dropped_ball_helpers import Watchman
from tests.support.factories import House

pytestmark = pytest.mark.either_database

SignIn = Callable[[str], Awaitable[Desk]]


@pytest.fixture
async def overdue(
    clock: time_machine.Traveller,
    relay: Relay,
    database: Database,
    house: House,
    martins: ServiceRequest,
) -> Watchman:
    """Martin's card has lain with Tess past its time and grace."""
    watch = Watchman(relay, clock, database)
    await watch.pass_time(timedelta(hours=7))
    return watch


async def test_it_is_before_its_owner_with_what_helps(
    overdue: Watchman, desks: SignIn, martins: ServiceRequest
) -> None:
    """Tess finds it in the bar, in her list and above the request; Uma has none before her."""
    tess = await desks("tess")
    page = read((await tess.get("/desk/balls")).text)
    assert "Past its time" in page
    assert "Finish the stage, or tell the customer a new date and why." in page
    assert "This has slipped" in await tess.page(martins)
    uma = await desks("uma")
    assert "Nothing has slipped here." in read((await uma.get("/desk/balls")).text)


async def test_it_is_set_aside_with_a_reason_and_not_without(
    overdue: Watchman, desks: SignIn, martins: ServiceRequest
) -> None:
    """Without words it stays; with them it goes, and the timeline says why and by whom."""
    (ball,) = await overdue.balls()
    tess = await desks("tess")
    refused = await _set_aside(tess, ball, " ")
    assert refused.status_code == 422
    assert "Please give a reason." in refused.text
    done = await _set_aside(tess, ball, "Martin asked for a later start.")
    assert done.status_code == 303
    assert await overdue.balls() == []
    assert "Martin asked for a later start." in await tess.page(martins)
    again = await _set_aside(tess, ball, "Again.")
    assert again.status_code == 409


async def test_who_has_nothing_to_do_with_it_reads_it_and_leaves_it(
    overdue: Watchman, desks: SignIn
) -> None:
    """Another department sees it among everybody's, and may not set it aside."""
    (ball,) = await overdue.balls()
    carl = await desks("carl")
    page = (await carl.get("/desk/balls?show=all")).text
    assert "Past its time" in page
    assert f"/desk/balls/{ball.id}/dismiss" not in page
    refused = await _set_aside(carl, ball, "Not mine.")
    assert refused.status_code == 403
    assert len(await overdue.balls()) == 1


async def test_another_system_reads_and_dismisses(
    overdue: Watchman, api: httpx2.AsyncClient, martins: ServiceRequest
) -> None:
    """The API gives the person as e-mail and name, and takes a reason."""
    (ball,) = (await api.get("/dropped-balls", params={"open": "true"})).json()["items"]
    assert (ball["kind"], ball["reference"]) == ("stage_overdue", martins.reference)
    assert ball["owner"] == {"email": "tess@acme.example", "name": "Tess Sales"}
    assert (await api.post(f"/dropped-balls/{ball['id']}/dismiss", json={})).status_code == 422
    told = await api.post(f"/dropped-balls/{ball['id']}/dismiss", json={"reason": "A test."})
    assert (told.json()["dismissed_by"], told.json()["dismissed_reason"]) == ("crm", "A test.")
    assert (await api.get("/dropped-balls", params={"open": "true"})).json()["items"] == []
    assert (await api.post("/dropped-balls/99999/dismiss", json={"reason": "x"})).status_code == 404


async def _set_aside(desk: Desk, ball: DroppedBall, reason: str) -> httpx2.Response:
    url = f"/desk/balls/{ball.id}/dismiss"
    page = (await desk.get("/desk/keys")).text
    token = re.search(r'name="form_token" value="([^"]*)"', page)
    assert token
    return await desk.client.post(url, data={"form_token": unescape(token[1]), "reason": reason})
