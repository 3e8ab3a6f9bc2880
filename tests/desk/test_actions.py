"""What is done at the desk: each verb, with and without script, by the right people."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from portal import business_time as kept_clock
from portal import operations as verbs
from portal.models import Event, Message, ServiceRequest
from tests.support.desk_client import HTMX, hidden_fields, read
from tests.support.factories import House

pytestmark = pytest.mark.either_database


async def passed_on(house: House, request: ServiceRequest) -> ServiceRequest:
    """Tess has passed it to Underwriting, which has not taken it up."""
    return await house.do(verbs.advance, request, by=house.people.tess.actor)


async def test_the_page_shows_the_whole_request(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    await passed_on(house, martins)
    page = read(await (await desks("tess")).page(martins))
    for words in (
        "Waiting for Underwriting to take it up",
        "Martin Miller",
        "+14155550132",
        "martin@example.com",
        "Tess Sales",
        "We have your application",
        "Passed to Underwriting",
        "Opened the request",
        "Waits to be sent",
    ):
        assert words in page


async def test_the_sender_cannot_take_up_for_the_receiver(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    """She owns it and sees why it waits, without a button; a form of hers is refused in words."""
    await passed_on(house, martins)
    tess = await desks("tess")
    page = await tess.page(martins)
    assert "handoff/accept" not in page
    answer = await tess.press(martins, "handoff/accept", htmx=True, version="0")
    assert answer.status_code == 409
    version = str((await house.see(martins)).version)
    answer = await tess.press(martins, "handoff/accept", htmx=True, version=version)
    assert answer.status_code == 403
    assert "Tess Sales does not work in Underwriting" in read(answer.text)


@pytest.mark.parametrize("htmx", [True, False])
async def test_the_wrong_person_may_read_and_do_nothing(
    desks: Any, house: House, martins: ServiceRequest, *, htmx: bool
) -> None:
    """Also as a bare fragment: the endpoint holds it, not the markup."""
    zoe, tess = await desks("zoe"), await desks("tess")
    page = await zoe.page(martins)
    assert 'action="/desk/requests' not in page
    told = hidden_fields(await tess.page(martins), f"/desk/requests/{martins.reference}/advance")
    told["form_token"] = hidden_fields(page, "/desk/sign-out")["form_token"]
    for verb in ("advance", "cancel", "messages", "link/revoke", "promises", "assign"):
        answer = await zoe.client.post(
            f"/desk/requests/{martins.reference}/{verb}",
            data=told | {"reason": "x", "body": "x", "text": "x", "due_at": "2099-01-01T10:00"},
            headers=HTMX if htmx else {},
        )
        assert answer.status_code == 403, verb
        assert "lies with other departments" in answer.text
        assert ("<html" in answer.text) is not htmx
    assert (await house.see(martins)).version == martins.version


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
async def test_each_verb_with_and_without_script(
    desks: Any,
    house: House,
    martins: ServiceRequest,
    *,
    verb: str,
    typed: dict[str, str],
    happened: str,
    htmx: bool,
) -> None:
    """With htmx the part of the page, with what was said; without it a 303 to the page."""
    tess = await desks("tess")
    answer = await tess.press(martins, verb, htmx=htmx, **typed)
    if htmx:
        assert answer.status_code == 200
        assert "<html" not in answer.text
    else:
        assert answer.status_code == 303
        answer = await tess.get(answer.headers["Location"])
    assert 'class="said"' in answer.text
    assert happened in {event.kind.value for event in await house.events(martins)}


async def test_what_is_held_until_a_time_on_the_departments_clock_resumes(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    tess = await desks("tess")
    await tess.press(martins, "hold", reason="A form is missing", until="2099-01-01T10:00")
    held = await house.see(martins)
    assert held.runs[0].hold_until == datetime(2099, 1, 1, 15, tzinfo=UTC)  # 10:00 in New York
    assert "on hold until" in read(await tess.page(martins))
    answer = await tess.press(martins, "resume", htmx=True)
    assert "It goes on" in answer.text
    assert (await house.see(martins)).status == "open"


async def test_times_are_read_in_the_zone_that_the_form_named(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    tess = await desks("tess")
    await tess.press(martins, "promises", text="Call", due_at="2099-07-01T10:00", zone="Asia/Tokyo")
    assert (await house.see(martins)).promises[0].due_at.hour == 1


async def test_a_promise_is_moved_and_kept(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    tess = await desks("tess")
    await tess.press(martins, "promises", text="Call back", due_at="2099-01-01T10:00")
    promise = (await house.see(martins)).promises[0]
    moved = await tess.press(
        martins, f"promises/{promise.id}/move", due_at="2099-01-02T10:00", reason="Ill", htmx=True
    )
    assert "Moved. A customer who knows of it is told why." in moved.text
    kept = await tess.press(martins, f"promises/{promise.id}/keep", htmx=True)
    assert "Promise kept." in kept.text
    assert (await house.see(martins)).promises[0].kept_at


async def test_refused_sent_back_and_reopened(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    await passed_on(house, martins)
    uma, tess = await desks("uma"), await desks("tess")
    refused = await uma.press(martins, "handoff/refuse", reason="No income is stated", htmx=True)
    assert refused.status_code == 200
    assert (await house.see(martins)).owner_id == house.people.tess.id
    await tess.press(martins, "advance")
    await uma.press(martins, "handoff/accept")
    back = await uma.press(martins, "send-back", stage="received", reason="Sign it", htmx=True)
    assert "Sent back" in back.text
    assert [run.stage_key for run in (await house.see(martins)).open_runs] == ["received"]
    await tess.press(martins, "cancel", reason="They asked")
    again = await tess.press(martins, "reopen", stage="", reason="A mistake", htmx=True)
    assert "Open again." in again.text
    assert (await house.see(martins)).status == "open"


async def test_a_request_is_opened_at_the_desk(desks: Any, house: House) -> None:
    tess = await desks("tess")
    form = (await tess.get("/desk/requests/new")).text
    told = hidden_fields(form, "/desk/requests/new") | {
        "workflow": "card", "name": "Ana Lee", "phone": "+1 415 555 0144", "title": "Gold card",
    }  # fmt: skip
    answer = await tess.client.post("/desk/requests/new", data=told)
    assert answer.status_code == 303
    page = read((await tess.get(answer.headers["Location"])).text)
    assert "Ana Lee" in page
    assert "Gold card" in page
    with_script = await tess.client.post(
        "/desk/requests/new", data=told | {"name": "Bo Li"}, headers=HTMX
    )
    assert with_script.headers["HX-Redirect"].startswith("/desk/requests/CARD-")


@pytest.mark.parametrize("htmx", [True, False])
async def test_each_mistake_stands_beside_its_field(
    desks: Any, house: House, *, htmx: bool
) -> None:
    tess = await desks("tess")
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
    async with house.database.reading() as session:
        assert (await session.exec(select(col(Event.id)))).all() == []


async def test_staff_pages_are_neither_kept_nor_indexed(desks: Any) -> None:
    answer = await (await desks("tess")).get("/desk")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


async def test_quiet_hours_are_said_with_the_time_they_end(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    async with house.database.transaction() as session:
        message = (await session.exec(select(Message))).first()
        assert message
        message.due_at = kept_clock.now() + timedelta(hours=3)
        session.add(message)
    assert "quiet hours" in read(await (await desks("tess")).page(martins))
