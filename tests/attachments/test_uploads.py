"""Files uploaded on the status page: accepted or rejected with a reason, and shown to those who may see them."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx2
import pytest
from sqlmodel import col, select

from portal.attachments.refusals import FileRefusal, FileRefusalCode
from portal.database import Database
from portal.models import SYSTEM_ACTOR, Attachment, ServiceRequest
from portal.operations import Operations, revoke_link
from portal.operations.conversation.attachments import reject_fetched
from portal.settings import Settings
from tests.support.desk_client import DeskClient, visible_text
from tests.support.factories import Organisation
from tests.support.sample_images import PDF, decompression_bomb, photo
from tests.support.twilio_client import TwilioClient

pytestmark = pytest.mark.either_database

once = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what has nothing to do with the database."""


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """Acme Bank's, with a shelf of its own; no file may be larger than 50 kB."""
    return settings.model_copy(update={"files_dir": tmp_path / "files", "max_upload_bytes": 50_000})


def link(request: ServiceRequest) -> str:
    """The path of its page."""
    return f"/r/{request.links[0].token}"


async def send(
    client: httpx2.AsyncClient, request: ServiceRequest, *files: tuple[str, bytes], body: str = ""
) -> httpx2.Response:
    """The form of the page, as a browser sends it."""
    chosen = [("file", (name, data, "image/jpeg")) for name, data in files]
    return await client.post(f"{link(request)}/messages", data={"body": body}, files=chosen)


async def kept(database: Database) -> list[Attachment]:
    """All files there are."""
    async with database.reading() as session:
        query = select(Attachment).order_by(col(Attachment.id))
        return list((await session.exec(query)).all())


