"""A promise is made at the desk in one line, which is previewed first."""

import re
from collections.abc import Awaitable, Callable

import pytest
import time_machine

from portal.models import (
    ContactChannel,
    ContactReason,
    Department,
    EventKind,
    PromiseKind,
    PromiseState,
    ServiceRequest,
)
from portal.operations import log_contact, make_promise, write_to_customer
from tests.support.desk_client import HTMX, DeskClient, hidden_fields, visible_text
from tests.support.factories import Organisation

pytestmark = pytest.mark.either_database

Desks = Callable[[str], Awaitable[DeskClient]]


@pytest.fixture
async def opens_at_nine(clock: time_machine.Traveller, organisation: Organisation) -> None:
    """Telesales works from nine to half past five, and not at weekends."""
    async with organisation.operations.begin(organisation.people.mona.actor) as uow:
        department = await uow.session.get(Department, 1)
        assert department
        assert department.key == "telesales"
        department.hours = "Mon-Fri 09:00-17:30"
        uow.session.add(department)


def agreed(page: str) -> str:
    """The time on the first button that makes the promise."""
    found = re.search(r'name="agreed" value="([^"]+)"', page)
    assert found, visible_text(page)
    return found[1]


@pytest.mark.parametrize("htmx", [True, False])
async def test_promise_line_is_previewed_then_saved(
    opens_at_nine: None,
    desk_clients: Desks,
    organisation: Organisation,
    card_request: ServiceRequest,
    *,
    htmx: bool,
) -> None:
    """The line "call back tomorrow 3pm": on the department's clocks, and a call, which logging one keeps."""
    tess = await desk_clients("tess")
    shown = await tess.submit(card_request, "promises", text="call back tomorrow 3pm", htmx=htmx)
    assert shown.status_code == 200
    assert "Call back, by tomorrow, 3 pm (Wed 4 Jun)" in visible_text(shown.text)
    assert "Martin reads “I will call back. By tomorrow, 3 pm.”" in visible_text(shown.text)
    assert not (await organisation.reload(card_request)).promises
    made = await tess.submit(
        card_request, "promises", page=shown.text, text="call back tomorrow 3pm",
        agreed=agreed(shown.text), htmx=htmx,
    )  # fmt: skip
    assert made.status_code == (200 if htmx else 303)
    [promise] = (await organisation.reload(card_request)).promises
    assert (promise.kind, promise.text) == (PromiseKind.CALL, "I will call back")
    assert promise.due_at.isoformat() == "2025-06-04T19:00:00+00:00"
    assert (
        "I will call back. By Wed 4 Jun, 3 pm."
        in (await organisation.outbound_messages(card_request))[-1].body
    )


