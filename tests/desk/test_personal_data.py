"""Personal data at the desk: admins alone, a copy, an erasure, and when each is due."""

import asyncio
import io
import json
import re
import zipfile
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
import time_machine
from sqlmodel import select
from starlette.applications import Starlette

from portal.database import Database
from portal.errors import BadInput
from portal.models import PersonRequest, ServiceRequest
from portal.operations.privacy.export import PersonExport
from portal.settings import Settings
from tests.support.desk_client import DeskClient, hidden_fields, visible_text
from tests.support.factories import MARTHA, MARTIN, Organisation

PAGE = "/desk/personal-data"
PHONE = MARTIN.phone or ""
SignIn = Callable[[str], Awaitable[DeskClient]]


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """With a folder for files."""
    return settings.model_copy(update={"files_dir": tmp_path / "files"})


@pytest.fixture
async def ada(
    clock: time_machine.Traveller, card_request: ServiceRequest, desk_clients: SignIn
) -> DeskClient:
    """The admin, after Martin has asked for a card."""
    return await desk_clients("ada")


async def send(desk: DeskClient, url: str = PAGE, **typed: str) -> httpx2.Response:
    """Send a form of the page."""
    page = (await desk.get(PAGE)).text
    return await desk.client.post(url, data=hidden_fields(page, PAGE) | typed)


async def first_id(database: Database) -> int:
    async with database.reading() as session:
        return (await session.exec(select(PersonRequest.id))).first() or 0


@pytest.mark.parametrize("name", ["mona", "tess"])
async def test_page_and_forms_are_for_admins_only(
    card_request: ServiceRequest, desk_clients: SignIn, name: str, database: Database
) -> None:
    desk = await desk_clients(name)
    page = await desk.get(PAGE)
    assert page.status_code == 403
    assert PAGE not in (await desk.get("/desk")).text
    form = hidden_fields((await desk.get("/desk/replies")).text, "/desk/sign-out")
    for url in (PAGE, f"{PAGE}/1/export", f"{PAGE}/1/erase"):
        refused = await desk.client.post(url, data=form | {"address": PHONE, "verb": "find"})
        assert refused.status_code == 403
    assert await first_id(database) == 0


async def test_form_without_its_token_is_refused(ada: DeskClient, database: Database) -> None:
    refused = await ada.client.post(PAGE, data={"address": PHONE, "verb": "erase"})
    assert refused.status_code == 403
    assert await first_id(database) == 0


async def test_look_up_counts_what_is_kept(ada: DeskClient) -> None:
    found = await send(ada, address=PHONE, verb="find")
    assert "1 requests, 1 messages, 0 files" in visible_text(found.text)
    assert (await send(ada, address="nobody@example.com", verb="find")).status_code == 404
    assert (await send(ada, address="12", verb="find")).status_code == 422
    assert (await send(ada, address=PHONE, verb="sell")).status_code == 422


async def test_request_for_a_copy_is_due_in_a_month_and_done_by_its_download(
    ada: DeskClient, database: Database
) -> None:
    recorded = await send(ada, address=PHONE, verb="export")
    assert recorded.status_code == 303
    page = visible_text((await ada.get(PAGE)).text)
    assert "Due 3 Jul 2025" in page
    assert "recorded by Ada Admin" in page
    copy = await send(ada, f"{PAGE}/{await first_id(database)}/export")
    assert copy.headers["Content-Type"] == "application/zip"
    assert copy.headers["Cache-Control"] == "no-store"
    with zipfile.ZipFile(io.BytesIO(copy.content)) as archive:
        document = json.loads(archive.read("person.json"))
    assert document["person"][0]["name"] == "Martin Miller"
    page = visible_text((await ada.get(PAGE)).text)
    assert "3 Jun 2025 by Ada Admin" in page
    again = await send(ada, f"{PAGE}/{await first_id(database)}/export")
    assert again.status_code == 409


