"""Files of customers: who may see them at the desk, and the record of who has."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlmodel import col, select
from starlette.applications import Starlette

from portal.database import Database
from portal.models import Attachment, AttachmentRead, ServiceRequest
from portal.operations import accept, advance, assign
from tests.stories.test_authorization_at_the_edges import stream_status
from tests.support.desk_client import DeskClient, visible_text
from tests.support.factories import Organisation
from tests.support.sample_images import photo_with_gps

pytestmark = pytest.mark.either_database

SignIn = Callable[[str], Awaitable[DeskClient]]


@pytest.fixture
async def photo(
    clock: Any, client: httpx2.AsyncClient, card_request: ServiceRequest, database: Database
) -> Attachment:
    """A photo that the customer has sent from the page."""
    assert card_request.live_link
    answer = await client.post(
        f"/r/{card_request.live_link.token}/messages",
        data={"body": "Look"},
        files=[("file", ("crack.jpg", photo_with_gps(), "image/jpeg"))],
    )
    assert answer.status_code == 303, answer.text
    async with database.reading() as session:
        return (await session.exec(select(Attachment))).one()


async def reads(database: Database) -> list[tuple[int, int]]:
    async with database.reading() as session:
        rows = (await session.exec(select(AttachmentRead).order_by(col(AttachmentRead.day)))).all()
    return [(row.attachment_id, row.staff_id) for row in rows]


@pytest.mark.parametrize(
    ("person", "may"),
    [("tom", True), ("paul", False), ("ben", True), ("mona", True), ("ada", True)],
)
async def test_files_are_for_who_has_a_part_for_leads_and_for_managers(
    desk_clients: SignIn,
    organisation: Organisation,
    database: Database,
    card_request: ServiceRequest,
    photo: Attachment,
    person: str,
    *,
    may: bool,
) -> None:
    """Tom works in Telesales, which has it; Ben leads another department; Paul has no part."""
    desk = await desk_clients(person)
    page = await desk.page(card_request)
    url = f"/desk/files/{photo.id}"
    assert (url in page) is may
    assert ("crack.jpg" in page) is may
    answer = await desk.get(url)
    assert answer.status_code == (200 if may else 403)
    assert len(await reads(database)) == (1 if may else 0)
    if not may:
        assert "It is shown to those who have a part in this request" in visible_text(page)
        assert "The files of this customer are shown to those who have a part" in answer.text


async def test_a_department_that_had_a_stage_still_sees_the_files(
    desk_clients: SignIn,
    organisation: Organisation,
    card_request: ServiceRequest,
    photo: Attachment,
) -> None:
    people = organisation.people
    await organisation.run(advance, card_request, by=people.tess.actor)
    await organisation.run(accept, card_request, by=people.uma.actor)
    assert (await (await desk_clients("tom")).get(f"/desk/files/{photo.id}")).status_code == 200


async def test_an_assignee_of_another_department_sees_the_files(
    desk_clients: SignIn,
    organisation: Organisation,
    card_request: ServiceRequest,
    photo: Attachment,
) -> None:
    paul = await desk_clients("paul")
    assert (await paul.get(f"/desk/files/{photo.id}")).status_code == 403
    await organisation.run(
        assign, card_request, owner="paul@acme.example", by=organisation.people.tess.actor
    )
    assert (await paul.get(f"/desk/files/{photo.id}")).status_code == 200


async def test_a_read_is_recorded_once_a_day_and_shown_to_managers(
    clock: Any,
    desk_clients: SignIn,
    organisation: Organisation,
    database: Database,
    card_request: ServiceRequest,
    photo: Attachment,
) -> None:
    tom, mona = await desk_clients("tom"), await desk_clients("mona")
    url = f"/desk/files/{photo.id}"
    await asyncio.gather(*(tom.get(path) for path in (url, f"{url}?small", url)))
    once = [(photo.id, organisation.people.tom.id)]
    assert await reads(database) == once
    assert "Seen by Tom Sales" in visible_text(await mona.page(card_request))
    assert "Seen by" not in visible_text(await tom.page(card_request))
    clock.shift(timedelta(hours=11))
    tom = await desk_clients("tom")
    assert (await tom.get(url)).status_code == 200
    assert await reads(database) == once * 2
    assert (
        visible_text(await (await desk_clients("mona")).page(card_request)).count("Tom Sales (")
        == 1
    )


@pytest.mark.parametrize(
    ("person", "status"), [("tom", 200), ("tess", 200), ("mona", 200), ("ben", 403), ("paul", 403)]
)
async def test_the_stream_of_a_department_is_for_its_members_and_managers(
    app: Starlette, desk_clients: SignIn, organisation: Organisation, person: str, status: int
) -> None:
    """Others read its board and its inbox, which load themselves again."""
    desk = await desk_clients(person)
    cookies = "; ".join(f"{name}={value}" for name, value in desk.client.cookies.items())
    path = "/desk/live?department=telesales"
    assert await stream_status(app, path, cookies) == status
    for page in ("/desk?department=telesales", "/desk/inbox?department=telesales"):
        answer = await desk.get(page)
        assert answer.status_code == 200
        assert (path in answer.text) is (status == 200)
        assert 'data-live=""' not in answer.text
