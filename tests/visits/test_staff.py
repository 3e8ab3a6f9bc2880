"""Staff and other systems book, move and cancel a visit, and say that somebody is on the way."""

from datetime import UTC, datetime

import pytest

from tests.tracking.page_requests import link, read

pytestmark = pytest.mark.either_database


async def test_api_books_and_moves_within_free_windows_only(line, api, said, booked):
    path = f"/requests/{line.reference}"
    windows = (await api.get(f"{path}/visit-windows")).json()["items"]
    assert windows[0] == {"starts_at": "2025-06-04T14:00:00Z", "ends_at": "2025-06-04T16:00:00Z"}
    night = await api.post(f"{path}/visit", json={"at": "2025-06-05T07:00:00Z"})
    assert night.status_code == 409
    assert await booked(line) is None
    given = await api.post(f"{path}/visit", json={"at": "2025-06-05T14:00:00Z"})
    assert given.status_code == 200
    assert "Booked, Martin: Thu 5 Jun, 10 am-noon." in (await said(line))[-1]
    moved = await api.post(f"{path}/visit", json={"at": "2025-06-06T18:00:00Z"})
    assert moved.status_code == 200
    assert "Changed, Martin: Fri 6 Jun, 2-4 pm." in (await said(line))[-1]
    off = await api.post(f"{path}/visit/cancel", json={"reason": "The engineer is ill"})
    assert off.status_code == 200
    assert "Your visit is cancelled." in (await said(line))[-1]
    assert (await api.post(f"{path}/visit/cancel")).status_code == 409


async def test_desk_says_that_somebody_is_on_the_way(
    line, texts, desk_clients, client, clock, said
):
    """Only on the day, and once; the page says who."""
    await texts("Thursday at 10")
    desk = await desk_clients("mona")
    assert "On the way: notify Martin" in await desk.page(line)
    early = await desk.submit(line, "visit/on-the-way")
    assert "The visit is not today." in early.text
    clock.move_to(datetime(2025, 6, 5, 13, 30, tzinfo=UTC))
    desk = await desk_clients("mona")
    await desk.submit(line, "visit/on-the-way")
    assert "is on the way to you." in (await said(line))[-1]
    assert "is on the way." in read(await client.get(link(line)))
    again = await desk.submit(line, "visit/on-the-way")
    assert "told already" in again.text


async def test_desk_lists_free_windows_where_a_time_is_not_free(line, desk_clients, booked):
    desk = await desk_clients("mona")
    refused = await desk.submit(line, "visit", at="2025-06-05T03:00")
    assert "Free are: Wed 4 Jun, 10 am-noon" in refused.text
    assert await booked(line) is None


async def test_api_announces_a_visit_on_its_day_once(line, api, clock, texts, said):
    await texts("tomorrow at 10")
    path = f"/requests/{line.reference}/visit/on-the-way"
    assert (await api.post(path)).status_code == 409
    clock.move_to(datetime(2025, 6, 4, 13, 30, tzinfo=UTC))
    assert (await api.post(path)).status_code == 200
    assert "is on the way to you." in (await said(line))[-1]
    assert (await api.post(path)).status_code == 409