async def test_uploaded_photo_and_pdf_are_shown_at_once(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Without a script and without words; pictures have their size, so nothing jumps."""
    answer = await send(client, card_request, ("crack.jpeg", photo(640, 480)), ("quote.pdf", PDF))
    assert answer.status_code == 303
    page = (await client.get(link(card_request))).text
    [small] = re.findall(r"<img[^>]*>", page)
    assert 'alt="Photo: crack.jpg" width="240" height="180" loading="lazy"' in small
    shown = await client.get(re.search(r'src="([^"]*)"', small)[1])
    assert shown.headers["Content-Type"] == "image/jpeg"
    whole = await client.get(re.search(r'<a href="([^"]*/files/\d+)"><img', page)[1])
    assert len(whole.content) > len(shown.content) > 0
    assert "quote.pdf" in page
    paper = await client.get(re.search(r'href="([^"]*)" download', page)[1])
    assert paper.content == PDF
    assert paper.headers["Content-Disposition"] == 'attachment; filename="quote.pdf"'
    [promise] = (await organisation.reload(card_request)).promises
    assert promise.owner_id == card_request.owner_id


@once
async def test_file_response_is_sandboxed_not_sniffed_and_not_cached(
    client: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    """Whatever it may hold, it is a picture in a sandbox."""
    await send(client, card_request, ("a.png", photo(look="PNG")))
    headers = (await client.get(f"{link(card_request)}/files/1")).headers
    assert headers["Content-Type"] == "image/png"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert headers["Cache-Control"] == "private, no-store"
    assert headers["Referrer-Policy"] == "no-referrer"


@once
@pytest.mark.parametrize(
    ("files", "status", "sentence"),
    [
        ([("virus.jpg", b"MZ\x90\x00")], 415, "We could not take “virus.jpg”: only photos"),
        ([("x.jpg", b"\xff\xd8\xff" + b"x" * 50_000)], 413, "it is larger than"),
        ([("x.jpg", photo()[:100])], 422, "the picture is damaged"),
        ([("x.png", decompression_bomb())], 422, "the picture has too many pixels"),
        ([("ok.jpg", photo()), ("no.jpg", b"<svg/>")], 415, "We could not take “no.jpg”"),
        ([(f"{n}.jpg", photo()) for n in range(6)], 422, "at most 5 files"),
        ([("x.jpg", b"")], 422, "there is nothing in it"),
        ([('"><img src=x>.jpg', b"no")], 415, "only photos"),
    ],
)
async def test_rejected_file_keeps_the_draft_message(
    files: list[tuple[str, bytes]],
    status: int,
    sentence: str,
    client: httpx2.AsyncClient,
    card_request: ServiceRequest,
) -> None:
    """Of several all or none; nothing is recorded, and the words stand in the form again."""
    answer = await send(client, card_request, *files, body="Look at this")
    assert answer.status_code == status
    assert sentence in visible_text(answer.text)
    assert ">Look at this</textarea>" in answer.text
    assert "<img" not in answer.text
    assert "You, on this page" not in visible_text(answer.text)


@once
async def test_oversized_upload_is_rejected_unread(
    client: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    """Only a form with files may be larger than a megabyte, and only as large as its files."""
    answer = await send(client, card_request, ("x.jpg", b"x" * 1_300_000))
    assert answer.status_code == 413
    assert "That is too much at once: please send at most 5 files" in visible_text(answer.text)
    elsewhere = await client.post(
        f"{link(card_request)}/answers", data={"answer": "yes"}, files={"file": b"x" * 1_100_000}
    )
    assert elsewhere.status_code == 413


@once
@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("../../etc/passwd", "passwd.jpg"),
        ("C:\\photos\\me.JPG", "me.jpg"),
        ('a"; filename="evil.html', "a filename= evil.jpg"),
        ("photo\u202egpj.exe", "photogpj.jpg"),
        ("new\r\nline.jpg", "new line.jpg"),
        ("..", "Photo.jpg"),
        ("x" * 300, "x" * 80 + ".jpg"),
        ("mañana 日.jpg", "mañana 日.jpg"),
    ],
)
async def test_filename_is_sanitized(
    said: str,
    name: str,
    client: httpx2.AsyncClient,
    database: Database,
    card_request: ServiceRequest,
) -> None:
    """No folder, no quote, nothing unseen, and the ending of what it is; it names no path."""
    await send(client, card_request, (said, photo()))
    [attachment] = await kept(database)
    assert attachment.name == name
    answer = await client.get(f"{link(card_request)}/files/1")
    assert answer.status_code == 200
    assert "\n" not in answer.headers["Content-Disposition"]


async def test_files_of_other_requests_and_revoked_links_are_404(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    database: Database,
) -> None:
    """404 for all of them, so that nothing is learnt."""
    others = await organisation.open("repair", by=organisation.people.ben.actor)
    await send(client, card_request, ("mine.jpg", photo()))
    [attachment] = await kept(database)
    assert (await client.get(f"{link(card_request)}/files/{attachment.id}")).status_code == 200
    for path in (
        f"{link(others)}/files/{attachment.id}",
        f"/r/unknown/files/{attachment.id}",
        f"{link(card_request)}/files/{(attachment.id or 0) + 1}",
        f"{link(card_request)}/files/{10**30}",
        f"{link(card_request)}/files/x",
    ):
        assert (await client.get(path)).status_code == 404
    await organisation.run(revoke_link, card_request, by=organisation.people.tess.actor)
    assert (await client.get(f"{link(card_request)}/files/{attachment.id}")).status_code == 404
    assert (await send(client, card_request, ("a.jpg", photo()))).status_code == 404


async def test_page_shows_pending_media(
    client: httpx2.AsyncClient, settings: Settings, card_request: ServiceRequest
) -> None:
    """A texted photo that is not fetched yet."""
    form = {"NumMedia": "1", "MediaUrl0": "http://127.0.0.1:9/a"}
    await TwilioClient(client, settings).text("", **form)
    assert "A photo is on its way." in visible_text((await client.get(link(card_request))).text)


async def test_duplicate_photo_is_stored_once(
    client: httpx2.AsyncClient, database: Database, card_request: ServiceRequest, settings: Settings
) -> None:
    """Two rows, one file and its small copy."""
    for _ in range(2):
        await send(client, card_request, ("a.jpg", photo()))
    first, second = await kept(database)
    assert first.digest == second.digest
    assert len([path for path in settings.files_dir.rglob("*") if path.is_file()]) == 2


async def test_only_staff_see_files_at_the_desk(
    client: httpx2.AsyncClient,
    desk_clients: Callable[[str], Awaitable[DeskClient]],
    database: Database,
    card_request: ServiceRequest,
) -> None:
    """As a small picture with its size; whoever is not signed in is sent to the door."""
    await send(client, card_request, ("crack.jpg", photo(400, 200)), ("quote.pdf", PDF))
    picture, _ = await kept(database)
    pia = await desk_clients("pia")
    page = (await pia.get(f"/desk/requests/{card_request.reference}")).text
    url = f"/desk/files/{picture.id}"
    assert f'<img src="{url}?small" alt="Photo: crack.jpg" width="200" height="100"' in page
    assert "A photo without text." in page
    assert "PDF, 1 kB" in page
    shown = await pia.get(url)
    assert (shown.status_code, shown.headers["Content-Type"]) == (200, "image/jpeg")
    assert shown.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert (await pia.get("/desk/files/999")).status_code == 404
    at_the_door = await client.get(url)
    assert at_the_door.status_code == 303
    assert "/desk/sign-in" in at_the_door.headers["Location"]


async def test_refusal_of_a_texted_photo_is_shown_to_staff_and_customer(
    client: httpx2.AsyncClient,
    desk_clients: Callable[[str], Awaitable[DeskClient]],
    settings: Settings,
    operations: Operations,
    card_request: ServiceRequest,
) -> None:
    """In the same plain words."""
    form = {"NumMedia": "1", "MediaUrl0": "http://127.0.0.1:9/a"}
    await TwilioClient(client, settings).text("", **form)
    async with operations.begin(SYSTEM_ACTOR) as uow:
        [waiting] = (await uow.session.exec(select(Attachment))).all()
        await reject_fetched(uow, waiting.id or 0, FileRefusal(FileRefusalCode.DAMAGED))
    pia = await desk_clients("pia")
    for page in (
        await pia.get(f"/desk/requests/{card_request.reference}"),
        await client.get(link(card_request)),
    ):
        assert "could not be taken: the picture is damaged and cannot be shown." in visible_text(
            page.text
        )


async def test_api_returns_attachments_with_a_key(
    client: httpx2.AsyncClient,
    api: httpx2.AsyncClient,
    database: Database,
    card_request: ServiceRequest,
) -> None:
    """Beside its message, and its bytes at its address."""
    await send(client, card_request, ("crack.jpg", photo(400, 200)), body="Look")
    [attachment] = await kept(database)
    heard = (await api.get(f"/requests/{card_request.reference}/messages")).json()["items"][1]
    url = f"/api/v1/attachments/{attachment.id}"
    assert heard["attachments"] == [
        {
            "id": attachment.id, "state": "stored", "name": "crack.jpg", "media_type": "image/jpeg",
            "size": attachment.size, "width": 400, "height": 200, "reason": "", "url": url,
        }
    ]  # fmt: skip
    assert (await api.get(f"/messages/{heard['id']}")).json() == heard
    answer = await api.get(f"/attachments/{attachment.id}")
    assert (answer.headers["Content-Type"], len(answer.content)) == ("image/jpeg", attachment.size)
    assert (await api.get("/attachments/999")).status_code == 404
    assert (await client.get(url)).status_code == 401
