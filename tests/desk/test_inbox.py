"""The inbox lists conversations that wait for a reply, the earliest promise first."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import httpx2
import pytest
from sqlalchemy import event as sql
from starlette.applications import Starlette

from portal import business_time as kept_clock
from portal import operations as verbs
from portal.models import (
    CUSTOMER_ACTOR,
    SYSTEM_ACTOR,
    ContactChannel,
    ContactReason,
    Promise,
    PromiseKind,
    ServiceRequest,
)
from portal.operations import CustomerDetails
from tests.support.desk_client import DeskClient, visible_text
from tests.support.factories import Organisation

pytestmark = pytest.mark.either_database


once = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


NOON = datetime(2025, 6, 3, 14, tzinfo=UTC)
"""10 am in New York."""


STRANGER = "+14155550177"


async def asks(organisation: Organisation, request: ServiceRequest, words: str) -> ServiceRequest:
    """The customer writes on their page what needs a person."""
    return await organisation.run(verbs.receive_web_message, request, words, by=CUSTOMER_ACTOR)


async def another(organisation: Organisation, name: str) -> ServiceRequest:
    return await organisation.open(customer=CustomerDetails(name, "+14155550111"), by=SYSTEM_ACTOR)


def names(page: str) -> list[str]:
    """Who waits, in order."""
    return re.findall(r'data-call="[^"]*"><b>([^<]+)</b>', page)


async def test_inbox_is_ordered_by_promise_due_time(
    clock: Any, desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Late is said in words; each row leads to the conversation with the box ready."""
    zara = await another(organisation, "Zara Z")
    await asks(organisation, card_request, "Is the form all right? <b>x</b>")
    clock.move_to(NOON + timedelta(hours=1))
    await asks(organisation, zara, "May I change my address?")
    page = (await (await desk_clients("tess")).get("/desk/inbox")).text
    assert names(page) == ["Martin Miller", "Zara Z"]
    said = visible_text(page)
    assert "2 customers waiting, none overdue." in said
    assert "Is the form all right? <b>x</b>" in said
    assert "<b>x</b>" not in page
    assert "by 1 pm, in 2 h" in said
    clock.move_to(NOON + timedelta(minutes=150))
    page = (await (await desk_clients("tess")).get("/desk/inbox")).text
    assert "2 customers waiting, 1 overdue." in visible_text(page)
    assert "overdue by 30 min" in visible_text(page)
    opened = (
        await (await desk_clients("tess")).get(
            f"/desk/requests/{card_request.reference}?from=inbox"
        )
    ).text
    assert re.search(r'<textarea id="body"[^>]* autofocus', opened)
    assert opened.index("Progress</h2>") > 0


