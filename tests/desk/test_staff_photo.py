"""A photo of staff: small, without metadata, seen by the customers whose requests they have."""

import io
import re
from collections.abc import Awaitable, Callable

import httpx2
import pytest
from PIL import Image
from sqlmodel import select

from portal.database import Database
from portal.models import ServiceRequest, StaffPhoto
from portal.operations import accept, advance, disable_staff
from tests.support.customer_device import link
from tests.support.desk_client import DeskClient, hidden_fields, visible_text
from tests.support.factories import Organisation
from tests.support.sample_images import PDF, decompression_bomb, heic_photo, photo, photo_with_gps
from tests.tracking.page_requests import read
from tests.tracking.test_share_link import share

pytestmark = pytest.mark.either_database

SignIn = Callable[[str], Awaitable[DeskClient]]
PAGE, PHOTO, REMOVE = "/desk/account", "/desk/account/photo", "/desk/account/photo/remove"
NOISE = Image.effect_noise((400, 300), 120).convert("RGB")


def noisy(look: str) -> bytes:
    """A picture that packs badly."""
    drawn = io.BytesIO()
    NOISE.save(drawn, look)
    return drawn.getvalue()


async def choose(desk: DeskClient, data: bytes, name: str = "me.jpg") -> httpx2.Response:
    """Choose the file in the form of one's own page and send it."""
    form = hidden_fields((await desk.get(PAGE)).text, PHOTO)
    return await desk.client.post(PHOTO, data=form, files=[("file", (name, data, "image/jpeg"))])


async def photos(database: Database) -> list[StaffPhoto]:
    async with database.reading() as session:
        return list((await session.exec(select(StaffPhoto))).all())


def face_of(page: httpx2.Response) -> str:
    """The address of the photo on the status page; empty without one."""
    found = re.search(r'<img class="face" src="([^"]+)" alt="Tess"', page.text)
    return found[1] if found else ""


async def test_photo_is_on_the_pages_of_the_requests_that_the_person_has(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    desk_clients: SignIn,
) -> None:
    tess = await desk_clients("tess")
    before = await client.get(link(card_request))
    assert '<i class="face" aria-hidden="true">T</i>' in before.text
    done = await choose(tess, photo_with_gps())
    assert done.headers["Location"] == "/desk/account?done=photo"
    own = (await tess.get(PAGE)).text
    assert 'alt="Tess Sales"' in own
    assert (await tess.get(PHOTO)).headers["Content-Type"] == "image/webp"
    face = face_of(await client.get(link(card_request)))
    assert face.startswith(f"{link(card_request)}/faces/")
    answer = await client.get(face)
    assert answer.headers["Content-Type"] == "image/webp"
    assert "max-age=31536000" in answer.headers["Cache-Control"]
    with Image.open(io.BytesIO(answer.content)) as shown:
        assert shown.size == (96, 96)
        assert not shown.getexif()
    assert b"Secretphone" not in answer.content


async def test_photo_is_not_found_by_the_link_of_another_request_or_once_it_is_passed_on(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    desk_clients: SignIn,
) -> None:
    people = organisation.people
    other = await organisation.open("repair", by=people.ben.actor)
    await choose(await desk_clients("tess"), photo())
    face = face_of(await client.get(link(card_request)))
    digest = face.rpartition("/")[2]
    for path in (
        f"{link(other)}/faces/{digest}", f"/r/{'A' * 22}/faces/{digest}",
        f"{link(card_request)}/faces/1", f"{link(card_request)}/faces/%00",
    ):  # fmt: skip
        assert (await client.get(path)).status_code == 404, path
    assert "/faces/" not in (await client.get(await share(client, card_request))).text
    await organisation.run(advance, card_request, by=people.tess.actor)
    await organisation.run(accept, card_request, by=people.uma.actor)
    assert face_of(await client.get(link(card_request))) == ""
    assert (await client.get(face)).status_code == 404


async def test_photo_is_removed_with_a_press_and_replaced(
    client: httpx2.AsyncClient,
    database: Database,
    card_request: ServiceRequest,
    desk_clients: SignIn,
) -> None:
    tess = await desk_clients("tess")
    await choose(tess, photo())
    first = face_of(await client.get(link(card_request)))
    await choose(tess, noisy("PNG"))
    second = face_of(await client.get(link(card_request)))
    assert first != second
    assert (await client.get(first)).status_code == 404
    form = hidden_fields((await tess.get(PAGE)).text, REMOVE)
    for _ in range(2):
        assert (await tess.client.post(REMOVE, data=form)).status_code == 303
    assert await photos(database) == []
    assert face_of(await client.get(link(card_request))) == ""
    assert (await tess.get(PHOTO)).status_code == 404
    assert "Remove the photo" not in visible_text((await tess.get(PAGE)).text)


async def test_photo_is_erased_with_who_leaves(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    database: Database,
    card_request: ServiceRequest,
    desk_clients: SignIn,
) -> None:
    await choose(await desk_clients("tess"), photo())
    await organisation.run_unbound(
        disable_staff, email="tess@acme.example", by=organisation.people.ada.actor
    )
    assert await photos(database) == []
    assert "Tom" in read(await client.get(link(card_request)))


@pytest.mark.parametrize(
    "data",
    [photo(), photo(look="PNG", mode="RGBA"), noisy("WEBP"), noisy("JPEG"), heic_photo()],
    ids=["jpeg", "png", "webp", "noise", "heic"],
)
async def test_every_kind_of_photo_becomes_a_small_square(
    database: Database, organisation: Organisation, desk_clients: SignIn, data: bytes
) -> None:
    assert (await choose(await desk_clients("tess"), data)).status_code == 303
    [stored] = await photos(database)
    assert len(stored.image) <= 4_000
    with Image.open(io.BytesIO(stored.image)) as picture:
        assert picture.width == picture.height
        assert 64 <= picture.width <= 96


@pytest.mark.parametrize(
    ("data", "status", "says"),
    [
        (PDF, 415, "Please choose a photo: JPEG, PNG, WebP or HEIC."),
        (b"MZ no photo", 415, "Please choose a photo: JPEG, PNG, WebP or HEIC."),
        (b"", 422, ""),
        (photo()[:200], 422, "the picture is damaged"),
        (decompression_bomb(), 422, "the picture has too many pixels"),
    ],
    ids=["pdf", "program", "empty", "cut", "bomb"],
)
async def test_what_is_no_photo_is_refused_kindly_and_changes_nothing(
    database: Database,
    organisation: Organisation,
    desk_clients: SignIn,
    data: bytes,
    status: int,
    says: str,
) -> None:
    refused = await choose(await desk_clients("tess"), data)
    assert refused.status_code == status
    assert says in visible_text(refused.text)
    assert await photos(database) == []


async def test_form_without_a_file_is_refused_kindly(
    organisation: Organisation, desk_clients: SignIn
) -> None:
    tess = await desk_clients("tess")
    form = hidden_fields((await tess.get(PAGE)).text, PHOTO)
    refused = await tess.client.post(PHOTO, data=form)
    assert refused.status_code == 422
    assert "Please choose a photo." in visible_text(refused.text)
