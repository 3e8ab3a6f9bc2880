"""How much one link may post: counted over all its pages, and before a body is read."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
import time_machine
from sqlalchemy.engine import make_url
from sqlmodel import select
from starlette.applications import Starlette

from portal.app import create_app
from portal.models import Consent, ServiceRequest
from portal.operations import replace_link
from portal.settings import Settings
from tests.support.customer_device import link, new_browser
from tests.support.factories import MARTIN, Organisation
from tests.support.sample_images import photo

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

BOUNDARY = "frontier"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """A link may send 100 kB a day, and 80 kB at once."""
    limits = {
        "max_link_bytes_per_day": 100_000,
        "max_message_bytes": 80_000,
        "max_upload_bytes": 50_000,
    }
    return settings.model_copy(update={"files_dir": tmp_path / "files", **limits})


class Body:
    """A body that knows whether anybody has read of it."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.is_read = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.is_read = True
        yield b"x" * self.size

    @property
    def headers(self) -> dict[str, str]:
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        return {"Content-Type": kind, "Content-Length": str(self.size)}


async def post_photo(client: httpx2.AsyncClient, request: ServiceRequest, data: bytes) -> int:
    """A photo from the page; the status of the answer."""
    files = {"file": ("a.jpg", data, "image/jpeg")}
    answer = await client.post(f"{link(request)}/messages", data={"body": ""}, files=files)
    return answer.status_code


