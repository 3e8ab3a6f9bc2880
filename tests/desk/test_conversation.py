"""The conversation at the desk: delivery status, cost, and preferences of the customer."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select, update

from portal import business_time as kept_clock
from portal import operations as verbs
from portal.models import (
    CUSTOMER_ACTOR,
    Channel,
    DeliveryReason,
    DroppedBallKind,
    Message,
    MessageStatus,
    SendAttempt,
    ServiceRequest,
)
from portal.operations.dropped_balls.resolution import raise_dropped_ball, resolve_dropped_balls
from portal.queries.consent import may_write
from portal.settings.types import QuietHours
from tests.support.desk_client import DeskClient, visible_text
from tests.support.factories import Organisation

once = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

NOON = datetime(2025, 6, 3, 14, tzinfo=UTC)
"""10 am in New York, where Martin and his card's departments are."""


async def put(organisation: Organisation, message: Message, **facts: Any) -> None:
    """Bring a message to where only the wire and days of waiting would bring it."""
    async with organisation.database.transaction() as session:
        await session.exec(update(Message).where(col(Message.id) == message.id).values(**facts))


async def said_of(desk: DeskClient, request: ServiceRequest) -> str:
    """What the page says below the only message."""
    page = await desk.page(request)
    (small,) = re.findall(r"<small>(.*?)</small>", page, re.DOTALL)
    return visible_text(small)


FATES: list[tuple[dict[str, Any], str]] = [
    ({"status": "queued"}, "Queued"),
    ({"status": "queued", "due_at": NOON + timedelta(hours=22)}, "until tomorrow, 8 am: quiet hours"),
    ({"status": "queued", "attempts": 1, "due_at": NOON + timedelta(minutes=9)},
     "Queued for retry until 10:09 am"),
    ({"status": "sending"}, "Being sent"),
    ({"status": "accepted", "sent_at": NOON}, "Sent 10 am"),
    ({"status": "sent", "sent_at": NOON - timedelta(days=3)}, "no delivery receipt"),
    ({"status": "delivered", "delivered_at": NOON + timedelta(minutes=5)}, "Delivered 10:05 am"),
    ({"status": "delivered", "delivered_at": NOON, "possible_duplicate": True},
     "it may have been sent twice"),
    ({"status": "undelivered", "error_code": "30003"}, "Not delivered: the phone is off"),
    ({"status": "failed", "reason": DeliveryReason.MAILBOX_FULL}, "Not delivered: the mailbox is full"),
    ({"status": "suppressed"}, "Held back: the customer opted out of this channel"),
    ({"status": "expired"}, "Not sent: it could not be sent in time"),
    ({"status": "unknown"}, "Checking whether this was sent"),
    ({"status": "review", "reason": DeliveryReason.REQUEST_LIMIT, "reason_count": 40},
     "Held back before it was sent: this request has had 40 texts"),
    ({"status": "review", "claimed_at": NOON}, "Unknown whether this was sent"),
    ({"status": "failed", "handled_at": NOON, "handled_by": "Tom Sales"},
     "handled by Tom Sales, 10 am"),
]  # fmt: skip


