"""One rule at every edge: the desk's page and fragment, the live stream, and the API with ``by``."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import httpx2
import pytest
from sqlmodel import col, update
from starlette.applications import Starlette

from portal.models import (
    SYSTEM_ACTOR,
    Message,
    MessageStatus,
    PromiseKind,
    RequestStatus,
    ServiceRequest,
)
from portal.operations import (
    accept,
    advance,
    assign,
    cancel,
    hold,
    make_promise,
    record_third_party_update,
)
from tests.support.desk_client import HTMX, DeskClient
from tests.support.dropped_ball_helpers import DetectionDriver
from tests.support.factories import Organisation

pytestmark = pytest.mark.either_database

SignIn = Callable[[str], Awaitable[DeskClient]]
Submit = Callable[[str, str, dict[str, str]], Awaitable[int]]
"""Does an action as one of the cast; gives the HTTP status."""

DAY = datetime.now(UTC) + timedelta(days=3)
LOCAL, MOMENT = f"{DAY:%Y-%m-%dT%H:%M}", DAY.isoformat()


@pytest.fixture
async def reviews(organisation: Organisation) -> ServiceRequest:
    """A permit in three reviews at once, which Cora of the counter coordinates."""
    people = organisation.people
    permit = await organisation.open("permit", by=people.cora.actor)
    await organisation.run(advance, permit, by=people.cora.actor)
    return await organisation.run(accept, permit, by=people.finn.actor)


# The action at the desk and in the API, with its fields; who; whether they may; on which request.
CELLS: list[tuple[str, dict[str, str], str, bool]] = [
    ("advance", {"stage": "plans"}, "finn", False),
    ("advance", {"stage": "plans"}, "cora", False),
    ("advance", {"stage": "plans"}, "pat", True),
    ("hold", {"stage": "plans", "reason": "A form is missing"}, "finn", False),
    ("hold", {"stage": "fire", "reason": "A form is missing"}, "finn", True),
    ("hold", {"reason": "A form is missing"}, "finn", False),
    ("hold", {"reason": "A form is missing"}, "cora", True),
    ("delay", {"stage": "plans", "reason": "It takes long"}, "finn", False),
    ("delay", {"stage": "plans", "reason": "It takes long"}, "pat", True),
    ("assign", {"stage": "plans", "owner": "finn@acme.example"}, "finn", False),
    ("assign", {"owner": "finn@acme.example"}, "finn", False),
    ("assign", {"owner": "ben@acme.example"}, "ben", False),
    ("assign", {"stage": "fire", "owner": "pat@acme.example"}, "finn", True),
    ("third-party", {"stage": "plans", "event": "On its way"}, "finn", False),
    ("third-party", {"stage": "plans", "event": "On its way"}, "ben", False),
    ("third-party", {"stage": "plans", "event": "On its way"}, "pat", True),
    ("send-back", {"stage": "intake", "reason": "A map is missing"}, "ben", False),
    ("cancel", {"reason": "They asked"}, "ben", False),
    ("cancel", {"reason": "They asked"}, "mona", True),
    ("messages", {"body": "Hello Martin"}, "ben", False),
    ("promises", {"text": "Call back"}, "ben", False),
    ("contacts", {"channel": "call", "reason": "where_is_it", "note": "Rang"}, "ben", True),
    ("minds", {"text": "No calls before noon"}, "ben", True),
]
API_PATHS = {"third-party": "third-party", "minds": "minds"}
TIMES = {"delay": "expected_by", "promises": "due_at"}


def cell_name(cell: tuple[str, dict[str, str], str, bool]) -> str:
    verb, fields, person, allowed = cell
    stage = fields.get("stage", "all")
    return f"{person}-{verb}-{stage}-{'yes' if allowed else 'no'}"


@pytest.mark.parametrize("edge", ["page", "fragment", "api"])
@pytest.mark.parametrize("cell", CELLS, ids=cell_name)
async def test_each_edge_gives_the_same_answer(
    desk_clients: SignIn,
    api: httpx2.AsyncClient,
    organisation: Organisation,
    reviews: ServiceRequest,
    *,
    cell: tuple[str, dict[str, str], str, bool],
    edge: str,
) -> None:
    """What is refused leaves the request, its events and its messages as they were."""
    verb, fields, person, allowed = cell
    await organisation.run(
        record_third_party_update, reviews, words="Sent", stage="plans", third_party="DHL",
        by=SYSTEM_ACTOR,
    )  # fmt: skip
    before = await facts(organisation, reviews)
    if edge == "api":
        times = {TIMES[verb]: MOMENT} if verb in TIMES else {}
        answer = await api.post(
            f"/requests/{reviews.reference}/{verb}",
            json=fields | times | {"by": f"{person}@acme.example"},
        )
    else:
        times = {TIMES[verb]: LOCAL} if verb in TIMES else {}
        desk = await desk_clients(person)
        answer = await post_form(desk, reviews, verb, fields | times, htmx=edge == "fragment")
    if allowed:
        assert answer.status_code in (200, 201, 303), answer.text
        assert await facts(organisation, reviews) != before
    else:
        assert answer.status_code == 403, answer.text
        assert await facts(organisation, reviews) == before


@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell[0] != "delay"], ids=cell_name)
async def test_the_page_offers_what_is_accepted(
    desk_clients: SignIn,
    organisation: Organisation,
    reviews: ServiceRequest,
    cell: tuple[str, dict[str, str], str, bool],
) -> None:
    """A form for the stage stands on the page exactly where it is not refused."""
    verb, fields, person, allowed = cell
    await organisation.run(
        record_third_party_update, reviews, words="Sent", stage="plans", third_party="DHL",
        by=SYSTEM_ACTOR,
    )  # fmt: skip
    page = await (await desk_clients(person)).page(reviews)
    # Of what names a stage, the one that is meant; the target of a sending back is another thing.
    stage = fields.get("stage", "") if verb != "send-back" else ""
    offered = [
        re.search(r'name="stage" value="(\w+)"', form)
        for form in forms_on(page, f"/desk/requests/{reviews.reference}/{verb}")
    ]
    stages = {named[1] if named else "" for named in offered}
    if person == "cora" and verb in ("hold", "assign"):
        stages |= {"fire", "plans"}
    assert (stage in stages) is allowed


async def test_reopening_by_api_asks_who_may(
    api: httpx2.AsyncClient, organisation: Organisation, reviews: ServiceRequest
) -> None:
    people = organisation.people
    await organisation.run(cancel, reviews, reason="They asked", by=people.mona.actor)
    path, body = f"/requests/{reviews.reference}/reopen", {"reason": "They changed their mind"}
    refused = await api.post(path, json=body | {"by": "ben@acme.example"})
    assert refused.status_code == 403
    assert (await organisation.reload(reviews)).status == RequestStatus.CANCELLED
    done = await api.post(path, json=body | {"by": "cora@acme.example"})
    assert done.json()["status"] == "open"


async def test_a_key_without_a_person_may_do_everything(
    api: httpx2.AsyncClient, reviews: ServiceRequest
) -> None:
    for verb, body in (
        ("advance", {"stage": "plans"}),
        ("hold", {"reason": "A form is missing"}),
        ("resume", {}),
        ("assign", {"owner": "ben@acme.example", "stage": "fire"}),
        ("cancel", {"reason": "They asked"}),
    ):
        answer = await api.post(f"/requests/{reviews.reference}/{verb}", json=body)
        assert answer.status_code == 200, (verb, answer.text)


async def test_resuming_a_stage_of_another_department_is_refused(
    api: httpx2.AsyncClient, organisation: Organisation, reviews: ServiceRequest
) -> None:
    pat = organisation.people.pat.actor
    await organisation.run(hold, reviews, stage="plans", reason="A map is missing", by=pat)
    path = f"/requests/{reviews.reference}/resume"
    for body in ({}, {"stage": "plans"}):
        answer = await api.post(path, json=body | {"by": "finn@acme.example"})
        assert answer.status_code == 403
    assert (await api.post(path, json={"by": "pat@acme.example", "stage": "plans"})).is_success


@pytest.mark.parametrize(
    ("person", "outcome"), [("ben", "stands"), ("finn", "is kept"), ("mona", "is kept")]
)
async def test_a_call_logged_without_a_part_keeps_no_promise(
    desk_clients: SignIn,
    organisation: Organisation,
    reviews: ServiceRequest,
    person: str,
    outcome: str,
) -> None:
    await organisation.run(
        make_promise, reviews, text="We call you.", due_at=DAY, kind=PromiseKind.CALL,
        by=SYSTEM_ACTOR,
    )  # fmt: skip
    called = {"channel": "call", "reason": "where_is_it"}
    answer = await post_form(await desk_clients(person), reviews, "contacts", called, htmx=True)
    assert answer.status_code == 200
    (promise,) = (await organisation.reload(reviews)).promises
    assert promise.is_open is (outcome == "stands")
    assert ("Open commitments stay as they are." in answer.text) is (outcome == "stands")


@pytest.mark.parametrize(
    ("verb", "body"), [("retry", {}), ("resend", {"body": "Do ring us."}), ("told", {})]
)
async def test_a_failed_message_is_resolved_by_who_has_a_part(
    api: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    verb: str,
    body: dict[str, str],
) -> None:
    message = (await organisation.outbound_messages(card_request))[0]
    async with organisation.database.transaction() as session:
        facts = {"status": MessageStatus.FAILED, "error_code": "30004"}
        await session.exec(update(Message).where(col(Message.id) == message.id).values(**facts))
    path = f"/messages/{message.id}/{verb}"
    assert (await api.post(path, json=body | {"by": "ben@acme.example"})).status_code == 403
    assert (await organisation.outbound_messages(card_request))[0].handled_at is None
    done = await api.post(path, json=body | {"by": "tess@acme.example"})
    assert done.is_success, done.text


async def test_a_dropped_ball_is_dismissed_by_who_has_a_part(
    clock: Any, api: httpx2.AsyncClient, organisation: Organisation, operations: Any, database: Any
) -> None:
    await organisation.open(by=organisation.people.tess.actor)
    detection = DetectionDriver(operations, clock, database)
    await detection.advance_clock(timedelta(hours=7))
    ball = (await detection.balls())[0]
    path, body = f"/dropped-balls/{ball.id}/dismiss", {"reason": "It does not matter."}
    assert (await api.post(path, json=body | {"by": "ben@acme.example"})).status_code == 403
    assert (await api.post(path, json=body | {"by": "tess@acme.example"})).status_code == 200


async def test_an_absence_is_changed_by_the_person_or_their_lead(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    path = "/staff/tom@acme.example"
    for by, status in (("ben", 403), ("uma", 403), ("tess", 200)):
        answer = await api.post(f"{path}/absence", json={"by": f"{by}@acme.example"})
        assert answer.status_code == status, answer.text
    for by, status in (("ben", 403), ("tom", 200)):
        answer = await api.post(f"{path}/back", json={"by": f"{by}@acme.example"})
        assert answer.status_code == status, answer.text


@pytest.mark.parametrize("person", ["ben", "finn"])
async def test_the_live_stream_is_open_to_whoever_may_read_the_page(
    app: Starlette,
    desk_clients: SignIn,
    organisation: Organisation,
    reviews: ServiceRequest,
    person: str,
) -> None:
    """Every member of staff reads the page, so every member of staff watches it."""
    desk = await desk_clients(person)
    assert reviews.reference in await desk.page(reviews)
    path = f"/desk/requests/{reviews.reference}/live"
    cookies = "; ".join(f"{name}={value}" for name, value in desk.client.cookies.items())
    assert await stream_status(app, path, cookies) == 200
    assert await stream_status(app, path, "") == 401


async def test_the_board_offers_a_handoff_to_those_who_may_accept_it(
    desk_clients: SignIn, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Everybody reads every board; only the receiving department finds the button on it."""
    await organisation.run(advance, card_request, by=organisation.people.tess.actor)
    for person, offered in (("uma", True), ("tess", False), ("ben", False), ("mona", True)):
        board = (await (await desk_clients(person)).get("/desk?department=underwriting")).text
        assert card_request.reference in board
        assert (f"{card_request.reference}/handoff/accept" in board) is offered


