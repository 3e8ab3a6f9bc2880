"""Who has no part in a request is refused by every form of the desk and every write of the API.

Both tables name every address; a new one that is in neither table fails here.
"""

import base64
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from sqlmodel import col, select, update

from portal import desk as desk_pages
from portal import operations as verbs
from portal.api import ENDPOINTS
from portal.api.endpoint import WriteEndpoint
from portal.desk.request.actions import ACTIONS, ITEM_ACTIONS
from portal.models import (
    CUSTOMER_ACTOR,
    SYSTEM_ACTOR,
    Direction,
    DroppedBall,
    Message,
    MessageStatus,
    ServiceRequest,
)
from portal.operations.conversation.canned_replies import add_canned_reply
from tests.support.desk_client import HTMX, DeskClient, hidden_fields
from tests.support.dropped_ball_helpers import DetectionDriver
from tests.support.factories import Organisation
from tests.support.sample_images import PDF
from tests.support.twilio_client import CustomerPhone

pytestmark = pytest.mark.either_database

SignIn = Callable[[str], Awaitable[DeskClient]]
STRANGER = "+14155550177"
LATER = datetime(2025, 6, 6, 14, tzinfo=UTC)

REFUSED = 403
OPEN = "everybody at the desk may"
OWN = "about oneself"
NO_SIGN_IN = "before the sign-in"

REQUEST_ACTIONS = {
    "advance": {"stage": "received"},
    "handoff/accept": {},
    "handoff/refuse": {"reason": "Not ours"},
    "handoff/recall": {},
    "third-party": {"event": "On its way"},
    "send-back": {"stage": "received", "reason": "A form is missing"},
    "hold": {"reason": "A form is missing"},
    "delay": {"reason": "It takes long", "expected_by": f"{LATER:%Y-%m-%dT%H:%M}"},
    "resume": {},
    "assign": {"owner": "ben@acme.example"},
    "cancel": {"reason": "They asked"},
    "reopen": {"reason": "They asked"},
    "promises": {"text": "Call back", "due_at": f"{LATER:%Y-%m-%dT%H:%M}"},
    "promises/keep": {},
    "promises/move": {"reason": "Ill", "due_at": f"{LATER:%Y-%m-%dT%H:%M}"},
    "promises/withdraw": {"reason": "An error"},
    "messages": {"body": "Hello"},
    "messages/meaning": {"label": "thanks"},
    "needs/accept": {},
    "needs/correct": {"reason": "Blurred"},
    "needs/sent": {},
    "wishes": {"wish": "stop", "about": "all", "channel": "sms"},
    "visit": {"at": f"{LATER:%Y-%m-%dT%H:%M}"},
    "visit/cancel": {},
    "visit/on-the-way": {},
    "link/revoke": {},
    "link/reissue": {},
}
"""The actions on a request at the desk that are refused, with their fields."""
REQUEST_ACTIONS_OPEN_TO_ALL = {
    "contacts": {"channel": "call", "reason": "other"},
    "minds": {"text": "No calls before noon"},
}
"""Everybody logs a call and sets the customer note (docs/authorization.md)."""

DESK: dict[str, tuple[object, dict[str, str]]] = {
    "/desk/sign-in": (NO_SIGN_IN, {}),
    "/desk/invitations/{token}": (NO_SIGN_IN, {}),
    "/desk/sign-out": (OWN, {}),
    "/desk/keys": (OWN, {}),
    "/desk/account/password": (OWN, {}),
    "/desk/account/photo": (OWN, {}),
    "/desk/account/photo/remove": (OWN, {}),
    "/desk/account/sign-out": (OWN, {}),
    "/desk/personal-data": (REFUSED, {"address": "+14155550132", "verb": "find"}),
    "/desk/personal-data/{id}/export": (REFUSED, {}),
    "/desk/personal-data/{id}/erase": (REFUSED, {}),
    "/desk/inbox/{id}/answer": (REFUSED, {"body": "Who are you?"}),
    "/desk/inbox/{id}/attach": (REFUSED, {"reference": "CARD-1"}),
    "/desk/inbox/{id}/rest": (REFUSED, {}),
    "/desk/people/{id}/absent": (REFUSED, {"from": "2025-06-04"}),
    "/desk/people/{id}/back": (REFUSED, {}),
    "/desk/replies": (REFUSED, {"title": "Hi", "body": "Hello", "department": "telesales"}),
    "/desk/replies/{id}/change": (REFUSED, {"title": "Hi", "body": "Hello"}),
    "/desk/replies/{id}/retire": (REFUSED, {}),
    "/desk/balls/{id}/dismiss": (REFUSED, {"reason": "It does not matter"}),
    "/desk/balls/{id}/same-person": (REFUSED, {"answer": "same"}),
    "/desk/messages": ("each message is authorized by itself", {}),
    "/desk/messages/{id}/retry": (REFUSED, {}),
    "/desk/messages/{id}/resend": (REFUSED, {"body": "Hello"}),
    "/desk/messages/{id}/told": (REFUSED, {}),
    "/desk/requests/new": (OPEN, {}),
    "/desk/requests/{reference}/presence": (OPEN, {}),
    "/desk/requests/{reference}/documents": (REFUSED, {}),
    "/desk/requests/{reference}/promises/preview": (REFUSED, {"text": "Call back tomorrow"}),
    "/desk/requests/{reference}/{verb:path}": ("in the tables of actions", {}),
}
VERBS = {
    "/desk/inbox/{id}/{verb}": ("answer", "attach", "rest"),
    "/desk/people/{id}/{verb}": ("absent", "back"),
    "/desk/personal-data/{id}/{verb}": ("export", "erase"),
    "/desk/replies/{id}/{verb}": ("change", "retire"),
    "/desk/messages/{id}/{verb}": ("retry", "resend", "told"),
}
"""The routes that take a verb, with their verbs."""