@once
async def test_each_delivery_status_has_a_label(
    clock: Any, desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """No word of the code's own stands on the page, and a text that waits is not called told."""
    (message,) = await organisation.outbound_messages(card_request)
    tess = await desk_clients("tess")
    for facts, words in FATES:
        fresh = {
            "attempts": 0, "due_at": NOON, "sent_at": None, "delivered_at": None, "reason": None,
            "error_code": None, "possible_duplicate": False, "handled_at": None, "handled_by": "",
        }  # fmt: skip
        await put(organisation, message, **(fresh | facts))
        told = await said_of(tess, card_request)
        assert words in told, facts
        for code in ("queued", "undelivered", "suppressed", "expired", "30003"):
            assert code not in told


@once
async def test_send_time_is_shown_in_the_customers_time_zone(
    clock: Any, desk_clients: Any, organisation: Organisation
) -> None:
    details = verbs.CustomerDetails("Mei Ito", "+81312345678", timezone="Asia/Tokyo")
    request = await organisation.open(customer=details, by=organisation.people.tess.actor)
    (message,) = await organisation.outbound_messages(request)
    await put(organisation, message, due_at=NOON + timedelta(hours=9))  # 8 am in Tokyo
    told = await said_of(await desk_clients("tess"), request)
    assert "Queued until tomorrow, 8 am their time: quiet hours" in told


@once
async def test_delivery_details_show_cost_and_attempts(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    tess = organisation.people.tess.actor
    await organisation.run(verbs.write_to_customer, card_request, "Görüşürüz, şef! " * 5, by=tess)
    message = (await organisation.outbound_messages(card_request))[-1]
    now = kept_clock.now()
    tried = (
        (MessageStatus.QUEUED, "", "the carrier was not reached, nothing was sent"),
        (MessageStatus.UNKNOWN, "", "no clear answer from the carrier"),
        (MessageStatus.FAILED, "30003: whatever the carrier says",
         "refused, the phone is off or out of reach (30003)"),
        (MessageStatus.ACCEPTED, "", "accepted by the carrier"),
    )  # fmt: skip
    async with organisation.database.transaction() as session:
        for number, (status, error, _) in enumerate(tried, 1):
            attempt = SendAttempt(
                message_id=message.id or 0, number=number, claim_token=f"t{number}",
                claimed_at=now, status=status, error=error, error_code=error[:5] or None,
                reason=DeliveryReason.PHONE_OFF if error else None,
            )  # fmt: skip
            session.add(attempt)
    await put(organisation, message, attempts=len(tried))
    page = visible_text(await (await desk_clients("tess")).page(card_request))
    assert "2 SMS, because of “ş”" in page
    assert "Staff message, by SMS to +14155550132" in page
    for _, _, words in tried:
        assert words in page
    assert "No attempt yet." in page  # of the first text


WISHES = [
    ("Opt out of SMS (this request)", Channel.SMS, "SMS: opted out (this request)"),
    ("Opt out of SMS", Channel.SMS, "SMS: opted out"),
    ("Opt in to SMS", Channel.SMS, "SMS: opted in"),
    ("Opt out of e-mail", Channel.EMAIL, "E-mail: opted out"),
    ("Opt in to e-mail", Channel.EMAIL, "E-mail: opted in"),
]


def button(page: str, words: str) -> dict[str, str]:
    """What the form of that button sends."""
    forms = re.findall(r"<form .*?</form>", page, re.DOTALL)
    (form,) = [form for form in forms if f">{words}</button>" in form]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))


