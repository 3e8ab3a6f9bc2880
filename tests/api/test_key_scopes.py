"""API keys: their scopes, their expiry, their last use, and their name on what they cause."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest
from sqlmodel import col, select
from starlette.applications import Starlette
from structlog.testing import capture_logs

from portal.api import ENDPOINTS
from portal.api.openapi import describe
from portal.business_time import now
from portal.database import Database
from portal.models import ApiKey, ApiScope, Attachment, EventKind, ServiceRequest
from tests.support.desk_client import DeskClient, visible_text
from tests.support.factories import ORIGIN, Organisation
from tests.support.sample_images import photo

pytestmark = pytest.mark.either_database

MakeClient = Callable[..., Awaitable[httpx2.AsyncClient]]


@pytest.fixture
async def with_key(app: Starlette, database: Database) -> Any:
    """Another system, with a key of these scopes."""
    clients = []

    async def make(*scopes: ApiScope, name: str = "crm", **more: Any) -> httpx2.AsyncClient:
        key, secret = ApiKey.make(name, now(), scopes, **more)
        async with database.transaction() as session:
            session.add(key)
        client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=app),
            base_url=f"{ORIGIN}/api/v1",
            headers={"Authorization": f"Bearer {secret}"},
        )
        clients.append(client)
        return client

    yield make
    for client in clients:
        await client.aclose()


async def stored_key(database: Database) -> ApiKey:
    async with database.reading() as session:
        return (await session.exec(select(ApiKey).where(col(ApiKey.name) == "crm"))).one()


@pytest.mark.parametrize("scope", [ApiScope.READ, ApiScope.OPEN, ApiScope.ACT])
async def test_a_key_can_do_what_its_scope_says_and_nothing_else(
    with_key: MakeClient, card_request: ServiceRequest, scope: ApiScope
) -> None:
    """Every call is tried with no fields: 403 comes before what is wrong with them."""
    client = await with_key(scope)
    refused = {}
    for call in ENDPOINTS:
        path = call.path
        for name, value in {
            "reference": card_request.reference, "message_id": 999, "attachment_id": 999,
            "promise_id": 999, "ball_id": 999, "email": "tom@acme.example",
        }.items():  # fmt: skip
            path = path.replace(f"{{{name}}}", str(value))
        answer = await client.request(call.method, path)
        assert answer.status_code != 401
        if answer.status_code == 403:
            assert answer.headers["content-type"] == "application/problem+json"
            assert f"lacks the scope `{call.scope}`" in answer.json()["detail"]
        refused[call.method, call.path] = answer.status_code == 403
    assert refused == {(call.method, call.path): call.scope != scope for call in ENDPOINTS}


async def test_naming_a_person_needs_a_scope_of_its_own(
    with_key: MakeClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    client = await with_key(ApiScope.READ, ApiScope.OPEN, ApiScope.ACT)
    path, body = f"/requests/{card_request.reference}/minds", {"text": "No calls before noon"}
    refused = await client.post(path, json=body | {"by": "tess@acme.example"})
    assert refused.status_code == 403
    assert "lacks the scope `act_as_staff`" in refused.json()["detail"]
    assert (await organisation.reload(card_request)).customer_note == ""
    assert (await client.post(path, json=body)).status_code == 200


async def test_a_key_has_every_scope_where_none_is_named(
    api: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    body = {"note": "All is here.", "by": "tess@acme.example"}
    path = f"/requests/{card_request.reference}"
    assert (await api.post(f"{path}/advance", json=body)).status_code == 200
    assert (await api.get(path)).json()["status_url"]


@pytest.mark.parametrize("scopes", [[ApiScope.READ], [ApiScope.READ, ApiScope.OPEN]])
async def test_a_key_that_may_not_act_reads_no_link(
    with_key: MakeClient, card_request: ServiceRequest, scopes: list[ApiScope]
) -> None:
    """Who has the link writes as the customer."""
    client = await with_key(*scopes)
    one = (await client.get(f"/requests/{card_request.reference}")).json()
    (listed,) = (await client.get("/requests")).json()["items"]
    assert one["status_url"] is listed["status_url"] is None


async def test_a_key_that_opens_a_request_gets_its_link(
    with_key: MakeClient, organisation: Organisation
) -> None:
    client = await with_key(ApiScope.OPEN)
    body = {"workflow": "card", "customer": {"name": "Zara", "phone": "+14155550188"}}
    opened = await client.post("/requests", json=body)
    assert opened.status_code == 201
    assert opened.json()["status_url"].startswith(f"{ORIGIN}/r/")


@pytest.mark.parametrize("lifetime", [timedelta(days=365), timedelta(hours=1)])
async def test_an_expired_key_is_refused(
    clock: Any, with_key: MakeClient, lifetime: timedelta
) -> None:
    client = await with_key(*ApiScope, lifetime=lifetime)
    clock.shift(lifetime - timedelta(seconds=1))
    assert (await client.get("/requests")).status_code == 200
    clock.shift(timedelta(seconds=1))
    refused = await client.get("/requests")
    assert refused.status_code == 401
    assert "The key 'crm' expired on 202" in refused.json()["detail"]
    assert refused.headers["www-authenticate"].startswith("Bearer")


async def test_the_last_use_is_written_at_most_once_an_hour(
    clock: Any, with_key: MakeClient, database: Database
) -> None:
    client = await with_key(ApiScope.READ)
    assert (await stored_key(database)).last_used_at is None
    uses: list[datetime | None] = []
    for minutes in (0, 59, 1):
        clock.shift(timedelta(minutes=minutes))
        await client.get("/requests")
        uses.append((await stored_key(database)).last_used_at)
    assert uses[0] == uses[1]
    assert uses[2] == now()


async def test_the_key_stands_with_what_it_did_for_a_person(
    api: httpx2.AsyncClient,
    desk_clients: Callable[[str], Awaitable[DeskClient]],
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    """Each event of the call names it, on the timeline and in the activity log."""
    path = f"/requests/{card_request.reference}"
    await api.post(f"{path}/advance", json={"by": "tess@acme.example"})
    await api.post(f"{path}/minds", json={"text": "No calls before noon"})
    events = [event for event in await organisation.events(card_request) if event.via_key]
    assert {event.via_key for event in events} == {"crm"}
    assert EventKind.STAGE_COMPLETED in {event.kind for event in events}
    timeline = (await api.get(f"{path}/timeline")).json()["items"]
    actors = {event["kind"]: event["actor"] for event in timeline}
    assert actors["opened"]["key"] is None
    assert actors["stage_completed"] == {"kind": "staff", "name": "Tess Sales", "key": "crm"}
    assert actors["minds_noted"] == {"kind": "api", "name": "crm", "key": "crm"}
    page = visible_text(await (await desk_clients("tess")).page(card_request))
    assert "by crm for Tess Sales" in page


@pytest.mark.parametrize("verb", ["absence", "back"])
async def test_the_log_names_the_key_and_the_person_of_each_write(
    api: httpx2.AsyncClient, organisation: Organisation, verb: str
) -> None:
    """Not every act of a key is an event of a request."""
    with capture_logs() as lines:
        answer = await api.post("/staff/tom@acme.example/absence", json={"by": "mona@acme.example"})
        assert answer.status_code == 200
        if verb == "back":
            answer = await api.post(
                "/staff/tom@acme.example/back", json={"by": "mona@acme.example"}
            )
            assert answer.status_code == 200
    calls = [line for line in lines if line["event"] == "api call"]
    assert calls[-1] == {
        "event": "api call", "log_level": "info", "key": "crm",
        "call": f"POST /staff/{{email}}/{verb}", "by_staff_id": organisation.people.mona.id,
    }  # fmt: skip


async def test_the_log_names_the_key_of_each_file_that_is_read(
    api: httpx2.AsyncClient,
    client: httpx2.AsyncClient,
    database: Database,
    card_request: ServiceRequest,
) -> None:
    files = [("file", ("a.jpg", photo(20, 20), "image/jpeg"))]
    sent = await client.post(f"/r/{card_request.links[0].token}/messages", files=files)
    assert sent.status_code == 303
    async with database.reading() as session:
        attachment_id = (await session.exec(select(Attachment.id))).one()
    with capture_logs() as lines:
        assert (await api.get(f"/attachments/{attachment_id}")).status_code == 200
    assert [line for line in lines if line["event"] == "api call"] == [
        {
            "event": "api call", "log_level": "info", "key": "crm",
            "call": "GET /attachments/{attachment_id}", "by_staff_id": None,
            "attachment_id": str(attachment_id),
        }
    ]  # fmt: skip


def test_the_description_names_the_scope_of_each_call() -> None:
    paths = describe(ENDPOINTS, ORIGIN)["paths"]
    for call in ENDPOINTS:
        operation = paths[call.path][call.method.lower()]
        assert operation["security"] == [{"key": [call.scope.value]}]
        assert f"`{call.scope}`" in operation["description"]
