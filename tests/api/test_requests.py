"""Other systems open and move requests: each call's promise, over HTTP, on both databases."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from portal.models import EventKind, ServiceRequest
from tests.support.factories import Organisation

pytestmark = pytest.mark.either_database

MARTIN = {"name": "Martin Miller", "phone": "+1 415 555 0132", "email": "Martin@Example.com"}
SOON = (datetime.now(UTC) + timedelta(days=2)).replace(microsecond=0)


async def opened(api: httpx2.AsyncClient, workflow: str = "card", **more: Any) -> dict[str, Any]:
    answer = await api.post("/requests", json={"workflow": workflow, "customer": MARTIN, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def moved(
    api: httpx2.AsyncClient, request: dict[str, Any], verb: str, **body: Any
) -> dict[str, Any]:
    answer = await api.post(f"/requests/{request['reference']}/{verb}", json=body or None)
    assert answer.status_code == 200, answer.text
    return answer.json()


def stages(request: dict[str, Any]) -> dict[str, str]:
    return {stage["key"]: stage["state"] for stage in request["stages"]}


async def test_create_returns_the_whole_request_with_its_state(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    answer = await api.post(
        "/requests",
        json={
            "workflow": "card",
            "customer": MARTIN,
            "title": "Gold card",
            "external_id": "crm-1",
            "fields": {"limit": 5000, "colour": "gold"},
        },
    )
    assert answer.status_code == 201
    request = answer.json()
    assert answer.headers["location"] == f"/api/v1/requests/{request['reference']}"
    assert request["reference"].startswith("CARD-")
    assert request["status_url"].startswith("http://testserver/r/")
    assert request["status"] == "open"
    assert request["title"] == "Gold card"
    assert request["external_id"] == "crm-1"
    assert request["fields"] == {"limit": 5000, "colour": "gold"}
    assert request["customer"]["phone"] == "+14155550132"
    assert request["customer"]["email"] == "martin@example.com"
    assert request["department"] == "telesales"
    assert request["department_name"] == "Telesales"
    assert request["owner"] == {"email": "tess@acme.example", "name": "Tess Sales"}
    assert request["open_stages"] == ["received"]
    assert list(stages(request)) == ["received", "decision", "made", "courier", "delivered"]
    assert request["stages"][0]["assignee"] == request["owner"]
    assert request["stages"][0]["due_at"].endswith("Z")
    assert request["stages"][1]["state"] == "upcoming"
    told = await organisation.outbound_messages(await organisation.reload(request["reference"]))
    assert [one.to_address for one in told] == ["+14155550132"]


async def test_request_is_read_by_reference_in_any_case(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    request = await opened(api)
    again = await api.get(f"/requests/{request['reference'].lower()}")
    assert again.status_code == 200
    assert again.json() == request


async def test_card_request_from_opening_to_confirmation(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    request = await opened(api)
    request = await moved(api, request, "advance", note="All papers are here.")
    assert stages(request)["received"] == "done"
    assert stages(request)["decision"] == "waiting_acceptance"
    assert request["department"] == "telesales", "the sender has it until it is taken up"
    assert request["handoffs"][0]["state"] == "waiting"
    assert (request["handoffs"][0]["from"], request["handoffs"][0]["to"]) == (
        "telesales",
        "underwriting",
    )
    request = await moved(api, request, "handoff/accept")
    assert request["department"] == "underwriting"
    assert request["owner"]["email"] == "uma@acme.example"
    assert request["handoffs"][0]["state"] == "accepted"
    for _ in range(2):
        request = await moved(api, request, "advance", version=request["version"])
        request = await moved(api, request, "handoff/accept")
    request = await moved(api, request, "advance", expected_by=SOON.isoformat())
    assert request["open_stages"] == ["delivered"]
    assert datetime.fromisoformat(request["stages"][4]["due_at"]) == SOON
    request = await moved(api, request, "advance", by="carl@acme.example")
    assert request["status"] == "awaiting_confirmation"
    questions = (await api.get(f"/requests/{request['reference']}/follow-ups")).json()["items"]
    assert [(one["key"], one["stage"], one["state"]) for one in questions] == [
        (questions[0]["key"], "delivered", "planned")
    ]
    request = await moved(api, request, "advance", note="He told us by phone that it is here.")
    assert request["status"] == "completed"
    assert request["closed_at"] is not None


async def test_actor_is_the_key_or_the_named_person(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    request = await opened(api, by="TESS@acme.example")
    await moved(api, request, "advance")
    items = (await api.get(f"/requests/{request['reference']}/timeline")).json()["items"]
    hands = {item["kind"]: item["actor"] for item in items}
    assert hands["opened"] == {"kind": "staff", "name": "Tess Sales"}
    assert hands["stage_completed"] == {"kind": "api", "name": "crm"}


async def test_acting_as_an_unknown_person_is_rejected(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    request = await opened(api)
    for stranger in ("nobody@acme.example", "not an address"):
        answer = await api.post(f"/requests/{request['reference']}/advance", json={"by": stranger})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "by"
    assert (await api.get(f"/requests/{request['reference']}")).json() == request


async def test_only_the_receiving_department_accepts_a_handoff(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    request = await moved(api, await opened(api), "advance")
    answer = await api.post(
        f"/requests/{request['reference']}/handoff/accept", json={"by": "carl@acme.example"}
    )
    assert answer.status_code == 403
    request = await moved(api, request, "handoff/accept", by="uma@acme.example")
    assert request["owner"]["email"] == "uma@acme.example"


async def test_refused_handoff_returns_with_the_reason(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    request = await moved(api, await opened(api), "advance")
    request = await moved(api, request, "handoff/refuse", reason="The income is missing.")
    assert request["open_stages"] == ["received"]
    assert request["stages"][0]["passage"] == 2
    assert request["owner"]["email"] == "tess@acme.example"
    assert request["handoffs"][0]["state"] == "refused"
    assert request["handoffs"][0]["refused_reason"] == "The income is missing."
    assert stages(request)["decision"] == "upcoming"


async def test_stale_version_is_rejected_and_nothing_moves(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    request = await opened(api)
    now = await moved(api, request, "assign", owner="tom@acme.example")
    assert now["version"] > request["version"]
    for verb, body in (
        ("advance", {}),
        ("hold", {"reason": "x"}),
        ("cancel", {"reason": "x"}),
        ("assign", {"owner": "tess@acme.example"}),
        ("promises", {"text": "We call you.", "due_at": SOON.isoformat()}),
    ):
        answer = await api.post(
            f"/requests/{request['reference']}/{verb}",
            json={**body, "version": request["version"]},
        )
        assert answer.status_code == 409, verb
    assert (await api.get(f"/requests/{request['reference']}")).json() == now


async def test_hold_has_a_reason_and_resume_ends_it(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    request = await opened(api)
    request = await moved(api, request, "hold", reason="He is away.", until=SOON.isoformat())
    assert request["status"] == "on_hold"
    assert request["hold"]["reason"] == "He is away."
    assert datetime.fromisoformat(request["hold"]["until"]) == SOON
    assert request["stages"][0]["paused"] is True
    request = await moved(api, request, "resume")
    assert (request["status"], request["hold"]) == ("open", None)


async def test_send_back_cancel_and_reopen(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    request = await moved(api, await opened(api), "advance")
    request = await moved(api, request, "handoff/accept")
    request = await moved(api, request, "send-back", stage="received", reason="A page is missing.")
    assert request["open_stages"] == ["received"]
    assert stages(request)["decision"] == "upcoming"
    request = await moved(api, request, "cancel", reason="He changed his mind.")
    assert (request["status"], request["close_reason"]) == ("cancelled", "He changed his mind.")
    refused = await api.post(f"/requests/{request['reference']}/advance")
    assert refused.status_code == 409
    assert refused.headers["content-type"] == "application/problem+json"
    request = await moved(api, request, "reopen", reason="He wants it after all.")
    assert (request["status"], request["closed_at"]) == ("open", None)


async def test_ambiguous_stage_must_be_named(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    request = await moved(api, await opened(api, "permit"), "advance")
    assert request["coordinator"] == request["owner"]
    answer = await api.post(f"/requests/{request['reference']}/advance")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "stage", "detail": "one of fire, plans, zoning"}]
    request = await moved(api, request, "advance", stage="plans")
    assert stages(request)["plans"] == "done"
    request = await moved(api, request, "handoff/accept", stage="fire")
    request = await moved(api, request, "hold", stage="fire", reason="A drawing is missing.")
    assert request["hold"]["stage"] == "fire"
    assert request["status"] == "open", "zoning goes on"


async def test_the_same_external_id_opens_one_request(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    first = await opened(api, external_id="order-7")
    again = await api.post(
        "/requests", json={"workflow": "card", "customer": MARTIN, "external_id": "order-7"}
    )
    assert again.status_code == 409
    assert first["reference"] in again.json()["detail"]
    assert len((await api.get("/requests")).json()["items"]) == 1


async def test_customer_with_any_name_and_no_address(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    answer = await api.post(
        "/requests",
        json={"workflow": "card", "customer": {"name": "José 🎉 Núñez", "locale": "es"}},
    )
    assert answer.status_code == 201
    request = answer.json()
    assert request["customer"]["name"] == "José 🎉 Núñez"
    (told,) = (await api.get(f"/requests/{request['reference']}/messages")).json()["items"]
    assert told["status"] == "suppressed"
    assert "no phone number" in told["reason"]


async def test_message_records_its_author(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    request = await opened(api)
    answer = await api.post(
        f"/requests/{request['reference']}/messages",
        json={"body": "Your card is gold.", "channels": ["email"], "by": "tess@acme.example"},
    )
    assert answer.status_code == 201
    message = answer.json()
    assert answer.headers["location"] == f"/api/v1/messages/{message['id']}"
    assert (message["direction"], message["channel"], message["kind"]) == ("out", "email", "staff")
    assert message["to"] == "martin@example.com"
    assert message["status"] == "queued"
    assert message["author"] == "Tess Sales"
    assert (message["attempts"], message["send_attempts"]) == (0, [])
    assert (await api.get(f"/messages/{message['id']}")).json() == message
    listed = (await api.get(f"/requests/{request['reference']}/messages")).json()["items"]
    assert [one["kind"] for one in listed] == ["milestone", "staff"]
    assert listed[1] == message


async def test_a_call_is_logged_with_its_reason(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    request = await opened(api)
    answer = await api.post(
        f"/requests/{request['reference']}/contacts",
        json={"channel": "call", "reason": "where_is_it", "note": "He asked for the date."},
    )
    assert answer.status_code == 201
    assert answer.json()["logged_by"] == "crm"
    items = (await api.get(f"/requests/{request['reference']}/timeline")).json()["items"]
    assert items[-1]["kind"] == EventKind.CONTACT_LOGGED
    assert items[-1]["visible"] is False


async def test_promise_is_made_rescheduled_and_fulfilled(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    request = await opened(api)
    path = f"/requests/{request['reference']}/promises"
    made = await api.post(
        path,
        json={
            "text": "Tom will call you.",
            "due_at": SOON.isoformat(),
            "owner": "tom@acme.example",
        },
    )
    assert made.status_code == 201
    promise = made.json()
    assert (promise["state"], promise["owner"]["email"]) == ("open", "tom@acme.example")
    later = (SOON + timedelta(days=1)).isoformat()
    moved_ = await api.post(
        f"{path}/{promise['id']}/move", json={"due_at": later, "reason": "Tom is ill."}
    )
    assert moved_.json()["moved_reason"] == "Tom is ill."
    kept = await api.post(f"{path}/{promise['id']}/keep")
    assert (kept.status_code, kept.json()["state"]) == (200, "kept")
    assert (await api.post(f"{path}/{promise['id']}/keep")).status_code == 409
    assert (await api.get(path)).json()["items"] == [kept.json()]


async def test_promise_of_another_request_is_404(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    first, second = await opened(api), await opened(api)
    made = await api.post(
        f"/requests/{first['reference']}/promises",
        json={"text": "We call you.", "due_at": SOON.isoformat()},
    )
    answer = await api.post(f"/requests/{second['reference']}/promises/{made.json()['id']}/keep")
    assert answer.status_code == 404


async def test_request_opened_at_the_desk_is_read_by_the_api(
    api: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    answer = await api.get(f"/requests/{card_request.reference}")
    assert answer.json()["id"] == card_request.id


@pytest.mark.parametrize(
    "verb",
    ["advance", "resume", "handoff/accept"],
)
async def test_missing_body_equals_empty_object(
    verb: str, api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    request = await opened(api)
    if verb == "resume":
        await moved(api, request, "hold", reason="x")
    if verb == "handoff/accept":
        await moved(api, request, "advance")
    assert (await api.post(f"/requests/{request['reference']}/{verb}")).status_code == 200