async def test_a_part_given_by_name_counts_at_once(
    api: httpx2.AsyncClient, organisation: Organisation, reviews: ServiceRequest
) -> None:
    """Ben of the bench is given Fire's review: he may complete it, and no other."""
    people = organisation.people
    await organisation.run(
        assign, reviews, owner="ben@acme.example", stage="fire", by=people.finn.actor
    )
    path = f"/requests/{reviews.reference}/advance"
    for stage, status in (("plans", 403), ("fire", 200)):
        answer = await api.post(path, json={"stage": stage, "by": "ben@acme.example"})
        assert answer.status_code == status, answer.text


async def facts(organisation: Organisation, request: ServiceRequest) -> tuple[object, ...]:
    found = await organisation.reload(request)
    return (
        found.version, found.page_version, found.customer_note,
        len(await organisation.events(request)), len(await organisation.outbound_messages(request)),
    )  # fmt: skip


async def post_form(
    desk: DeskClient, request: ServiceRequest, verb: str, fields: dict[str, str], *, htmx: bool
) -> httpx2.Response:
    """Send a form whether or not the page offers it, with what each form carries."""
    page = await desk.page(request)
    (token, *_) = re.findall(r'name="form_token" value="([^"]*)"', page)
    version = re.search(r'name="version" value="(\d+)"', page)
    carried = {"form_token": unescape(token), "zone": "UTC"}
    carried["version"] = version[1] if version else str(request.version)
    return await desk.client.post(
        f"/desk/requests/{request.reference}/{verb}",
        data=carried | fields,
        headers=HTMX if htmx else {},
    )


def forms_on(page: str, action: str) -> list[str]:
    return re.findall(rf'<form [^>]*action="{re.escape(action)}".*?</form>', page, re.DOTALL)


async def stream_status(app: Starlette, path: str, cookies: str) -> int:
    """Open the stream, and leave as soon as it has answered."""
    answered = asyncio.get_running_loop().create_future()

    async def receive() -> dict[str, Any]:
        await answered
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start" and not answered.done():
            answered.set_result(message["status"])

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"",
        "root_path": "", "server": ("testserver", 80), "client": ("127.0.0.1", 1),
        "headers": [(b"host", b"testserver"), (b"cookie", cookies.encode())],
    }  # fmt: skip
    serving = asyncio.create_task(app(scope, receive, send))
    status = await asyncio.wait_for(answered, 10)
    await asyncio.wait_for(serving, 10)
    return int(status)