async def test_copy_that_cannot_be_written_is_still_owed(
    ada: DeskClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await send(ada, address=PHONE, verb="export")
    url = f"{PAGE}/{await first_id(database)}/export"

    def fail(*_: object) -> None:
        raise BadInput("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(PersonExport, "write_zip", fail)
        assert (await send(ada, url)).status_code == 422
    assert (await send(ada, url)).headers["Content-Type"] == "application/zip"


async def test_copy_that_was_not_sent_whole_can_be_downloaded_again(
    app: Starlette, ada: DeskClient, database: Database
) -> None:
    await send(ada, address=PHONE, verb="export")
    url = f"{PAGE}/{await first_id(database)}/export"
    form = urlencode(hidden_fields((await ada.get(PAGE)).text, PAGE)).encode()
    cookie = "; ".join(f"{name}={value}" for name, value in ada.client.cookies.items())
    scope = {
        "type": "http", "method": "POST", "path": url, "raw_path": url.encode(),
        "query_string": b"", "root_path": "", "scheme": "http", "http_version": "1.1",
        "headers": [
            (b"host", b"testserver"), (b"cookie", cookie.encode()),
            (b"content-type", b"application/x-www-form-urlencoded"),
        ],
        "server": ("testserver", 80), "client": ("127.0.0.1", 1), "state": {}, "asgi": {"version": "3.0", "spec_version": "2.3"},
    }  # fmt: skip
    received = [{"type": "http.request", "body": form, "more_body": False}]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return received.pop() if received else {"type": "http.disconnect"}

    async def send_to_nobody(message: Any) -> None:
        sent.append(message)
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    await app(scope, receive, send_to_nobody)
    assert sent[0]["status"] == 200
    again = await send(ada, url)
    assert again.status_code == 200
    assert zipfile.is_zipfile(io.BytesIO(again.content))


async def test_overdue_request_is_marked(ada: DeskClient, clock: time_machine.Traveller) -> None:
    await send(ada, address=PHONE, verb="erase")
    assert "Overdue" not in (await ada.get(PAGE)).text
    clock.shift(timedelta(days=31))
    await with_new_sign_in(ada)
    page = (await ada.get(PAGE)).text
    assert re.search(r'class="late">Overdue since 3 Jul 2025', page)


async def with_new_sign_in(desk: DeskClient) -> None:
    """A sign-in ends after twelve hours."""
    told = {"email": "ada@acme.example", "password": "correct horse battery"}
    assert (await desk.client.post("/desk/sign-in", data=told)).status_code == 303


async def test_same_request_is_recorded_once(ada: DeskClient) -> None:
    assert (await send(ada, address=PHONE, verb="erase")).status_code == 303
    again = await send(ada, address="+1 (415) 555-0132", verb="erase")
    assert again.status_code == 409
    assert "recorded already" in again.text


async def test_erasure_needs_confirmation_and_names_open_requests(
    ada: DeskClient, database: Database, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await send(ada, address=PHONE, verb="erase")
    url = f"{PAGE}/{await first_id(database)}/erase"
    unsure = await send(ada, url)
    assert unsure.status_code == 422
    open_ = await send(ada, url, sure="yes")
    assert open_.status_code == 409
    assert card_request.reference in open_.text
    assert (await organisation.reload(card_request)).customer.name == "Martin Miller"
    done = await send(ada, url, sure="yes", cancel_open="yes")
    assert done.status_code == 303
    assert (await organisation.reload(card_request)).customer.name == "Erased person"
    page = (await ada.get(PAGE)).text
    assert PHONE not in page
    assert "by Ada Admin" in visible_text(page)


async def test_shared_phone_needs_the_name(
    ada: DeskClient, organisation: Organisation, database: Database
) -> None:
    await organisation.open("repair", MARTHA, by=organisation.people.mona.actor)
    unnamed = await send(ada, address=PHONE, verb="export")
    assert unnamed.status_code == 409
    assert "Martha Miller, Martin Miller" in unnamed.text
    assert (await send(ada, address=PHONE, name="Martha Miller", verb="export")).status_code == 303
    copy = await send(ada, f"{PAGE}/{await first_id(database)}/export")
    with zipfile.ZipFile(io.BytesIO(copy.content)) as archive:
        text = archive.read("person.json").decode()
    assert "Martha" in text
    assert "Martin" not in text


async def test_erasure_of_one_person_at_a_shared_phone_leaves_no_name(
    ada: DeskClient, organisation: Organisation, database: Database
) -> None:
    await organisation.open("repair", MARTHA, by=organisation.people.mona.actor)
    await send(ada, address=PHONE, name="Martin Miller", verb="erase")
    await send(ada, address=PHONE, name="Martha Miller", verb="export")
    url = f"{PAGE}/{await first_id(database)}/erase"
    assert (await send(ada, url, sure="yes", cancel_open="yes")).status_code == 303
    page = (await ada.get(PAGE)).text
    assert "Martin" not in page
    assert "Martha Miller" in page


async def test_person_who_asks_for_a_copy_is_not_erased_before_they_have_it(
    ada: DeskClient, database: Database
) -> None:
    await send(ada, address=PHONE, verb="erase")
    await send(ada, address=MARTIN.email or "", verb="export")
    url = f"{PAGE}/{await first_id(database)}/erase"
    refused = await send(ada, url, sure="yes", cancel_open="yes")
    assert refused.status_code == 409
    assert "asked for a copy" in refused.text


@pytest.mark.parametrize("path", ["x/erase", "99/erase", "99/sell", "9" * 30 + "/export"])
async def test_unknown_request_is_not_found(ada: DeskClient, path: str) -> None:
    assert (await send(ada, f"{PAGE}/{path}")).status_code == 404
