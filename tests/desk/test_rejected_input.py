"""Invalid input at the desk is explained, changes nothing and keeps what was typed."""

import re
from typing import Any

import httpx2
import pytest

from portal import operations as verbs
from portal.models import CUSTOMER_ACTOR, SYSTEM_ACTOR, EventKind, ServiceRequest
from portal.operations import CustomerDetails
from tests.support.desk_client import visible_text
from tests.support.factories import MARTIN, Organisation

pytestmark = pytest.mark.either_database


async def passed_on(organisation: Organisation, request: ServiceRequest) -> ServiceRequest:
    """Tess has passed it to Underwriting, which has not taken it up."""
    return await organisation.run(verbs.advance, request, by=organisation.people.tess.actor)


async def test_missing_field_is_reported_and_input_is_kept(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    tess = await desk_clients("tess")
    for htmx in (True, False):
        answer = await tess.submit(
            card_request, "hold", reason="A form is missing", until="1999-01-01T10:00", htmx=htmx
        )
        assert answer.status_code == 422
        assert "A form is missing" in answer.text
        assert "in the past" in answer.text
        assert "<details open><summary>Put on hold" in answer.text
    assert (await organisation.reload(card_request)).status == "open"


@pytest.mark.parametrize("due_at", ["", "soon", "2099-01-01T10:00+01:00", "2099-13-01T10:00"])
async def test_impossible_date_is_rejected(
    desk_clients: Any, card_request: ServiceRequest, due_at: str
) -> None:
    tess = await desk_clients("tess")
    answer = await tess.submit(card_request, "promises", text="Call", due_at=due_at, htmx=True)
    assert answer.status_code == 422
    assert 'value="Call"' in answer.text


async def test_stale_form_changes_nothing_and_keeps_input(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Tom put it on hold meanwhile: Tess reads so, and her note still stands in its form."""
    tess = await desk_clients("tess")
    page = await tess.page(card_request)
    await organisation.run(
        verbs.hold, card_request, reason="A form is missing", by=organisation.people.tom.actor
    )
    for htmx in (True, False):
        answer = await tess.submit(
            card_request, "advance", page=page, note="Signed today", htmx=htmx
        )
        assert answer.status_code == 409
        assert "Put on hold: A form is missing (Tom Sales" in visible_text(answer.text)
        assert re.search(r'<textarea name="note"[^>]*>Signed today</textarea>', answer.text)
        assert "Opened the request (" not in visible_text(answer.text)
    assert [run.stage_key for run in (await organisation.reload(card_request)).open_runs] == [
        "received"
    ]


async def test_input_for_a_removed_form_is_shown_again(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    tess = await desk_clients("tess")
    page = await tess.page(card_request)
    await organisation.run(
        verbs.cancel, card_request, reason="They asked", by=organisation.people.tom.actor
    )
    answer = await tess.submit(card_request, "advance", page=page, note="Signed today", htmx=True)
    assert answer.status_code == 409
    assert "You had written: “Signed today”" in answer.text


async def test_double_submit_advances_once(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    tess = await desk_clients("tess")
    page = await tess.page(card_request)
    first = await tess.submit(card_request, "advance", page=page)
    second = await tess.submit(card_request, "advance", page=page)
    assert (first.status_code, second.status_code) == (303, 409)
    kinds = [event.kind for event in await organisation.events(card_request)]
    assert kinds.count(EventKind.STAGE_COMPLETED) == 1


async def test_customer_message_does_not_make_a_form_stale(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    tess = await desk_clients("tess")
    page = await tess.page(card_request)
    await organisation.run(verbs.receive_web_message, card_request, "Hello?", by=CUSTOMER_ACTOR)
    assert (await tess.submit(card_request, "advance", page=page)).status_code == 303


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 40])
async def test_form_without_version_is_rejected(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest, version: str
) -> None:
    tess = await desk_clients("tess")
    answer = await tess.submit(card_request, "advance", version=version)
    assert answer.status_code == 422
    assert (await organisation.reload(card_request)).version == card_request.version


@pytest.mark.parametrize("verb", ["explode", "promises/keep", "promises/x/keep", "handoff"])
async def test_unknown_action_is_404(
    desk_clients: Any, card_request: ServiceRequest, verb: str
) -> None:
    tess = await desk_clients("tess")
    assert (await tess.submit(card_request, verb)).status_code == 404


@pytest.mark.parametrize("file_id", ["x", "9" * 19, "9" * 5_000])
async def test_file_of_no_possible_id_is_404(
    desk_clients: Any, client: httpx2.AsyncClient, file_id: str
) -> None:
    tess = await desk_clients("tess")
    assert (await tess.get(f"/desk/files/{file_id}")).status_code == 404
    assert (await client.get(f"/desk/files/{file_id}")).status_code == 303


async def test_user_text_is_escaped(
    desk_clients: Any, organisation: Organisation, client: httpx2.AsyncClient
) -> None:
    evil = "<script>alert(1)</script>\"' onload=x"
    customer = CustomerDetails(evil, "+14155550177")
    request = await organisation.open(customer=customer, title=evil, by=SYSTEM_ACTOR)
    await organisation.run(verbs.receive_web_message, request, evil, by=CUSTOMER_ACTOR)
    tess = await desk_clients("tess")
    for page in (
        await tess.page(request),
        (await tess.get("/desk")).text,
        (await tess.get("/desk/search", params={"q": evil})).text,
        (await tess.submit(request, "hold", reason=evil, until="1999-01-01T10:00")).text,
    ):
        assert "<script>alert" not in page
        assert "\"' onload" not in page
        assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize("body", ["", "  ", "x" * 1601, "\x00"])
async def test_unsendable_text_is_rejected_and_kept(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest, body: str
) -> None:
    tess = await desk_clients("tess")
    answer = await tess.submit(card_request, "messages", body=body, htmx=True)
    assert answer.status_code == 422
    assert body.strip("\x00 ") in answer.text
    assert not [
        message
        for message in await organisation.outbound_messages(card_request)
        if message.kind == "staff"
    ]


async def test_fork_shows_each_open_stage_and_completes_the_one_named(
    desk_clients: Any, organisation: Organisation
) -> None:
    permit = await organisation.open("permit", MARTIN, by=organisation.people.cora.actor)
    await organisation.run(verbs.advance, permit, by=organisation.people.cora.actor)
    pat = await desk_clients("pat")
    page = await pat.page(permit)
    assert page.count('class="move') == 3
    assert visible_text(page).index("Plan Review, due") < visible_text(page).index("Zoning, due")
    answer = await pat.submit(permit, "advance", stage="plans", htmx=True)
    assert answer.status_code == 200
    keys = {run.stage_key for run in (await organisation.reload(permit)).open_runs}
    assert keys == {"fire", "zoning"}


async def test_confirmation_by_staff_requires_a_note(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    actor = organisation.people.ada.actor
    for _ in range(20):
        request = await organisation.reload(card_request)
        if not request.open_runs:
            break
        verb = (
            verbs.accept
            if any(handoff.is_pending for handoff in request.handoffs)
            else verbs.advance
        )
        await organisation.run(verb, card_request, by=actor)
    ada = await desk_clients("ada")
    page = visible_text(await ada.page(card_request))
    assert "Has Martin confirmed it to you?" in page
    without = await ada.submit(card_request, "advance", htmx=True)
    assert without.status_code == 409
    assert "write how and when" in without.text
    done = await ada.submit(card_request, "advance", note="He rang today", htmx=True)
    assert done.status_code == 200
    assert (await organisation.reload(card_request)).status == "completed"