async def test_posts_of_one_link_have_one_limit(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    async def ledger() -> int:
        async with organisation.database.reading() as session:
            return len((await session.exec(select(Consent))).all())

    stops = [("preferences", {"do": "stop_texts"}), ("unsubscribe", {"stop": "request"})]
    forms = [("preferences", {"do": "save"}), ("language", {"locale": "es"}),
             ("answers", {"answer": "maybe"}), ("replace", {}),
             ("messages", {"body": "Hello"}), ("forget", {})]  # fmt: skip
    for _ in range(5):
        for path, form in forms:
            answer = await client.post(f"{link(card_request)}/{path}", data=form)
            assert answer.status_code != 429
    for _ in range(15):
        for path, form in stops:
            answer = await client.post(f"{link(card_request)}/{path}", data=form)
            assert answer.status_code == 303
    before = await ledger()
    for path, form in forms + stops:
        answer = await client.post(f"{link(card_request)}/{path}", data=form)
        assert answer.status_code == 429, path
        assert answer.headers["Retry-After"] == "60"
    assert await ledger() == before
    assert (await client.get(link(card_request))).status_code == 200


async def test_limit_of_a_day_names_when_to_try_again(
    clock: time_machine.Traveller, client: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    """The first of 300 posts was 610 seconds ago: 85,790 seconds are left, in whole minutes."""
    for _ in range(10):
        for _ in range(30):
            answer = await client.post(f"{link(card_request)}/forget")
            assert answer.status_code == 303
        clock.shift(timedelta(seconds=61))
    answer = await client.post(f"{link(card_request)}/forget")
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "85800"
    assert "That was too often. Please try again in 24 hours." in answer.text
    message = await client.post(f"{link(card_request)}/messages", data={"body": "Hello"})
    assert message.headers["Retry-After"] == "85800"
    assert "Please try again in 24 hours." in message.text


async def test_new_link_has_no_new_limit(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    for _ in range(30):
        await client.post(f"{link(card_request)}/forget")
    replaced = await organisation.run(replace_link, card_request, by=organisation.people.tess.actor)
    assert (await client.post(f"{link(replaced)}/forget")).status_code == 429


async def test_day_has_a_limit_of_bytes(
    client: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    assert await post_photo(client, card_request, photo() + b"\0" * 45_000) == 303
    body = Body(70_000)
    answer = await client.post(f"{link(card_request)}/messages", content=body, headers=body.headers)
    assert answer.status_code == 429
    assert "more than we can take in one day" in answer.text
    assert answer.headers["Retry-After"] == "86400"
    assert not body.is_read


async def test_refused_body_leaves_what_is_left_of_the_day(
    client: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    assert await post_photo(client, card_request, photo() + b"\0" * 45_000) == 303
    for _ in range(3):
        body = Body(70_000)
        answer = await client.post(
            f"{link(card_request)}/messages", content=body, headers=body.headers
        )
        assert answer.status_code == 429
    assert await post_photo(client, card_request, photo()) == 303


async def test_stored_bytes_count_in_every_process(
    client: httpx2.AsyncClient,
    settings: Settings,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    assert await post_photo(client, card_request, photo(640, 480)) == 303
    day = {"max_link_bytes_per_day": 70_000}
    restarted = create_app(settings.model_copy(update=day))
    body = Body(69_900)
    async with restarted.router.lifespan_context(restarted), new_browser(restarted) as browser:
        answer = await browser.post(
            f"{link(card_request)}/messages", content=body, headers=body.headers
        )
    assert answer.status_code == 429
    assert not body.is_read


async def test_too_many_messages_are_refused_unread(
    client: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    for _ in range(20):
        await client.post(f"{link(card_request)}/messages", data={"body": "?"})
    body = Body(70_000)
    answer = await client.post(f"{link(card_request)}/messages", content=body, headers=body.headers)
    assert answer.status_code == 429
    assert not body.is_read


async def test_message_has_a_limit_of_bytes(
    client: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    body = Body(1_100_000 + 80_000)
    answer = await client.post(f"{link(card_request)}/messages", content=body, headers=body.headers)
    assert answer.status_code == 413
    assert "at most 5 files of 0 MB each, in all 1 MB" in answer.text


async def test_oversized_messages_count_as_posts(
    client: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    """The refusal past the limit is a plain page, which costs no query of the request."""
    path = f"{link(card_request)}/messages"
    for number in range(22):
        body = Body(1_100_000 + 80_000)
        answer = await client.post(path, content=body, headers=body.headers)
        assert not body.is_read
        assert answer.status_code == (413 if number < 20 else 429)
    assert card_request.reference not in answer.text
    assert (await client.post(path, data={"body": "Hello"})).status_code == 429


async def test_oversized_message_of_another_site_is_refused(
    client: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    body = Body(1_100_000 + 80_000)
    headers = {**body.headers, "Origin": "https://other.example"}
    answer = await client.post(f"{link(card_request)}/messages", content=body, headers=headers)
    assert answer.status_code == 403
    assert not body.is_read


@pytest.mark.parametrize("path", ["preferences", "answers", "language", "code", "unsubscribe"])
async def test_form_without_files_is_small(
    client: httpx2.AsyncClient, card_request: ServiceRequest, path: str
) -> None:
    body = Body(65_000)
    answer = await client.post(f"{link(card_request)}/{path}", content=body, headers=body.headers)
    assert answer.status_code == 413
    assert not body.is_read


async def test_limit_of_a_form_is_named(
    client: httpx2.AsyncClient, organisation: Organisation
) -> None:
    answer = await client.post("/", data={"reference": "x" * 65_000})
    assert answer.status_code == 413
    assert "at most 64 kB" in answer.text


async def test_what_was_typed_is_no_endless_key(
    client: httpx2.AsyncClient, app: Starlette, organisation: Organisation
) -> None:
    form = {"reference": "y" * 30_000, "contact": "a@" + "x" * 30_000}
    assert (await client.post("/", data=form)).status_code == 200
    keys = app.state.rate_limiter._limiter.storage.events
    assert keys
    assert max(len(key) for key in keys) < 200


async def test_busy_database_does_not_tell_whether_a_request_exists(
    app: Starlette,
    settings: Settings,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    """The answer comes while another process writes; the link is sent when that has ended."""
    body = urlencode({"reference": card_request.reference, "contact": MARTIN.phone}).encode()
    answered = asyncio.Event()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body"):
            answered.set()

    scope = {
        "type": "http", "method": "POST", "path": "/", "raw_path": b"/", "query_string": b"",
        "root_path": "", "scheme": "http", "http_version": "1.1", "client": ("127.0.0.1", 1),
        "server": ("testserver", 80), "state": {},
        "headers": [(b"content-type", b"application/x-www-form-urlencoded")],
    }  # fmt: skip
    before = len(await organisation.messages())
    writer = sqlite3.connect(make_url(settings.database_url).database or "", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    call = asyncio.create_task(app(scope, receive, send))  # type: ignore[arg-type]
    try:
        async with asyncio.timeout(10):
            await answered.wait()
        assert len(await organisation.messages()) == before
    finally:
        writer.execute("ROLLBACK")
        writer.close()
    await call
    assert len(await organisation.messages()) == before + 1
