"""The demo page, and that only the demo serves it."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest
import uvicorn
from starlette.applications import Starlette

from portal import operations as verbs
from portal.app import create_app
from portal.demo.fake_providers import FakeProviders
from portal.models import CUSTOMER_ACTOR, SYSTEM_ACTOR, MessageStatus, ServiceRequest
from portal.settings import Settings
from tests.support.desk_client import HTMX, ORIGIN, hidden_fields
from tests.support.factories import Organisation

# What is shown does not depend on the database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A listening port without a server until a test starts one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture
async def simulator(listener: socket.socket) -> AsyncIterator[FakeProviders]:
    """The fake carrier; it signs for the public URL, and posts to our port."""
    async with FakeProviders(
        auth_token="the token of the tests",
        inbound_url=f"{ORIGIN}/hooks/twilio/inbound",
        webhook_origin=f"http://127.0.0.1:{listener.getsockname()[1]}",
    ) as simulator:
        yield simulator


@pytest.fixture
async def demo(settings: Settings, simulator: FakeProviders) -> AsyncIterator[Starlette]:
    """The application in demo mode, with a fake carrier."""
    told = {
        "twilio_account_sid": simulator.config.account_sid,
        "twilio_from_number": simulator.config.from_number,
        "twilio_api_url": simulator.api_url,
    }
    app = create_app(settings.model_copy(update=told), demo=True)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def visitor(demo: Starlette) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=demo)
    async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        yield client


async def arrive(organisation: Organisation) -> None:
    """Wait until every queued text has reached the phone."""
    async with organisation.database.transaction() as session:
        for message in await organisation.messages():
            if message.status == MessageStatus.QUEUED:
                message.status = MessageStatus.DELIVERED
                session.add(message)


async def test_demo_page_exists_only_in_demo_mode(
    client: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    for url in ("/demo", "/demo/desk", "/demo/live"):
        assert (await client.get(url)).status_code == 404
    assert (await client.post("/demo/restart")).status_code in (404, 405)


async def test_demo_page_without_sample_data_says_so(visitor: httpx2.AsyncClient) -> None:
    answer = await visitor.get("/demo")
    assert answer.status_code == 404
    assert "kept demo" in answer.text
    assert (await visitor.get("/demo/live")).status_code == 404


async def test_demo_page_has_phone_status_page_and_desk(
    visitor: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await arrive(organisation)
    page = (await visitor.get("/demo")).text
    link = card_request.live_link
    assert link
    assert f'src="/r/{link.token}"' in page
    assert "You are <b>Tess Sales</b>" in page
    assert "Hi Martin" in page
    assert (await visitor.get(f"/r/{link.token}")).status_code == 200


async def test_code_is_read_on_the_phone_and_opens_the_page(
    visitor: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """The desk beside the phone shows stars."""
    link = card_request.live_link
    assert link
    await visitor.post(f"/r/{link.token}/code", data={"to": "mine"})
    await arrive(organisation)
    phone = (await visitor.get("/demo/thread")).text
    [code] = re.findall(r"Your code is (\d{6})", phone)
    assert code not in (await visitor.get("/demo/desk")).text
    entered = await visitor.post(f"/r/{link.token}/code", data={"to": "mine", "code": code})
    assert entered.headers["Location"] == f"/r/{link.token}/mine"


async def test_next_button_switches_to_the_next_responsible_staff(
    visitor: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Tess hands off, Uma of Underwriting accepts; only then is Martin notified."""
    page = (await visitor.get("/demo")).text
    first = hidden_fields(page, "/demo/advance")
    answer = await visitor.post("/demo/advance", data=first, headers=HTMX)
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert "You are <b>Uma Under</b>" in answer.text
    told = len(await organisation.outbound_messages(card_request))
    accept = hidden_fields(answer.text, "/demo/handoff/accept")
    assert (await visitor.post("/demo/handoff/accept", data=accept)).status_code == 303
    assert len(await organisation.outbound_messages(card_request)) == told + 1
    assert (await organisation.reload(card_request)).owner_id == organisation.people.uma.id
    again = await visitor.post("/demo/advance", data=first, headers=HTMX)
    assert again.status_code == 409
    assert "has changed since" in again.text
    assert "Meanwhile: " in again.text


async def test_demo_page_never_signs_anybody_in(
    visitor: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    page = (await visitor.get("/demo")).text
    await visitor.post("/demo/advance", data=hidden_fields(page, "/demo/advance"))
    assert not visitor.cookies
    assert (await visitor.get("/desk")).status_code == 303


async def test_form_from_another_site_is_rejected(
    visitor: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    answer = await visitor.post("/demo/restart", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert (await organisation.reload(card_request)).status == "open"


async def test_restart_opens_a_new_request_and_closes_the_old_one(
    visitor: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """The next reply belongs to the new request, and the phone shows only its texts."""
    await arrive(organisation)
    assert (await visitor.post("/demo/restart")).status_code == 303
    assert (await organisation.reload(card_request)).status == "cancelled"
    await arrive(organisation)
    thread = (await visitor.get("/demo/thread")).text
    assert thread.count('<li class="theirs">') == 1
    assert card_request.reference not in (await visitor.get("/demo/desk")).text


async def test_reply_goes_through_the_carrier_to_the_desk(
    demo: Starlette,
    visitor: httpx2.AsyncClient,
    listener: socket.socket,
    card_request: ServiceRequest,
) -> None:
    """As a signed webhook, like every text; its HTML is escaped."""
    config = uvicorn.Config(demo, lifespan="off", log_config=None, ws="none")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        answer = await visitor.post("/demo/reply", data={"body": "<b>My address</b>"}, headers=HTMX)
    finally:
        server.should_exit = True
        await serving
    assert answer.status_code == 200
    assert "&lt;b&gt;My address&lt;/b&gt;" in answer.text
    assert "&lt;b&gt;My address&lt;/b&gt;" in (await visitor.get("/demo/desk")).text


async def test_unreachable_carrier_is_reported(
    visitor: httpx2.AsyncClient, demo: Starlette, card_request: ServiceRequest
) -> None:
    demo.state.settings = demo.state.settings.model_copy(
        update={"twilio_api_url": "http://127.0.0.1:9"}
    )
    answer = await visitor.post("/demo/reply", data={"body": "Hello"})
    assert answer.status_code == 409
    assert "went nowhere" in answer.text


async def test_page_message_is_not_listed_as_sms(
    visitor: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await organisation.run(
        verbs.receive_web_message, card_request, "From the page", by=CUSTOMER_ACTOR
    )
    assert "From the page" not in (await visitor.get("/demo/thread")).text
    assert "From the page" in (await visitor.get("/demo/desk")).text


async def test_demo_offers_a_restart_after_the_end(
    visitor: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await organisation.run(verbs.cancel, card_request, reason="They asked", by=SYSTEM_ACTOR)
    answer = await visitor.get("/demo")
    assert answer.status_code == 200
    assert "Start again to see it from the beginning" in answer.text