async def test_verbal_preference_is_recorded_with_evidence(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    tess = await desk_clients("tess")
    assert "SMS: opted in" in visible_text(await tess.page(card_request))
    for words, channel, stands in WISHES:
        told = button(await tess.page(card_request), words)
        answer = await tess.client.post(
            f"/desk/requests/{card_request.reference}/wishes", data=told
        )
        assert answer.status_code == 303
        page = await tess.page(card_request)
        block = page[page.index('class="wishes"') :]
        assert visible_text(block[: block.index("<details")]).count(stands) >= 1
        assert "said to Tess Sales" in visible_text(block)
        address = "+14155550132" if channel == Channel.SMS else "martin@example.com"
        async with organisation.database.reading() as session:
            is_welcome = await may_write(session, channel, address, card_request.id)
        assert is_welcome is words.startswith("Opt in")
    assert "Customer asked for: opt out of SMS" in visible_text(await tess.page(card_request))


@once
async def test_unknown_preference_is_rejected_and_unknown_senders_have_none(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    tess, zoe = await desk_clients("tess"), await desk_clients("zoe")
    for typed in (
        {"channel": "fax", "wish": "stop", "about": "all"},
        {"channel": "sms", "wish": "maybe", "about": "all"},
        {"channel": "sms", "wish": "stop", "about": "everybody"},
    ):
        answer = await tess.submit(card_request, "wishes", htmx=True, **typed)
        assert answer.status_code == 422
    page = await zoe.page(card_request)
    assert "SMS: opted in" in visible_text(page)
    assert f"/desk/requests/{card_request.reference}/wishes" not in page


NIGHT = datetime(2025, 6, 4, 2, 40, tzinfo=UTC)
"""10:40 pm in New York."""


async def test_desk_shows_quiet_hours_delay_and_urgent_sends_now(
    clock: Any,
    desk_clients: Any,
    app: Any,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    quiet = QuietHours(datetime(1, 1, 1, 21).time(), datetime(1, 1, 1, 8).time())  # noqa: DTZ001
    tess = await desk_clients("tess")
    for each in (organisation.operations, app.state.operations):
        each.settings = each.settings.model_copy(update={"quiet_hours": quiet})
    app.state.settings = app.state.operations.settings
    assert "Urgent" not in await tess.page(card_request)
    clock.move_to(NIGHT)
    tess = await desk_clients("tess")  # her sign-in of this morning has ended
    page = visible_text(await tess.page(card_request))
    assert "It is 10:40 pm there; this goes at 8 am." in page
    written = await tess.submit(card_request, "messages", body="Hello", htmx=True)
    assert "Queued until tomorrow, 8 am: quiet hours" in visible_text(written.text)
    await tess.submit(card_request, "messages", body="Do not open the door", urgent="1")
    waits, goes = (await organisation.outbound_messages(card_request))[-2:]
    assert (waits.urgent, goes.urgent) == (False, True)
    assert waits.due_at == datetime(2025, 6, 4, 12, tzinfo=UTC)
    assert goes.due_at == NIGHT
    # Whoever writes to us at night is awake for the answer.
    await organisation.run(
        verbs.receive_web_message, card_request, "Are you there?", by=CUSTOMER_ACTOR
    )
    assert "Urgent" not in await tess.page(card_request)


async def test_paused_sending_is_shown_to_managers(
    desk_clients: Any, organisation: Organisation
) -> None:
    """For as long as it does, on every page; to nobody who could do nothing about it."""
    async with organisation.operations.begin(organisation.people.ada.actor) as uow:
        await raise_dropped_ball(
            uow, DroppedBallKind.SENDING_PAUSED, "sender:+1", "Twilio refuses us."
        )
        await raise_dropped_ball(
            uow, DroppedBallKind.SENDING_LIMIT, "month:2025-06", "80 of 100 parts are used."
        )
    for name, sees in (("mona", True), ("ada", True), ("tess", False)):
        desk = await desk_clients(name)
        for path in ("/desk", "/desk/messages", "/desk/requests/new"):
            page = visible_text((await desk.get(path)).text)
            assert ("Twilio refuses us." in page, "80 of 100" in page) == (sees, sees)
    async with organisation.operations.begin(organisation.people.ada.actor) as uow:
        await resolve_dropped_balls(uow, "sender:+1", DroppedBallKind.SENDING_PAUSED)
    page = (await (await desk_clients("mona")).get("/desk")).text
    assert ("Twilio refuses us." in page, "80 of 100" in page) == (False, True)
    assert (await organisation.messages()) == []


@once
async def test_failed_message_marks_its_request_until_resolved(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    (message,) = await organisation.outbound_messages(card_request)
    await put(organisation, message, status=MessageStatus.REVIEW)
    tess = await desk_clients("tess")
    assert "last message not delivered" in await tess.page(card_request)
    async with organisation.operations.begin(organisation.people.tess.actor) as uow:
        await verbs.mark_told_by_phone(uow, await verbs.lock_failed_message(uow, message.id or 0))
    page = await tess.page(card_request)
    assert "last message not delivered" not in page
    assert ">Fix<" not in page
    async with organisation.database.reading() as session:
        settled = (await session.exec(select(Message.handled_by))).all()
    assert settled == ["Tess Sales"]
