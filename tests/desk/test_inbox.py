"""The inbox: whoever waits for our word stands in it, the oldest promise first."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import httpx2
import pytest
from sqlalchemy import event as sql
from sqlmodel import select
from starlette.applications import Starlette

from portal import business_time as kept_clock
from portal import operations as verbs
from portal.models import (
    KEPT,
    THE_CUSTOMER,
    ContactChannel,
    ContactReason,
    DroppedBall,
    MessageKind,
    Promise,
    PromiseKind,
    ServiceRequest,
)
from portal.operations import CustomerDetails
from portal.settings import Settings
from tests.support.desk_client import HTMX, Desk, hidden_fields, read
from tests.support.factories import MARTIN, House
from tests.support.twilio_client import Twilio

pytestmark = pytest.mark.either_database

once = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

NOON = datetime(2025, 6, 3, 14, tzinfo=UTC)
"""10 am in New York."""
STRANGER = "+14155550177"


async def asks(house: House, request: ServiceRequest, words: str) -> ServiceRequest:
    """The customer writes on their page what needs a person."""
    return await house.do(verbs.receive_web_message, request, words, by=THE_CUSTOMER)


async def another(house: House, name: str) -> ServiceRequest:
    return await house.open(customer=CustomerDetails(name, "+14155550111"), by=KEPT)


def names(page: str) -> list[str]:
    """Who waits, in order."""
    return re.findall(r'data-call="[^"]*"><b>([^<]+)</b>', page)


async def test_who_waits_stands_in_order_with_their_words_and_by_when(
    clock: Any, desks: Any, house: House, martins: ServiceRequest
) -> None:
    """Late is said in words; each row leads to the conversation with the box ready."""
    zara = await another(house, "Zara Z")
    await asks(house, martins, "Is the form all right? <b>x</b>")
    clock.move_to(NOON + timedelta(hours=1))
    await asks(house, zara, "May I change my address?")
    page = (await (await desks("tess")).get("/desk/inbox")).text
    assert names(page) == ["Martin Miller", "Zara Z"]
    said = read(page)
    assert "2 customers wait, none too long." in said
    assert "Is the form all right? <b>x</b>" in said
    assert "<b>x</b>" not in page
    assert "by 1 pm, in 2 h" in said
    clock.move_to(NOON + timedelta(minutes=150))
    page = (await (await desks("tess")).get("/desk/inbox")).text
    assert "2 customers wait, 1 late." in read(page)
    assert "late by 30 min" in read(page)
    opened = (
        await (await desks("tess")).get(f"/desk/requests/{martins.reference}?from=inbox")
    ).text
    assert re.search(r'<textarea id="body"[^>]* autofocus', opened)
    assert opened.index("The way so far") > 0


async def test_an_answer_takes_the_customer_out_of_the_inbox(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    await asks(house, martins, "Is the form all right?")
    tess = await desks("tess")
    assert "Inbox <span" in (await tess.get("/desk")).text
    await tess.press(martins, "messages", body="It is.")
    page = (await tess.get("/desk/inbox")).text
    assert names(page) == []
    assert "Nobody waits for an answer" in page
    assert 'href="/desk/inbox">Inbox</a>' in page


@once
async def test_each_sees_their_own_their_departments_and_managers_all(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    await asks(house, martins, "Is the form all right?")
    for who, address, seen in (
        ("tess", "", 1), ("tess", "?show=mine", 1), ("tom", "", 1), ("tom", "?show=mine", 0),
        ("zoe", "", 0), ("zoe", "?show=all", 0), ("mona", "", 1), ("mona", "?show=mine", 0),
        ("mona", "?department=telesales", 1), ("mona", "?department=courier", 0),
    ):  # fmt: skip
        answer = await (await desks(who)).get(f"/desk/inbox{address}")
        assert len(names(answer.text)) == seen, (who, address)
    assert (await (await desks("mona")).get("/desk/inbox?department=none")).status_code == 404


@once
async def test_a_long_inbox_pages_and_costs_the_same_however_long_it_is(
    desks: Any, house: House, app: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.desk.inbox.endpoints.A_PAGE", 3)
    tess = await desks("tess")
    counts, seen = [], []
    engine = app.state.database.engine.sync_engine

    def count(_c: object, _cur: object, statement: str, *_: object) -> None:
        seen.append(statement)

    sql.listen(engine, "before_cursor_execute", count)
    for begin in (0, 2):
        for number in range(begin, begin + 2):
            await asks(house, await another(house, f"C{number}"), "Is it all right?")
        seen.clear()
        page = (await tess.get("/desk/inbox")).text
        counts.append(len(seen))
    sql.remove(engine, "before_cursor_execute", count)
    assert counts[0] == counts[1] <= 20
    older = unescape(re.search(r'<p class="older"><a href="([^"]+)"', page)[1])  # type: ignore[index]
    assert names(page) + names((await tess.get(older)).text) == ["C0", "C1", "C2", "C3"]


@once
async def test_a_promised_call_stands_there_and_leads_to_the_form_for_it(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    now = kept_clock.now()
    async with house.database.transaction() as session:
        session.add(
            Promise(
                request_id=martins.id, kind=PromiseKind.CALL, text="Telesales will call you.",
                owner_id=martins.owner_id, department_id=martins.department_id,
                made_at=now, due_at=now + timedelta(hours=1),
            )
        )  # fmt: skip
    tess = await desks("tess")
    page = (await tess.get("/desk/inbox")).text
    assert "wants a call" in read(page)
    url = unescape(re.search(r'data-call="([^"]+)"', page)[1])  # type: ignore[index]
    assert re.search(r"<details[^>]*data-call open>", (await tess.get(url)).text)
    assert "wants a call" in read((await tess.get("/desk")).text)


@once
async def test_what_made_them_ask_is_counted_by_reason(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    for reason in (ContactReason.COMPLAINT, ContactReason.WHERE_IS_IT, ContactReason.WHERE_IS_IT):
        await house.do(
            verbs.log_contact, martins, channel=ContactChannel.CALL, reason=reason,
            by=house.people.tess.actor,
        )  # fmt: skip
    said = "What made them ask this week: Where it is 2, a complaint 1"
    assert said in read((await (await desks("tess")).get("/desk/inbox")).text)
    assert said in read((await (await desks("mona")).get("/desk/inbox")).text)
    assert "What made them ask" not in read((await (await desks("zoe")).get("/desk/inbox")).text)


@pytest.fixture
async def stranger(client: httpx2.AsyncClient, settings: Settings, house: House) -> int:
    """Somebody whom nobody knows has texted; the text's id."""
    await Twilio(client, settings).text("Is this the bank?", From=STRANGER)
    return next(one.id for one in await house.messages() if one.from_address == STRANGER) or 0


