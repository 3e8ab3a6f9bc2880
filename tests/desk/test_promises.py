"""A promise is made at the desk in one line, which is read back before it is made."""

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
from tests.support.desk_client import HTMX, Desk, hidden_fields, read
from tests.support.factories import House

pytestmark = pytest.mark.either_database

Desks = Callable[[str], Awaitable[Desk]]


@pytest.fixture
async def opens_at_nine(clock: time_machine.Traveller, house: House) -> None:
    """Telesales works from nine to half past five, and not at weekends."""
    async with house.relay.turn(house.people.mona.actor) as turn:
        department = await turn.session.get(Department, 1)
        assert department
        assert department.key == "telesales"
        department.hours = "Mon-Fri 09:00-17:30"
        turn.session.add(department)


def agreed(page: str) -> str:
    """The time on the first button that makes the promise."""
    found = re.search(r'name="agreed" value="([^"]+)"', page)
    assert found, read(page)
    return found[1]


@pytest.mark.parametrize("htmx", [True, False])
async def test_one_line_is_shown_back_and_then_promised(
    opens_at_nine: None, desks: Desks, house: House, martins: ServiceRequest, *, htmx: bool
) -> None:
    """The line "call back tomorrow 3pm": on the department's clocks, and a call, which logging one keeps."""
    tess = await desks("tess")
    shown = await tess.press(martins, "promises", text="call back tomorrow 3pm", htmx=htmx)
    assert shown.status_code == 200
    assert "Call back, by tomorrow, 3 pm (Wed 4 Jun)" in read(shown.text)
    assert "Martin reads “I will call back. By tomorrow, 3 pm.”" in read(shown.text)
    assert not (await house.see(martins)).promises
    made = await tess.press(
        martins, "promises", page=shown.text, text="call back tomorrow 3pm",
        agreed=agreed(shown.text), htmx=htmx,
    )  # fmt: skip
    assert made.status_code == (200 if htmx else 303)
    [promise] = (await house.see(martins)).promises
    assert (promise.kind, promise.text) == (PromiseKind.CALL, "I will call back")
    assert promise.due_at.isoformat() == "2025-06-04T19:00:00+00:00"
    assert "I will call back. By tomorrow, 3 pm." in (await house.told(martins))[-1].body


async def test_while_it_is_typed_it_is_read_back_and_nothing_is_done(
    opens_at_nine: None, desks: Desks, house: House, martins: ServiceRequest
) -> None:
    tess, zoe = await desks("tess"), await desks("zoe")
    url = f"/desk/requests/{martins.reference}/promises/preview"
    told = hidden_fields(await tess.page(martins), url.removesuffix("/preview"))
    line = told | {"text": "llamar mañana a las 3"}
    answer = await tess.client.post(url, data=line, headers=HTMX)
    assert "<main" not in answer.text
    assert "Llamar, by tomorrow, 3 pm (Wed 4 Jun)" in read(answer.text)
    assert "Voy a llamar" in read(answer.text)
    told["form_token"] = hidden_fields(await zoe.page(martins), "/desk/sign-out")["form_token"]
    assert (await zoe.client.post(url, data=line | told, headers=HTMX)).status_code == 403
    assert not (await house.see(martins)).promises


async def test_a_line_that_was_changed_after_it_was_read_back_is_read_back_again(
    opens_at_nine: None, desks: Desks, house: House, martins: ServiceRequest
) -> None:
    """What is agreed to is what was shown."""
    tess = await desks("tess")
    shown = await tess.press(martins, "promises", text="call tomorrow 3pm")
    again = await tess.press(
        martins, "promises", page=shown.text, text="call on Friday", agreed=agreed(shown.text)
    )
    assert "Call, by Friday, 5:30 pm (Fri 6 Jun)" in read(again.text)
    assert not (await house.see(martins)).promises


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
async def test_a_line_without_one_time_to_come_is_refused_in_kind_words(
    opens_at_nine: None,
    desks: Desks,
    house: House,
    martins: ServiceRequest,
    *,
    line: str,
    said: str,
) -> None:
    """With what was typed still there, and a field for the time, or the soonest time there is."""
    answer = await (await desks("tess")).press(martins, "promises", text=line)
    assert answer.status_code == 422
    assert said in read(answer.text)
    assert f'value="{line.strip(chr(0))}"' in answer.text
    assert not (await house.see(martins)).promises
    if "No one time" in said:
        assert 'name="due_at"' in answer.text
    if "passed" in said:
        assert "Promise it by 12 pm (Tue 3 Jun)" in read(answer.text)


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("call friday 8pm", "Friday, 5:30 pm (Fri 6 Jun)"),
        ("call sunday 8pm", "Monday, 9 am (Mon 9 Jun)"),
    ],
)
async def test_outside_the_departments_hours_the_nearest_open_moment_is_offered(
    opens_at_nine: None, desks: Desks, martins: ServiceRequest, line: str, offered: str
) -> None:
    """Beside the time itself: some customers are called in the evening."""
    answer = await (await desks("tess")).press(martins, "promises", text=line)
    assert "Telesales is closed then." in read(answer.text)
    assert f"Promise it by {offered}" in read(answer.text)
    assert "8 pm" in read(answer.text).split("Keep")[-1]


async def test_what_a_reply_commits_to_is_shown_back_and_can_be_taken_back(
    clock: time_machine.Traveller, desks: Desks, house: House, martins: ServiceRequest
) -> None:
    tess = await desks("tess")
    await tess.press(martins, "messages", body="Thank you. I'll call you tomorrow at 3.")
    [promise] = (await house.see(martins)).promises
    page = await tess.page(martins)
    assert "Kept as a promise: call, by tomorrow, 3 pm ." in read(page)
    await tess.press(martins, f"promises/{promise.id}/withdraw", page=page)
    [promise] = (await house.see(martins)).promises
    assert promise.state(promise.due_at) == PromiseState.WITHDRAWN
    assert "Kept as a promise" not in read(await tess.page(martins))
    assert (await house.events(martins))[-1].kind == EventKind.PROMISE_WITHDRAWN


async def test_the_desk_says_which_is_due_soon_and_which_was_kept_late(
    clock: time_machine.Traveller, desks: Desks, house: House, martins: ServiceRequest
) -> None:
    """Due soon is the last quarter of its time, and at most its last hour."""
    tess, by = await desks("tess"), house.people.tess.actor
    await house.do(write_to_customer, martins, "I'll call you in 2 hours.", by=by)
    assert "due soon" not in read(await tess.page(martins))
    clock.shift(60 * 90)
    assert "due soon" in read(await tess.page(martins))
    clock.shift(60 * 60)
    await house.do(
        log_contact, martins, channel=ContactChannel.CALL, reason=ContactReason.OTHER, by=by
    )
    page = read(await tess.page(martins))
    assert "I'll call you kept late, 12:30 pm" in page
    assert "Kept a promise late (“I'll call you”)" in page


async def test_a_promise_that_only_we_know_of_says_so(
    clock: time_machine.Traveller, desks: Desks, house: House, martins: ServiceRequest
) -> None:
    due_at = martins.opened_at.replace(year=2030)
    await house.do(
        make_promise, martins, text="Ask the bank", due_at=due_at, tell=False,
        by=house.people.tess.actor,
    )  # fmt: skip
    assert "Martin does not know of it" in read(await (await desks("tess")).page(martins))