REQUEST, PROMISE = "/requests/{reference}", "/requests/{reference}/promises/{promise_id}"
NEED = f"{REQUEST}/needs/{{item}}"
AT = LATER.isoformat()
API: dict[str, tuple[object, dict[str, Any]]] = {
    "/requests": (OPEN, {"workflow": "card", "customer": {"name": "Zara"}}),
    f"{REQUEST}/advance": (REFUSED, {}),
    f"{REQUEST}/send-back": (REFUSED, {"stage": "received", "reason": "A form is missing"}),
    f"{REQUEST}/hold": (REFUSED, {"reason": "A form is missing"}),
    f"{REQUEST}/resume": (REFUSED, {}),
    f"{REQUEST}/delay": (REFUSED, {"expected_by": AT, "reason": "It takes long"}),
    f"{REQUEST}/cancel": (REFUSED, {"reason": "They asked"}),
    f"{REQUEST}/reopen": (REFUSED, {"reason": "They asked"}),
    f"{REQUEST}/handoff/accept": (REFUSED, {}),
    f"{REQUEST}/handoff/refuse": (REFUSED, {"reason": "Not ours"}),
    f"{REQUEST}/handoff/recall": (REFUSED, {}),
    f"{REQUEST}/documents": (
        REFUSED,
        {"name": "permit.pdf", "content": base64.b64encode(PDF).decode()},
    ),
    f"{REQUEST}/minds": (OPEN, {"text": "No calls before noon"}),
    f"{REQUEST}/third-party": (REFUSED, {"event": "On its way"}),
    f"{REQUEST}/third-party-events": (REFUSED, {"code": "in_transit"}),
    f"{REQUEST}/visit": (REFUSED, {"at": AT}),
    f"{REQUEST}/visit/cancel": (REFUSED, {}),
    f"{REQUEST}/visit/on-the-way": (REFUSED, {}),
    f"{REQUEST}/assign": (REFUSED, {"owner": "ben@acme.example"}),
    f"{REQUEST}/promises": (REFUSED, {"text": "Call back", "due_at": AT}),
    f"{PROMISE}/keep": (REFUSED, {}),
    f"{PROMISE}/move": (REFUSED, {"due_at": AT, "reason": "Ill"}),
    f"{PROMISE}/withdraw": (REFUSED, {"reason": "An error"}),
    f"{NEED}/accept": (REFUSED, {}),
    f"{NEED}/correct": (REFUSED, {"reason": "Blurred"}),
    f"{NEED}/sent": (REFUSED, {}),
    f"{REQUEST}/messages": (REFUSED, {"body": "Hello"}),
    f"{REQUEST}/contacts": (OPEN, {"channel": "call", "reason": "other"}),
    "/messages/{message_id}/retry": (REFUSED, {}),
    "/messages/{message_id}/resend": (REFUSED, {"body": "Hello"}),
    "/messages/{message_id}/told": (REFUSED, {}),
    "/staff/{email}/absence": (REFUSED, {}),
    "/staff/{email}/back": (REFUSED, {}),
    "/dropped-balls/{ball_id}/dismiss": (REFUSED, {"reason": "It does not matter"}),
}


class Case:
    """A request that waits for another department, and the ids of all that can be acted on."""

    def __init__(self, request: ServiceRequest, ids: dict[str, int]) -> None:
        self.request, self.ids = request, ids

    def path(self, template: str) -> str:
        for name, value in {
            "reference": self.request.reference,
            "email": "tom@acme.example",
            "item": "plans",
        }.items():
            template = template.replace(f"{{{name}}}", value)
        for name, number in self.ids.items():
            template = template.replace(f"{{{name}}}", str(number))
        return template


