"""Actions on a request at the desk: with and without JavaScript, by permitted staff only."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from portal import business_time as kept_clock
from portal import operations as verbs
from portal.models import Event, Message, ServiceRequest
from tests.support.desk_client import HTMX, hidden_fields, visible_text
from tests.support.factories import Organisation

pytestmark = pytest.mark.either_database


async def passed_on(organisation: Organisation, request: ServiceRequest) -> ServiceRequest:
    """Tess has passed it to Underwriting, which has not taken it up."""
    return await organisation.run(verbs.advance, request, by=organisation.people.tess.actor)


async def test_page_shows_the_whole_request(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await passed_on(organisation, card_request)
    page = visible_text(await (await desk_clients("tess")).page(card_request))
    for words in (
        "Waiting for Underwriting to accept",
        "Martin Miller",
        "+14155550132",
        "martin@example.com",
        "Tess Sales",
        "We have your application",
        "Handed off to Underwriting",
        "Opened the request",
        "Queued",
    ):
        assert words in page


async def test_sender_cannot_accept_for_the_receiver(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """She owns it and sees why it waits, without a button; a form of hers is refused in words."""
    await passed_on(organisation, card_request)
    tess = await desk_clients("tess")
    page = await tess.page(card_request)
    assert "handoff/accept" not in page
    answer = await tess.submit(card_request, "handoff/accept", htmx=True, version="0")
    assert answer.status_code == 409
    version = str((await organisation.reload(card_request)).version)
    answer = await tess.submit(card_request, "handoff/accept", htmx=True, version=version)
    assert answer.status_code == 403
    assert "Tess Sales does not work in Underwriting" in visible_text(answer.text)


@pytest.mark.parametrize("htmx", [True, False])
async def test_other_departments_may_only_read_and_add_notes(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest, *, htmx: bool
) -> None:
    """Also as a bare fragment: the endpoint holds it, not the markup."""
    zoe, tess = await desk_clients("zoe"), await desk_clients("tess")
    page = await zoe.page(card_request)
    forms = re.findall(
        rf'<form [^>]*action="/desk/requests/{card_request.reference}/([^"]+)"', page
    )
    assert set(forms) == {"contacts", "minds"}
    told = hidden_fields(
        await tess.page(card_request), f"/desk/requests/{card_request.reference}/advance"
    )
    told["form_token"] = hidden_fields(page, "/desk/sign-out")["form_token"]
    for verb in ("advance", "cancel", "messages", "link/revoke", "promises", "assign"):
        answer = await zoe.client.post(
            f"/desk/requests/{card_request.reference}/{verb}",
            data=told | {"reason": "x", "body": "x", "text": "x", "due_at": "2099-01-01T10:00"},
            headers=HTMX if htmx else {},
        )
        assert answer.status_code == 403, verb
        assert "assigned to other departments" in answer.text
        assert ("<html" in answer.text) is not htmx
    assert (await organisation.reload(card_request)).version == card_request.version


VERBS: list[tuple[str, dict[str, str], str]] = [
    ("advance", {"note": "All well"}, "handoff_sent"),
    ("hold", {"reason": "Waiting for a form", "until": "2099-01-01T10:00"}, "held"),
    ("cancel", {"reason": "They asked"}, "cancelled"),
    ("assign", {"owner": "tom@acme.example"}, "assigned"),
    ("promises", {"text": "Call back", "due_at": "2099-01-01T10:00"}, "promise_made"),
    ("contacts", {"channel": "call", "reason": "where_is_it", "note": "Rang"}, "contact_logged"),
    ("messages", {"body": "Hello Martin"}, "message_out"),
    ("link/revoke", {}, "link_replaced"),
    ("link/reissue", {}, "link_replaced"),
]


@pytest.mark.parametrize("htmx", [True, False])
@pytest.mark.parametrize(("verb", "typed", "happened"), VERBS)
async def test_each_action_works_with_and_without_javascript(
    desk_clients: Any,
    organisation: Organisation,
    card_request: ServiceRequest,
    *,
    verb: str,
    typed: dict[str, str],
    happened: str,
    htmx: bool,
) -> None:
    """With htmx the part of the page, with what was said; without it a 303 to the page."""
    tess = await desk_clients("tess")
    answer = await tess.submit(card_request, verb, htmx=htmx, **typed)
    if htmx:
        assert answer.status_code == 200
        assert "<html" not in answer.text
    else:
        assert answer.status_code == 303
        answer = await tess.get(answer.headers["Location"])
    assert 'class="said"' in answer.text
    assert happened in {event.kind.value for event in await organisation.events(card_request)}


async def test_hold_until_uses_department_time_zone(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    tess = await desk_clients("tess")
    await tess.submit(card_request, "hold", reason="A form is missing", until="2099-01-01T10:00")
    held = await organisation.reload(card_request)
    assert held.runs[0].hold_until == datetime(2099, 1, 1, 15, tzinfo=UTC)  # 10:00 in New York
    assert "on hold until" in visible_text(await tess.page(card_request))
    answer = await tess.submit(card_request, "resume", htmx=True)
    assert "Resumed." in answer.text
    assert (await organisation.reload(card_request)).status == "open"


async def test_form_times_are_read_in_the_forms_time_zone(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    tess = await desk_clients("tess")
    await tess.submit(
        card_request, "promises", text="Call", due_at="2099-07-01T10:00", zone="Asia/Tokyo"
    )
    assert (await organisation.reload(card_request)).promises[0].due_at.hour == 1


async def test_promise_is_rescheduled_and_fulfilled(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    tess = await desk_clients("tess")
    await tess.submit(card_request, "promises", text="Call back", due_at="2099-01-01T10:00")
    promise = (await organisation.reload(card_request)).promises[0]
    moved = await tess.submit(
        card_request,
        f"promises/{promise.id}/move",
        due_at="2099-01-02T10:00",
        reason="Ill",
        htmx=True,
    )
    assert "Rescheduled. A customer who knows of it is notified" in moved.text
    kept = await tess.submit(card_request, f"promises/{promise.id}/keep", htmx=True)
    assert "Commitment done." in kept.text
    assert (await organisation.reload(card_request)).promises[0].kept_at


async def test_request_is_declined_returned_and_reopened(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await passed_on(organisation, card_request)
    uma, tess = await desk_clients("uma"), await desk_clients("tess")
    refused = await uma.submit(
        card_request, "handoff/refuse", reason="No income is stated", htmx=True
    )
    assert refused.status_code == 200
    assert (await organisation.reload(card_request)).owner_id == organisation.people.tess.id
    await tess.submit(card_request, "advance")
    await uma.submit(card_request, "handoff/accept")
    back = await uma.submit(
        card_request, "send-back", stage="received", reason="Sign it", htmx=True
    )
    assert "Returned to the previous step" in back.text
    assert [run.stage_key for run in (await organisation.reload(card_request)).open_runs] == [
        "received"
    ]
    await tess.submit(card_request, "cancel", reason="They asked")
    again = await tess.submit(card_request, "reopen", stage="", reason="A mistake", htmx=True)
    assert "Reopened." in again.text
    assert (await organisation.reload(card_request)).status == "open"


async def test_request_is_opened_at_the_desk(desk_clients: Any, organisation: Organisation) -> None:
    tess = await desk_clients("tess")
    form = (await tess.get("/desk/requests/new")).text
    told = hidden_fields(form, "/desk/requests/new") | {
        "workflow": "card", "name": "Ana Lee", "phone": "+1 415 555 0144", "title": "Gold card",
    }  # fmt: skip
    answer = await tess.client.post("/desk/requests/new", data=told)
    assert answer.status_code == 303
    page = visible_text((await tess.get(answer.headers["Location"])).text)
    assert "Ana Lee" in page
    assert "Gold card" in page
    with_script = await tess.client.post(
        "/desk/requests/new", data=told | {"name": "Bo Li"}, headers=HTMX
    )
    assert with_script.headers["HX-Redirect"].startswith("/desk/requests/CARD-")


@pytest.mark.parametrize("htmx", [True, False])
async def test_each_error_is_shown_at_its_field(
    desk_clients: Any, organisation: Organisation, *, htmx: bool
) -> None:
    tess = await desk_clients("tess")
    form = (await tess.get("/desk/requests/new")).text
    told = hidden_fields(form, "/desk/requests/new")
    typed = {"workflow": "card", "name": "", "phone": "12", "email": "no", "title": "Gold"}
    headers = HTMX if htmx else {}
    answer = await tess.client.post("/desk/requests/new", data=told | typed, headers=headers)
    assert answer.status_code == 422
    for error in ("e-name", "e-phone", "e-email"):
        assert f'id="{error}"' in answer.text
    assert 'value="Gold"' in answer.text
    assert 'value="12"' in answer.text
    neither = await tess.client.post("/desk/requests/new", data=told | {"name": "Ana"})
    assert 'id="e-phone"' in neither.text
    unknown = await tess.client.post(
        "/desk/requests/new", data=told | {"name": "A", "phone": "+14155550144", "workflow": "x"}
    )
    assert 'id="e-workflow"' in unknown.text
    async with organisation.database.reading() as session:
        assert (await session.exec(select(col(Event.id)))).all() == []


async def test_staff_pages_are_no_store_and_noindex(desk_clients: Any) -> None:
    answer = await (await desk_clients("tess")).get("/desk")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


async def test_quiet_hours_are_shown_with_their_end(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    async with organisation.database.transaction() as session:
        message = (await session.exec(select(Message))).first()
        assert message
        message.due_at = kept_clock.now() + timedelta(hours=3)
        session.add(message)
    assert "quiet hours" in visible_text(await (await desk_clients("tess")).page(card_request))


@pytest.mark.parametrize("name", ["note", "handover"])
async def test_advance_with_an_overlong_text_is_rejected(
    desk_clients: Any, card_request: ServiceRequest, name: str
) -> None:
    answer = await (await desk_clients("tess")).submit(
        card_request, "advance", htmx=True, **{name: "x" * 2001}
    )
    assert answer.status_code == 422
    assert f"Please keep the {name} under 2000 letters." in visible_text(answer.text)
