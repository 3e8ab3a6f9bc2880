"""Staff resolve a failed message: by another copy, another address, or a note."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlmodel import col, select

from portal import business_time as kept_clock
from portal import operations as verbs
from portal.models import (
    SYSTEM_ACTOR,
    Channel,
    ContactPoint,
    DroppedBall,
    MessageStatus,
    ServiceRequest,
)
from portal.operations import CustomerDetails
from tests.desk.failed_messages.lost_texts import fail, lost_text, press, put
from tests.support.desk_client import hidden_fields, visible_text
from tests.support.factories import Organisation

pytestmark = pytest.mark.either_database


async def open_balls(organisation: Organisation) -> set[tuple[str, str]]:
    async with organisation.database.reading() as session:
        query = select(DroppedBall).where(col(DroppedBall.resolved_at).is_(None))
        return {(ball.kind.value, ball.subject) for ball in (await session.exec(query)).all()}


@pytest.mark.parametrize("htmx", [True, False])
async def test_resend_sends_one_copy(
    desk_clients: Any, organisation: Organisation, card: ServiceRequest, *, htmx: bool
) -> None:
    """As a message of its own, so that the first keeps its end; a second press is refused."""
    message = await lost_text(organisation, card, "30004")
    assert await open_balls(organisation) == {("message_undelivered", f"message:{message.id}")}
    tess = await desk_clients("tess")
    page = (await tess.get("/desk/messages")).text
    first = await press(tess, message, "retry", htmx=htmx)
    if htmx:
        assert (first.status_code, "<html" in first.text) == (200, False)
        assert 'hx-swap-oob="true"' in first.text
    else:
        assert first.status_code == 303
        first = await tess.get(first.headers["Location"])
    assert "Sending again." in visible_text(first.text)
    assert message.body not in visible_text(first.text)
    url = f"/desk/messages/{message.id}/retry"
    second = await tess.client.post(url, data=hidden_fields(page, url))
    assert second.status_code == 409
    assert "Tess Sales has seen to this already" in visible_text(second.text)
    lost, again = await organisation.outbound_messages(card)
    assert (lost.status, lost.handled_by) == (MessageStatus.UNDELIVERED, "Tess Sales")
    assert (again.status, again.body, again.to_address) == ("queued", lost.body, lost.to_address)
    assert (again.possible_duplicate, again.provider_sid, again.attempts) == (False, None, 0)
    assert await open_balls(organisation) == set()
    assert "message_retried" in {event.kind.value for event in await organisation.events(card)}
    await fail(organisation, again, "30004")
    assert await open_balls(organisation) == {("message_undelivered", f"message:{again.id}")}


async def test_concurrent_resend_sends_one_copy(
    desk_clients: Any, organisation: Organisation, card: ServiceRequest
) -> None:
    message = await lost_text(organisation, card, "30004")
    tess, tom = await desk_clients("tess"), await desk_clients("tom")
    answers = await asyncio.gather(
        press(tess, message, "retry"),
        press(tom, message, "resend", body="Please ring us."),
        press(tess, message, "told"),
        press(tom, message, "retry"),
    )
    assert sorted(answer.status_code for answer in answers) == [303, 409, 409, 409]
    assert len(await organisation.outbound_messages(card)) <= 2


async def test_possible_duplicate_is_resent_with_a_marker(
    desk_clients: Any, organisation: Organisation, card: ServiceRequest
) -> None:
    (message,) = await organisation.outbound_messages(card)
    await put(organisation, message, status=MessageStatus.REVIEW, claimed_at=kept_clock.now())
    tess = await desk_clients("tess")
    page = visible_text((await tess.get("/desk/messages")).text)
    assert "Send again (may arrive twice)" in page
    assert "the customer gets it twice" in page
    assert (await press(tess, message, "retry")).status_code == 303
    again = (await organisation.outbound_messages(card))[-1]
    assert again.possible_duplicate
    assert "it may have been sent twice" in visible_text(await tess.page(card))


async def test_filtered_text_is_reworded_or_marked_as_informed(
    desk_clients: Any, organisation: Organisation, card: ServiceRequest
) -> None:
    """30007: the same words never go again; what was written is never lost."""
    message = await lost_text(organisation, card, "30007")
    tess = await desk_clients("tess")
    page = (await tess.get("/desk/messages")).text
    assert f"/desk/messages/{message.id}/retry" not in page
    assert "its words must change" in visible_text(page)
    forced = await press(tess, message, "retry", htmx=True)
    assert forced.status_code == 409
    same = await press(tess, message, "resend", htmx=True, body=message.body)
    assert same.status_code == 422
    assert "refused just these words" in same.text
    empty = await press(tess, message, "resend", htmx=True, body=" ")
    assert empty.status_code == 422
    assert len(await organisation.outbound_messages(card)) == 1
    sent = await press(tess, message, "resend", body="Your card is in hand, says Tess.")
    assert sent.status_code == 303
    lost, written = await organisation.outbound_messages(card)
    assert (written.kind, written.author) == (lost.kind, "Tess Sales")
    assert written.cause == f"message:{lost.id}:edited"
    assert (lost.handled_by, await open_balls(organisation)) == ("Tess Sales", set())


async def test_customer_page_shows_a_duplicate_once(
    desk_clients: Any, organisation: Organisation, card: ServiceRequest, client: httpx2.AsyncClient
) -> None:
    """And in the words that stand now."""
    await organisation.run(
        verbs.write_to_customer, card, "Bring the form.", by=organisation.people.tess.actor
    )
    tess, link = await desk_clients("tess"), (await organisation.reload(card)).live_link
    for verb, body, shown in (
        ("retry", "", "Bring the form."),
        ("resend", "Bring the blue form.", "Bring the blue form."),
    ):
        message = (await organisation.outbound_messages(card))[-1]
        await fail(organisation, message, "30004")
        assert (await press(tess, message, verb, body=body)).status_code == 303
        page = visible_text((await client.get(f"/r/{link.token}")).text)
        assert re.findall(r"Bring the [a-z ]*form\.", page) == [shown]


async def test_opted_out_channel_is_disabled_and_others_stay(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """By text nothing more goes, whatever form is sent; by e-mail and by phone it may."""
    message = await lost_text(organisation, card_request, "30004")
    await put(organisation, message, handled_at=None)
    tess = await desk_clients("tess")
    old = (await tess.get("/desk/messages")).text
    await organisation.run(
        verbs.record_spoken_consent, card_request, channel=Channel.SMS, stop=True, about="all",
        by=organisation.people.tess.actor,
    )  # fmt: skip
    page = (await tess.get("/desk/messages")).text
    assert "Opted out of SMS." in visible_text(page)
    assert "by e-mail to martin@example.com" in visible_text(page)
    for verb, typed in (("retry", {}), ("resend", {"body": "Hello", "channel": "sms"})):
        url = f"/desk/messages/{message.id}/{verb}"
        answer = await tess.client.post(url, data=hidden_fields(old, url) | typed)
        assert answer.status_code == 409
        assert "Opted out of SMS" in visible_text(answer.text)
    by_mail = await press(tess, message, "resend", body="Hello", channel="email")
    assert by_mail.status_code == 303
    assert (await organisation.outbound_messages(card_request))[-1].channel == Channel.EMAIL


async def test_dead_number_offers_another_address(
    desk_clients: Any, organisation: Organisation, card: ServiceRequest
) -> None:
    message = await lost_text(organisation, card, "30005")  # not in service: the number is retired
    tess = await desk_clients("tess")
    assert "No working phone number" in (await tess.get("/desk/messages")).text
    assert (await press(tess, message, "retry")).status_code == 409
    details = CustomerDetails("Martin Miller", "+14155550199")
    newer = await organisation.open(customer=details, by=SYSTEM_ACTOR)
    async with organisation.database.transaction() as session:
        point = ContactPoint(
            customer_id=card.customer_id, channel=Channel.SMS, address="+14155550199"
        )
        session.add(point)
    assert newer.id
    wrong = await press(tess, message, "retry", to="+14155550111", htmx=True)
    assert wrong.status_code == 422
    assert (await press(tess, message, "retry")).status_code == 303
    assert (await organisation.outbound_messages(card))[-1].to_address == "+14155550199"


@pytest.mark.parametrize(
    "status", [MessageStatus.UNKNOWN, MessageStatus.REVIEW, MessageStatus.FAILED]
)
async def test_marking_as_informed_resolves_the_message(
    desk_clients: Any,
    organisation: Organisation,
    card_request: ServiceRequest,
    status: MessageStatus,
) -> None:
    """Not even by e-mail, when the carrier says late that the text never arrived."""
    (message,) = await organisation.outbound_messages(card_request)
    long_ago = kept_clock.now() - timedelta(minutes=6)
    await put(organisation, message, status=status, attempts=1, claimed_at=long_ago)
    tess = await desk_clients("tess")
    if status == MessageStatus.UNKNOWN:
        answer = await press(tess, message, "retry")
        assert answer.status_code == 409
        assert "still finding out" in answer.text
    told = await press(tess, message, "told", note="He was glad.")
    assert told.status_code == 303
    event = (await organisation.events(card_request))[-1]
    assert (event.kind, event.visible, event.data["note"]) == (
        "message_told",
        False,
        "He was glad.",
    )
    page = visible_text(await tess.page(card_request))
    assert "handled by Tess Sales" in page
    assert "Marked the customer as informed: He was glad." in page
    await fail(organisation, message)
    assert len(await organisation.outbound_messages(card_request)) == 1
    assert await open_balls(organisation) == set()
    assert (await press(tess, message, "told")).status_code == 409
