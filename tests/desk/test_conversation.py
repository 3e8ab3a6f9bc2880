"""The conversation at the desk: what became of each word, what it cost, and what is wished."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select, update

from portal import business_time as kept_clock
from portal import operations as verbs
from portal.models import (
    THE_CUSTOMER,
    BallKind,
    Channel,
    Message,
    MessageStatus,
    SendAttempt,
    ServiceRequest,
)
from portal.operations.dropped_balls.resolution import raise_ball, resolve_balls
from portal.queries.consent import may_write
from portal.settings.types import QuietHours
from tests.support.desk_client import Desk, read
from tests.support.factories import House

once = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

NOON = datetime(2025, 6, 3, 14, tzinfo=UTC)
"""10 am in New York, where Martin and his card's departments are."""


async def put(house: House, message: Message, **facts: Any) -> None:
    """Bring a message to where only the wire and days of waiting would bring it."""
    async with house.database.transaction() as session:
        await session.exec(update(Message).where(col(Message.id) == message.id).values(**facts))


async def said_of(desk: Desk, request: ServiceRequest) -> str:
    """What the page says below the only message."""
    page = await desk.page(request)
    (small,) = re.findall(r"<small>(.*?)</small>", page, re.DOTALL)
    return read(small)


FATES: list[tuple[dict[str, Any], str]] = [
    ({"status": "queued"}, "Waits to be sent"),
    ({"status": "queued", "due_at": NOON + timedelta(hours=22)}, "until tomorrow, 8 am: quiet hours"),
    ({"status": "queued", "attempts": 1, "due_at": NOON + timedelta(minutes=9)},
     "Waits to be sent again until 10:09 am"),
    ({"status": "sending"}, "Being sent"),
    ({"status": "accepted", "sent_at": NOON}, "Sent 10 am"),
    ({"status": "sent", "sent_at": NOON - timedelta(days=3)}, "no receipt has come"),
    ({"status": "delivered", "delivered_at": NOON + timedelta(minutes=5)}, "Delivered 10:05 am"),
    ({"status": "delivered", "delivered_at": NOON, "possible_duplicate": True},
     "it may have been sent twice"),
    ({"status": "undelivered", "error_code": "30003"}, "Not delivered: the phone is off"),
    ({"status": "failed", "reason": "The mailbox is full."}, "Not delivered: the mailbox is full"),
    ({"status": "suppressed"}, "Held back: they asked us not to write here"),
    ({"status": "expired", "reason": ""}, "Not sent: it could not go in time"),
    ({"status": "unknown"}, "We are finding out whether this was sent"),
    ({"status": "review", "reason": "This request has had 40 texts."},
     "Held back before it was sent: this request has had 40 texts"),
    ({"status": "review", "claimed_at": NOON}, "Nobody could find out whether this was sent"),
    ({"status": "failed", "settled_at": NOON, "settled_by": "Tom Sales"},
     "Tom Sales saw to it 10 am"),
]  # fmt: skip


@once
async def test_each_fate_is_told_in_plain_words(
    clock: Any, desks: Any, house: House, martins: ServiceRequest
) -> None:
    """No word of the code's own stands on the page, and a text that waits is not called told."""
    (message,) = await house.told(martins)
    tess = await desks("tess")
    for facts, words in FATES:
        fresh = {
            "attempts": 0, "due_at": NOON, "sent_at": None, "delivered_at": None, "reason": "",
            "error_code": None, "possible_duplicate": False, "settled_at": None, "settled_by": "",
        }  # fmt: skip
        await put(house, message, **(fresh | facts))
        told = await said_of(tess, martins)
        assert words in told, facts
        for code in ("queued", "undelivered", "suppressed", "expired", "30003"):
            assert code not in told


@once
async def test_when_a_text_goes_is_told_on_the_customers_clock(
    clock: Any, desks: Any, house: House
) -> None:
    details = verbs.CustomerDetails("Mei Ito", "+81312345678", timezone="Asia/Tokyo")
    request = await house.open(customer=details, by=house.people.tess.actor)
    (message,) = await house.told(request)
    await put(house, message, due_at=NOON + timedelta(hours=9))  # 8 am in Tokyo
    told = await said_of(await desks("tess"), request)
    assert "Waits until tomorrow, 8 am their time: quiet hours" in told


@once
async def test_the_cost_of_a_text_and_each_try_at_sending_it_unfold(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    tess = house.people.tess.actor
    await house.do(verbs.write_to_customer, martins, "Görüşürüz, şef! " * 5, by=tess)
    message = (await house.told(martins))[-1]
    now = kept_clock.now()
    tried = (
        (MessageStatus.QUEUED, "", "it did not get as far as the carrier, so nothing was sent"),
        (MessageStatus.UNKNOWN, "", "no clear answer from the carrier"),
        (MessageStatus.FAILED, "30003: The phone is off or out of reach. (x)",
         "refused, the phone is off or out of reach (30003)"),
        (MessageStatus.ACCEPTED, "", "the carrier took it"),
    )  # fmt: skip
    async with house.database.transaction() as session:
        for number, (status, error, _) in enumerate(tried, 1):
            attempt = SendAttempt(
                message_id=message.id or 0, number=number, claim_token=f"t{number}",
                claimed_at=now, status=status, error=error, error_code=error[:5] or None,
            )  # fmt: skip
            session.add(attempt)
    await put(house, message, attempts=len(tried))
    page = read(await (await desks("tess")).page(martins))
    assert "2 texts, because of “ş”" in page
    assert "Written by a colleague, by text to +14155550132" in page
    for _, _, words in tried:
        assert words in page
    assert "Not tried yet." in page  # of the first text


WISHES = [
    ("No more texts about this request", Channel.SMS, "No texts about this request"),
    ("No more texts", Channel.SMS, "No texts"),
    ("Texts are welcome again", Channel.SMS, "Texts welcome"),
    ("No more e-mail", Channel.EMAIL, "No e-mail"),
    ("E-mail is welcome again", Channel.EMAIL, "E-mail welcome"),
]


def button(page: str, words: str) -> dict[str, str]:
    """What the form of that button sends."""
    forms = re.findall(r"<form .*?</form>", page, re.DOTALL)
    (form,) = [one for one in forms if f">{words}</button>" in one]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))