async def see_to(desk: Desk, stranger: int, verb: str, **typed: str) -> httpx2.Response:
    page = (await desk.get("/desk/inbox")).text
    told = hidden_fields(page, "/desk/sign-out") | typed
    return await desk.client.post(f"/desk/inbox/{stranger}/{verb}", data=told, headers=HTMX)


async def open_balls(house: House) -> int:
    async with house.database.reading() as session:
        query = select(DroppedBall).where(DroppedBall.resolved_at == None)  # noqa: E711 (SQL)
        return len((await session.exec(query)).all())


async def test_a_text_of_a_stranger_is_answered_once_by_who_oversees(
    desks: Any, house: House, stranger: int
) -> None:
    mona = await desks("mona")
    assert "Is this the bank?" in (await mona.get("/desk/inbox")).text
    empty = await see_to(mona, stranger, "answer", body=" ")
    assert (empty.status_code, await open_balls(house)) == (422, 1)
    answer = await see_to(mona, stranger, "answer", body="It is. How can we help?")
    assert "Is this the bank?" not in answer.text
    again = await see_to(mona, stranger, "answer", body="Yes it is!")
    assert again.status_code == 409
    assert "You had written: “Yes it is!”" in read(again.text)
    told = [one for one in await house.messages() if one.kind == MessageKind.STAFF]
    assert [(one.to_address, one.author) for one in told] == [(STRANGER, "Mona Manager")]
    assert await open_balls(house) == 0


@once
async def test_a_text_of_a_stranger_may_belong_to_a_request_or_need_nothing(
    desks: Any, house: House, martins: ServiceRequest, stranger: int
) -> None:
    mona, tess = await desks("mona"), await desks("tess")
    assert "Is this the bank?" not in (await tess.get("/desk/inbox")).text
    assert (await see_to(tess, stranger, "rest")).status_code == 403
    unknown = await see_to(mona, stranger, "attach", reference="CARD-0000-000")
    assert "no request" in read(unknown.text)
    done = await see_to(mona, stranger, "attach", reference=martins.reference.lower())
    assert "It stands with that request now" in read(done.text)
    assert names(done.text) == [MARTIN.name]
    assert "Is this the bank?" in await tess.page(martins)
    assert (await see_to(mona, stranger, "rest")).status_code == 409


@once
async def test_a_text_of_a_stranger_that_needs_nothing_is_put_away(
    desks: Any, house: House, stranger: int
) -> None:
    done = await see_to(await desks("mona"), stranger, "rest")
    assert "Noted: nothing to do." in read(done.text)
    assert await open_balls(house) == 0


Listen = Callable[[Desk, str], Awaitable["asyncio.Queue[bytes]"]]


@pytest.fixture
async def listen(app: Starlette) -> AsyncIterator[Listen]:
    """Open a stream of the desk, as a browser does; gives what it hears."""
    tasks: list[asyncio.Task[None]] = []
    gone = asyncio.Event()

    async def open_stream(desk: Desk, path: str) -> asyncio.Queue[bytes]:
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
async def test_a_department_hears_at_once_of_what_moves_there_and_of_nothing_else(
    desks: Any, house: House, app: Starlette, martins: ServiceRequest, listen: Listen
) -> None:
    house.relay = app.state.relay
    here = await listen(await desks("tess"), "/desk/live")
    named = await listen(await desks("mona"), "/desk/live?department=telesales")
    elsewhere = await listen(await desks("zoe"), "/desk/live")
    await asks(house, martins, "Is the form all right?")
    for heard in (here, named):
        assert b"event: timeline" in await asyncio.wait_for(heard.get(), 5)
    overseer = await listen(await desks("ada"), "/desk/live")
    async with house.relay.turn(KEPT) as turn:
        await verbs.receive_text(turn, sid="SM9", sender=STRANGER, to="+15005550006", body="Hi")
    assert b"event: timeline" in await asyncio.wait_for(overseer.get(), 5)
    assert elsewhere.empty()
    assert (await httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url="http://testserver"
    ).get("/desk/live")).status_code == 401  # fmt: skip
