"""Other systems open, read and move requests through the API."""

from datetime import datetime
from typing import Any

import httpx2
import pytest

from portal.models import ServiceRequest
from tests.api.requests import MARTIN, SOON, opened
from tests.support.factories import Organisation

pytestmark = pytest.mark.either_database


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
    assert [message.to_address for message in told] == ["+14155550132"]


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
    assert [(question["key"], question["stage"], question["state"]) for question in questions] == [
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
    assert hands["opened"] == {"kind": "staff", "name": "Tess Sales", "key": "crm"}
    assert hands["stage_completed"] == {"kind": "api", "name": "crm", "key": "crm"}


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


async def test_repeated_external_id_opens_one_request(
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