async def test_preview_while_typing_saves_nothing(
    opens_at_nine: None,
    desk_clients: Desks,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    tess, zoe = await desk_clients("tess"), await desk_clients("zoe")
    url = f"/desk/requests/{card_request.reference}/promises/preview"
    told = hidden_fields(await tess.page(card_request), url.removesuffix("/preview"))
    line = told | {"text": "llamar mañana a las 3"}
    answer = await tess.client.post(url, data=line, headers=HTMX)
    assert "<main" not in answer.text
    assert "Llamar, by tomorrow, 3 pm (Wed 4 Jun)" in visible_text(answer.text)
    assert "Voy a llamar" in visible_text(answer.text)
    told["form_token"] = hidden_fields(await zoe.page(card_request), "/desk/sign-out")["form_token"]
    assert (await zoe.client.post(url, data=line | told, headers=HTMX)).status_code == 403
    assert not (await organisation.reload(card_request)).promises


async def test_edited_line_is_previewed_again(
    opens_at_nine: None,
    desk_clients: Desks,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    """What is agreed to is what was shown."""
    tess = await desk_clients("tess")
    shown = await tess.submit(card_request, "promises", text="call tomorrow 3pm")
    again = await tess.submit(
        card_request, "promises", page=shown.text, text="call on Friday", agreed=agreed(shown.text)
    )
    assert "Call, by Friday, 5:30 pm (Fri 6 Jun)" in visible_text(again.text)
    assert not (await organisation.reload(card_request)).promises


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("call back soon", "No one time can be read in this"),
        ("call on Tuesday or Friday", "No one time can be read in this"),
        ("tomorrow 3pm", "Please say what will be done"),
        ("", "Please say what will be done"),
        ("call today 9am", "That time has passed."),
        ("\x00", "Please say what will be done"),
    ],
)
async def test_promise_without_future_time_is_rejected(
    opens_at_nine: None,
    desk_clients: Desks,
    organisation: Organisation,
    card_request: ServiceRequest,
    *,
    line: str,
    said: str,
) -> None:
    """With what was typed still there, and a field for the time, or the soonest time there is."""
    answer = await (await desk_clients("tess")).submit(card_request, "promises", text=line)
    assert answer.status_code == 422
    assert said in visible_text(answer.text)
    assert f'value="{line.strip(chr(0))}"' in answer.text
    assert not (await organisation.reload(card_request)).promises
    if "No one time" in said:
        assert 'name="due_at"' in answer.text
    if "passed" in said:
        assert "Save for noon (Tue 3 Jun)" in visible_text(answer.text)


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("call friday 8pm", "Friday, 5:30 pm (Fri 6 Jun)"),
        ("call sunday 8pm", "Monday, 9 am (Mon 9 Jun)"),
    ],
)
async def test_nearest_open_time_is_offered_outside_hours(
    opens_at_nine: None, desk_clients: Desks, card_request: ServiceRequest, line: str, offered: str
) -> None:
    """Beside the time itself: some customers are called in the evening."""
    answer = await (await desk_clients("tess")).submit(card_request, "promises", text=line)
    assert "Telesales is closed then." in visible_text(answer.text)
    assert f"Save for {offered}" in visible_text(answer.text)
    assert "8 pm" in visible_text(answer.text).split("Keep")[-1]


async def test_commitment_in_reply_is_previewed_and_can_be_removed(
    clock: time_machine.Traveller,
    desk_clients: Desks,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    tess = await desk_clients("tess")
    await tess.submit(card_request, "messages", body="Thank you. I'll call you tomorrow at 3.")
    [promise] = (await organisation.reload(card_request)).promises
    page = await tess.page(card_request)
    assert "Detected commitment: call, by tomorrow, 3 pm ." in visible_text(page)
    await tess.submit(card_request, f"promises/{promise.id}/withdraw", page=page)
    [promise] = (await organisation.reload(card_request)).promises
    assert promise.state(promise.due_at) == PromiseState.WITHDRAWN
    assert "Detected commitment" not in visible_text(await tess.page(card_request))
    assert (await organisation.events(card_request))[-1].kind == EventKind.PROMISE_WITHDRAWN


async def test_due_soon_and_late_promises_are_labelled(
    clock: time_machine.Traveller,
    desk_clients: Desks,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    """Due soon is the last quarter of its time, and at most its last hour."""
    tess, by = await desk_clients("tess"), organisation.people.tess.actor
    await organisation.run(write_to_customer, card_request, "I'll call you in 2 hours.", by=by)
    assert "due soon" not in visible_text(await tess.page(card_request))
    clock.shift(60 * 90)
    assert "due soon" in visible_text(await tess.page(card_request))
    clock.shift(60 * 60)
    await organisation.run(
        log_contact, card_request, channel=ContactChannel.CALL, reason=ContactReason.OTHER, by=by
    )
    markup = await tess.page(card_request)
    assert '<span class="late">done late, 12:30 pm</span>' in markup
    page = visible_text(markup)
    assert "I'll call you done late, 12:30 pm" in page
    assert "Completed a commitment late (“I'll call you”)" in page


async def test_internal_promise_is_labelled(
    clock: time_machine.Traveller,
    desk_clients: Desks,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    due_at = card_request.opened_at.replace(year=2030)
    await organisation.run(
        make_promise, card_request, text="Ask the bank", due_at=due_at, tell=False,
        by=organisation.people.tess.actor,
    )  # fmt: skip
    assert "not visible to the customer" in visible_text(
        await (await desk_clients("tess")).page(card_request)
    )
