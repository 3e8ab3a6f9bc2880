"""The desk, its fragments, the live stream and the API apply one authorization rule."""

import asyncio
import re
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from portal.models import SYSTEM_ACTOR, RequestStatus, ServiceRequest
from portal.operations import advance, cancel, hold, record_third_party_update
from tests.stories.edges import DAY, SignIn, facts, post_form
from tests.support.factories import Organisation

pytestmark = pytest.mark.either_database


LOCAL, MOMENT = f"{DAY:%Y-%m-%dT%H:%M}", DAY.isoformat()


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
async def test_page_offers_exactly_the_permitted_actions(
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


async def test_api_checks_permission_to_reopen(
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


async def test_api_key_without_a_person_may_do_everything(
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


async def test_resuming_a_stage_of_another_department_is_rejected(
    api: httpx2.AsyncClient, organisation: Organisation, reviews: ServiceRequest
) -> None:
    pat = organisation.people.pat.actor
    await organisation.run(hold, reviews, stage="plans", reason="A map is missing", by=pat)
    path = f"/requests/{reviews.reference}/resume"
    for body in ({}, {"stage": "plans"}):
        answer = await api.post(path, json=body | {"by": "finn@acme.example"})
        assert answer.status_code == 403
    assert (await api.post(path, json={"by": "pat@acme.example", "stage": "plans"})).is_success


@pytest.mark.parametrize("person", ["ben", "finn"])
async def test_live_stream_needs_the_same_permission_as_the_page(
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


async def test_board_offers_a_handoff_only_to_those_who_may_accept_it(
    desk_clients: SignIn, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Everybody reads every board; only the receiving department finds the button on it."""
    await organisation.run(advance, card_request, by=organisation.people.tess.actor)
    for person, offered in (("uma", True), ("tess", False), ("ben", False), ("mona", True)):
        board = (await (await desk_clients(person)).get("/desk?department=underwriting")).text
        assert card_request.reference in board
        assert (f"{card_request.reference}/handoff/accept" in board) is offered


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
        "scheme": "http", "path": path.partition("?")[0], "raw_path": path.encode(),
        "query_string": path.partition("?")[2].encode(),
        "root_path": "", "server": ("testserver", 80), "client": ("127.0.0.1", 1),
        "headers": [(b"host", b"testserver"), (b"cookie", cookies.encode())],
    }  # fmt: skip
    serving = asyncio.create_task(app(scope, receive, send))
    status = await asyncio.wait_for(answered, 10)
    await asyncio.wait_for(serving, 10)
    return int(status)