async def test_a_spoken_wish_is_recorded_with_one_click_and_shown_with_its_evidence(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    tess = await desks("tess")
    assert "Texts welcome" in read(await tess.page(martins))
    for words, channel, stands in WISHES:
        told = button(await tess.page(martins), words)
        answer = await tess.client.post(f"/desk/requests/{martins.reference}/wishes", data=told)
        assert answer.status_code == 303
        page = await tess.page(martins)
        block = page[page.index('class="wishes"') :]
        assert read(block[: block.index("<details")]).count(stands) >= 1
        assert "said to Tess Sales" in read(block)
        address = "+14155550132" if channel == Channel.SMS else "martin@example.com"
        async with house.database.reading() as session:
            is_welcome = await may_write(session, channel, address, martins.id)
        assert is_welcome is ("welcome" in words)
    assert "The customer told us: no more texts" in read(await tess.page(martins))


@once
async def test_a_wish_that_no_button_has_is_refused_and_strangers_get_none(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    tess, zoe = await desks("tess"), await desks("zoe")
    for typed in (
        {"channel": "fax", "wish": "stop", "about": "all"},
        {"channel": "sms", "wish": "maybe", "about": "all"},
        {"channel": "sms", "wish": "stop", "about": "everybody"},
    ):
        answer = await tess.press(martins, "wishes", htmx=True, **typed)
        assert answer.status_code == 422
    page = await zoe.page(martins)
    assert "Texts welcome" in read(page)
    assert f"/desk/requests/{martins.reference}/wishes" not in page


NIGHT = datetime(2025, 6, 4, 2, 40, tzinfo=UTC)
"""10:40 pm in New York."""


async def test_at_night_the_desk_says_when_words_go_and_urgent_ones_go_at_once(
    clock: Any, desks: Any, app: Any, house: House, martins: ServiceRequest
) -> None:
    quiet = QuietHours(datetime(1, 1, 1, 21).time(), datetime(1, 1, 1, 8).time())  # noqa: DTZ001
    tess = await desks("tess")
    for relay in (house.relay, app.state.relay):
        relay.settings = relay.settings.model_copy(update={"quiet_hours": quiet})
    app.state.settings = app.state.relay.settings
    assert "Urgent" not in await tess.page(martins)
    clock.move_to(NIGHT)
    tess = await desks("tess")  # her sign-in of this morning has ended
    page = read(await tess.page(martins))
    assert "It is 10:40 pm there; this goes at 8 am." in page
    written = await tess.press(martins, "messages", body="Hello", htmx=True)
    assert "Waits until tomorrow, 8 am: quiet hours" in read(written.text)
    await tess.press(martins, "messages", body="Do not open the door", urgent="1")
    waits, goes = (await house.told(martins))[-2:]
    assert (waits.urgent, goes.urgent) == (False, True)
    assert waits.due_at == datetime(2025, 6, 4, 12, tzinfo=UTC)
    assert goes.due_at == NIGHT
    # Whoever writes to us at night is awake for the answer.
    await house.do(verbs.receive_web_message, martins, "Are you there?", by=THE_CUSTOMER)
    assert "Urgent" not in await tess.page(martins)


async def test_what_stops_all_sending_is_told_to_those_who_oversee_it(
    desks: Any, house: House
) -> None:
    """For as long as it does, on every page; to nobody who could do nothing about it."""
    async with house.relay.turn(house.people.ada.actor) as turn:
        await raise_ball(turn, BallKind.SENDING_PAUSED, "sender:+1", "Twilio refuses us.")
        await raise_ball(turn, BallKind.CEILING, "month:2025-06", "80 of 100 parts are used.")
    for name, sees in (("mona", True), ("ada", True), ("tess", False)):
        desk = await desks(name)
        for path in ("/desk", "/desk/messages", "/desk/requests/new"):
            page = read((await desk.get(path)).text)
            assert ("Twilio refuses us." in page, "80 of 100" in page) == (sees, sees)
    async with house.relay.turn(house.people.ada.actor) as turn:
        await resolve_balls(turn, "sender:+1", BallKind.SENDING_PAUSED)
    page = (await (await desks("mona")).get("/desk")).text
    assert ("Twilio refuses us." in page, "80 of 100" in page) == (False, True)
    assert (await house.messages()) == []


@once
async def test_a_lost_message_marks_its_request_until_somebody_saw_to_it(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    (message,) = await house.told(martins)
    await put(house, message, status=MessageStatus.REVIEW)
    tess = await desks("tess")
    assert "the last message did not arrive" in await tess.page(martins)
    async with house.relay.turn(house.people.tess.actor) as turn:
        await verbs.mark_as_told(turn, await verbs.lock_lost(turn, message.id or 0))
    page = await tess.page(martins)
    assert "the last message did not arrive" not in page
    assert "See to it" not in page
    async with house.database.reading() as session:
        settled = (await session.exec(select(Message.settled_by))).all()
    assert settled == ["Tess Sales"]