async def test_reply_removes_the_conversation(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await asks(organisation, card_request, "Is the form all right?")
    tess = await desk_clients("tess")
    assert "Inbox <span" in (await tess.get("/desk")).text
    await tess.submit(card_request, "messages", body="It is.")
    page = (await tess.get("/desk/inbox")).text
    assert names(page) == []
    assert "Inbox zero." in page
    assert 'href="/desk/inbox">Inbox</a>' in page


@once
async def test_inbox_scope_by_role(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await asks(organisation, card_request, "Is the form all right?")
    for who, address, seen in (
        ("tess", "", 1), ("tess", "?show=mine", 1), ("tom", "", 1), ("tom", "?show=mine", 0),
        ("zoe", "", 0), ("zoe", "?show=all", 0), ("mona", "", 1), ("mona", "?show=mine", 0),
        ("mona", "?department=telesales", 1), ("mona", "?department=courier", 0),
    ):  # fmt: skip
        answer = await (await desk_clients(who)).get(f"/desk/inbox{address}")
        assert len(names(answer.text)) == seen, (who, address)
    assert (
        await (await desk_clients("mona")).get("/desk/inbox?department=none")
    ).status_code == 404


@once
async def test_inbox_is_paged_with_a_fixed_number_of_queries(
    desk_clients: Any, organisation: Organisation, app: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.desk.inbox.endpoints.PAGE_SIZE", 3)
    tess = await desk_clients("tess")
    counts, seen = [], []
    engine = app.state.database.engine.sync_engine

    def count(_c: object, _cur: object, statement: str, *_: object) -> None:
        seen.append(statement)

    sql.listen(engine, "before_cursor_execute", count)
    for begin in (0, 2):
        for number in range(begin, begin + 2):
            await asks(organisation, await another(organisation, f"C{number}"), "Is it all right?")
        seen.clear()
        page = (await tess.get("/desk/inbox")).text
        counts.append(len(seen))
    sql.remove(engine, "before_cursor_execute", count)
    assert counts[0] == counts[1] <= 20
    older = unescape(re.search(r'<p class="older"><a href="([^"]+)"', page)[1])  # type: ignore[index]
    assert names(page) + names((await tess.get(older)).text) == ["C0", "C1", "C2", "C3"]


@once
async def test_promised_call_links_to_the_call_form(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    now = kept_clock.now()
    async with organisation.database.transaction() as session:
        session.add(
            Promise(
                request_id=card_request.id, kind=PromiseKind.CALL, text="Telesales will call you.",
                owner_id=card_request.owner_id, department_id=card_request.department_id,
                made_at=now, due_at=now + timedelta(hours=1),
            )
        )  # fmt: skip
    tess = await desk_clients("tess")
    page = (await tess.get("/desk/inbox")).text
    assert "Call-back due" in visible_text(page)
    url = unescape(re.search(r'data-call="([^"]+)"', page)[1])  # type: ignore[index]
    assert re.search(r"<details[^>]*data-call open>", (await tess.get(url)).text)
    assert "call-back due" in visible_text((await tess.get("/desk")).text)


@once
async def test_contact_reasons_are_counted(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    for reason in (ContactReason.COMPLAINT, ContactReason.WHERE_IS_IT, ContactReason.WHERE_IS_IT):
        await organisation.run(
            verbs.log_contact, card_request, channel=ContactChannel.CALL, reason=reason,
            by=organisation.people.tess.actor,
        )  # fmt: skip
    said = "Contact reasons (7 days): Status question 2, complaint 1"
    assert said in visible_text((await (await desk_clients("tess")).get("/desk/inbox")).text)
    assert said in visible_text((await (await desk_clients("mona")).get("/desk/inbox")).text)
    assert "Contact reasons" not in visible_text(
        (await (await desk_clients("zoe")).get("/desk/inbox")).text
    )


Listen = Callable[[DeskClient, str], Awaitable["asyncio.Queue[bytes]"]]


@pytest.fixture
async def listen(app: Starlette) -> AsyncIterator[Listen]:
    """Open a stream of the desk, as a browser does; gives what it hears."""
    tasks: list[asyncio.Task[None]] = []
    gone = asyncio.Event()

    async def open_stream(desk: DeskClient, path: str) -> asyncio.Queue[bytes]:
        heard: asyncio.Queue[bytes] = asyncio.Queue()
        cookie = "; ".join(f"{name}={value}" for name, value in desk.client.cookies.items())
        path, _, query = path.partition("?")
        scope = {
            "type": "http", "method": "GET", "path": path, "raw_path": path.encode(),
            "query_string": query.encode(), "headers": [(b"cookie", cookie.encode())],
            "scheme": "http", "server": ("testserver", 80), "root_path": "",
            "http_version": "1.1", "client": ("127.0.0.1", 1),
        }  # fmt: skip

        async def receive() -> dict[str, str]:
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            heard.put_nowait(message.get("body", b"") or str(message.get("status", "")).encode())

        tasks.append(asyncio.create_task(app(scope, receive, send)))
        assert await asyncio.wait_for(heard.get(), 5) == b"200"
        assert (await asyncio.wait_for(heard.get(), 5)).startswith(b"retry")
        return heard

    yield open_stream
    gone.set()
    await asyncio.gather(*tasks)


@once
async def test_department_stream_carries_only_its_own_events(
    desk_clients: Any,
    organisation: Organisation,
    app: Starlette,
    card_request: ServiceRequest,
    listen: Listen,
) -> None:
    organisation.operations = app.state.operations
    here = await listen(await desk_clients("tess"), "/desk/live")
    named = await listen(await desk_clients("mona"), "/desk/live?department=telesales")
    elsewhere = await listen(await desk_clients("zoe"), "/desk/live")
    await asks(organisation, card_request, "Is the form all right?")
    for heard in (here, named):
        assert b"event: timeline" in await asyncio.wait_for(heard.get(), 5)
    default_manager = await listen(await desk_clients("ada"), "/desk/live")
    async with organisation.operations.begin(SYSTEM_ACTOR) as uow:
        await verbs.receive_text(uow, sid="SM9", sender=STRANGER, to="+15005550006", body="Hi")
    assert b"event: timeline" in await asyncio.wait_for(default_manager.get(), 5)
    assert elsewhere.empty()
    assert (await httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url="http://testserver"
    ).get("/desk/live")).status_code == 401  # fmt: skip