@pytest.fixture
async def case(
    clock: Any, organisation: Organisation, operations: Any, database: Any, texts: CustomerPhone
) -> Case:
    """Tess has passed a card on to Underwriting, which has not accepted it in time."""
    tess = organisation.people.tess.actor
    request = await organisation.open(by=tess)
    await organisation.run(verbs.receive_web_message, request, "Where is it?", by=CUSTOMER_ACTOR)
    await organisation.run(verbs.make_promise, request, text="Call", due_at=LATER, by=tess)
    await organisation.run(verbs.advance, request, by=tess)
    await texts("Who is this?", sender=STRANGER)
    detection = DetectionDriver(operations, clock, database)
    await detection.advance_clock(timedelta(hours=26))
    async with operations.begin(SYSTEM_ACTOR) as uow:
        reply = await add_canned_reply(
            uow, department_id=request.department_id, title="Hello", body="Hello", reason=""
        )
    messages = await organisation.messages()
    ours = next(m for m in messages if m.direction == Direction.OUT and m.request_id == request.id)
    async with database.transaction() as session:
        failed = {"status": MessageStatus.FAILED, "error_code": "30004"}
        await session.exec(update(Message).where(col(Message.id) == ours.id).values(**failed))
        of_request = col(DroppedBall.request_id) == request.id
        ball = (await session.exec(select(DroppedBall).where(of_request))).first()
    assert ball
    found = await organisation.reload(request)
    ids = {
        "promise_id": found.promises[0].id, "message_id": ours.id, "ball_id": ball.id,
        "inbound_id": next(m.id for m in messages if m.kind == "customer"),
        "stranger_id": next(m.id for m in messages if m.from_address == STRANGER),
        "staff_id": organisation.people.tom.id, "reply_id": reply.id,
    }  # fmt: skip
    return Case(found, {name: number or 0 for name, number in ids.items()})


ID_OF = {
    "/desk/inbox": "stranger_id", "/desk/people": "staff_id", "/desk/personal-data": "staff_id",
    "/desk/replies": "reply_id",
    "/desk/balls": "ball_id", "/desk/messages": "message_id",
}  # fmt: skip
"""Which id stands in the path of a form, by the beginning of the path."""


def test_the_tables_name_every_form_and_every_call() -> None:
    forms = [
        route.path
        for route in desk_pages.routes
        if "POST" in (getattr(route, "methods", None) or ())
    ]
    with_verbs = {
        path.replace("{verb}", verb) for path in forms for verb in VERBS.get(path, ("{verb}",))
    }
    assert with_verbs == set(DESK)
    assert set(ACTIONS) == {*REQUEST_ACTIONS, *REQUEST_ACTIONS_OPEN_TO_ALL}
    calls = {call.path for call in ENDPOINTS if isinstance(call, WriteEndpoint)}
    assert calls == set(API)


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
async def test_every_form_of_the_desk_refuses_who_has_no_part(
    desk_clients: SignIn, organisation: Organisation, case: Case, headers: dict[str, str]
) -> None:
    ben = await desk_clients("ben")
    page = await ben.page(case.request)
    carried = hidden_fields(page, "/desk/sign-out") | {
        "version": str(case.request.version), "zone": "UTC",
    }  # fmt: skip
    before = await everything(organisation, case)
    answers = {}
    for path, (expected, fields) in DESK.items():
        if expected == REFUSED:
            id_name = next((name for start, name in ID_OF.items() if path.startswith(start)), "")
            url = case.path(path.replace("{id}", f"{{{id_name}}}"))
            answers[path] = await ben.client.post(url, data=carried | fields, headers=headers)
    for verb, fields in REQUEST_ACTIONS.items():
        name, _, last = verb.rpartition("/")
        item = case.ids["promise_id" if name == "promises" else "inbound_id"]
        path = f"{name}/{item}/{last}" if verb in ITEM_ACTIONS else verb
        url = f"/desk/requests/{case.request.reference}/{path}"
        answers[verb] = await ben.client.post(url, data=carried | fields, headers=headers)
    assert {path: answer.status_code for path, answer in answers.items()} == dict.fromkeys(
        answers, REFUSED
    )
    assert await everything(organisation, case) == before
    for verb, fields in REQUEST_ACTIONS_OPEN_TO_ALL.items():
        url = f"/desk/requests/{case.request.reference}/{verb}"
        answer = await ben.client.post(url, data=carried | fields, headers=headers)
        assert answer.status_code in (200, 303), (verb, answer.text)


async def test_every_write_of_the_api_refuses_a_person_without_a_part(
    api: httpx2.AsyncClient, organisation: Organisation, case: Case
) -> None:
    before = await everything(organisation, case)
    answers = {}
    for path, (expected, body) in API.items():
        if expected == REFUSED:
            by_ben = body | {"by": "ben@acme.example"}
            answers[path] = await api.post(case.path(path), json=by_ben)
    codes = {path: answer.status_code for path, answer in answers.items()}
    assert codes == dict.fromkeys(answers, REFUSED)
    assert all(answer.json()["detail"] for answer in answers.values())
    assert await everything(organisation, case) == before
    for path, (expected, body) in API.items():
        if expected == OPEN:
            answer = await api.post(case.path(path), json=body | {"by": "ben@acme.example"})
            assert answer.is_success, (path, answer.text)


async def everything(organisation: Organisation, case: Case) -> tuple[object, ...]:
    request = await organisation.reload(case.request)
    return (
        request.version, request.page_version, request.status, request.customer_note,
        len(await organisation.events(request)), len(await organisation.messages()),
    )  # fmt: skip
