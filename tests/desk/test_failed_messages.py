"""Messages that need a person: who sees which, and putting them right, once."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlmodel import col, select, update

from portal import business_time as kept_clock
from portal import operations as verbs
from portal.models import (
    SYSTEM_ACTOR,
    Channel,
    ContactPoint,
    DroppedBall,
    Message,
    MessageKind,
    MessageStatus,
    ServiceRequest,
)
from portal.operations import CustomerDetails
from portal.operations.delivery.outcomes import record_receipt
from tests.support.desk_client import HTMX, DeskClient, hidden_fields, visible_text
from tests.support.factories import Organisation

pytestmark = pytest.mark.either_database

PHONE_ONLY = CustomerDetails("Martin Miller", "+14155550132", timezone="America/New_York")


@pytest.fixture
async def card(organisation: Organisation) -> ServiceRequest:
    """A card of a Martin who has no e-mail: what fails by text fails."""
    return await organisation.open(customer=PHONE_ONLY, by=organisation.people.tess.actor)


async def fail(organisation: Organisation, message: Message, code: str = "30005") -> None:
    """The carrier says that this text did not arrive."""
    async with organisation.operations.begin(SYSTEM_ACTOR) as uow:
        sid = f"SM{message.id}"
        await record_receipt(uow, message.id or 0, sid, MessageStatus.UNDELIVERED, code)


async def put(organisation: Organisation, message: Message, **facts: Any) -> None:
    """Bring a message to where only days of waiting would bring it."""
    async with organisation.database.transaction() as session:
        await session.exec(update(Message).where(col(Message.id) == message.id).values(**facts))


async def lost_text(
    organisation: Organisation, request: ServiceRequest, code: str = "30005"
) -> Message:
    """The first text about this request, which did not arrive."""
    (message,) = await organisation.outbound_messages(request)
    await fail(organisation, message, code)
    return message


async def open_balls(organisation: Organisation) -> set[tuple[str, str]]:
    async with organisation.database.reading() as session:
        query = select(DroppedBall).where(col(DroppedBall.resolved_at).is_(None))
        return {(ball.kind.value, ball.subject) for ball in (await session.exec(query)).all()}


async def press(
    desk: DeskClient, message: Message, verb: str, *, htmx: bool = False, at: str = "", **typed: str
) -> Any:
    """Fill in the verb's form as it stands on the page and send it; forge it where none does."""
    url = f"/desk/messages/{message.id}/{verb}"
    page = (await desk.get(at or "/desk/messages?show=all")).text
    carried = hidden_fields(page, url if f'action="{url}"' in page else "/desk/sign-out")
    return await desk.client.post(url, data=carried | typed, headers=HTMX if htmx else {})


async def test_failed_message_shows_cause_and_assignee(
    desk_clients: Any, organisation: Organisation, card: ServiceRequest
) -> None:
    """Also as a number in the bar of each page; where all is well neither is there."""
    tess = await desk_clients("tess")
    assert "No failed messages." in (await tess.get("/desk/messages")).text
    assert 'class="number"' not in (await tess.get("/desk")).text
    message = await lost_text(organisation, card)
    page = (await tess.get("/desk/messages")).text
    for words in (
        "Not delivered: this number does not exist or is no longer in service",
        message.body,
        "Martin Miller",
        card.reference,
        "Telesales",
        "by SMS to +14155550132",
        "Mark as informed",
    ):
        assert words in visible_text(page)
    assert f'href="/desk/requests/{card.reference}"' in page
    assert re.search(r'id="to-mend".*?class="number">1<', (await tess.get("/desk")).text, re.DOTALL)
    assert f'href="/desk/messages/{message.id}"' in await tess.page(card)


async def test_message_with_fallback_or_newer_one_needs_no_action(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """His e-mail went instead; only should that fail too is a person asked."""
    message = await lost_text(organisation, card_request)
    mail = (await organisation.outbound_messages(card_request))[-1]
    assert mail.channel == Channel.EMAIL
    tess = await desk_clients("tess")
    assert message.body not in visible_text((await tess.get("/desk/messages")).text)
    await fail(organisation, mail, "550")
    page = visible_text((await tess.get("/desk/messages")).text)
    assert page.count("Send again") == 1
    assert "by e-mail to martin@example.com" in page


@pytest.mark.parametrize(
    ("facts", "shown"),
    [
        ({"status": MessageStatus.REVIEW}, True),
        ({"status": MessageStatus.UNKNOWN, "claimed_at": timedelta(minutes=1)}, False),
        ({"status": MessageStatus.UNKNOWN, "claimed_at": timedelta(minutes=6)}, True),
        ({"status": MessageStatus.EXPIRED}, True),
        ({"status": MessageStatus.EXPIRED, "kind": MessageKind.REMINDER}, False),
        ({"status": MessageStatus.EXPIRED, "handled_at": timedelta()}, False),
        ({"status": MessageStatus.SUPPRESSED}, False),
        ({"status": MessageStatus.DELIVERED, "possible_duplicate": True}, False),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_only_actionable_messages_are_listed(
    desk_clients: Any,
    organisation: Organisation,
    card: ServiceRequest,
    facts: dict[str, Any],
    *,
    shown: bool,
) -> None:
    (message,) = await organisation.outbound_messages(card)
    now = kept_clock.now()
    ages = {name: now - age for name, age in facts.items() if isinstance(age, timedelta)}
    await put(organisation, message, **(facts | ages))
    page = (await (await desk_clients("tess")).get("/desk/messages")).text
    assert (message.body in visible_text(page)) is shown
    assert ('class="number">1<' in page) is shown


async def test_own_failed_messages_come_first_and_all_can_be_shown(
    desk_clients: Any, organisation: Organisation, card: ServiceRequest
) -> None:
    message = await lost_text(organisation, card)
    permit = await organisation.open(
        "permit", CustomerDetails("Ann Lee", "+14155550177"), by=SYSTEM_ACTOR
    )
    other = await lost_text(organisation, permit)
    for name, seen in (
        ("tess", {"ours": [message], "mine": [message], "all": [message, other]}),
        ("tom", {"ours": [message], "mine": []}),
        ("zoe", {"": [], "all": [message, other]}),
        ("mona", {"": [message, other], "mine": []}),
    ):
        desk = await desk_clients(name)
        for show, expected in seen.items():
            page = (await desk.get(f"/desk/messages?show={show}")).text
            ids = re.findall(r'<article class="lost" id="m(\d+)"', page)
            assert ids == [str(one.id) for one in expected], (name, show)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_failed_messages_are_paged_oldest_first(
    desk_clients: Any, organisation: Organisation, card: ServiceRequest
) -> None:
    actor = organisation.people.tess.actor
    for number in range(24):
        await organisation.run(verbs.write_to_customer, card, f"Word {number}.", by=actor)
    told = await organisation.outbound_messages(card)
    for message in told:
        await put(organisation, message, status=MessageStatus.FAILED)
    tess = await desk_clients("tess")
    seen, url = [], "/desk/messages?show=ours"
    while url:
        page = (await tess.get(url)).text
        seen += re.findall(r'id="m(\d+)"', page)
        further = re.search(r'class="older"><a href="([^"]+)"', page)
        url = further[1].replace("&amp;", "&") if further else ""
    assert seen == [str(one.id) for one in told]


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


@pytest.mark.parametrize("verb", ["retry", "resend", "told"])
async def test_other_departments_message_is_read_only(
    desk_clients: Any, organisation: Organisation, card: ServiceRequest, verb: str
) -> None:
    message = await lost_text(organisation, card)
    zoe = await desk_clients("zoe")
    page = (await zoe.get("/desk/messages?show=all")).text
    assert "Assigned to Telesales (read-only)." in visible_text(page)
    assert 'action="/desk/messages' not in page
    for htmx in (True, False):
        assert (await press(zoe, message, verb, htmx=htmx, body="x")).status_code == 403
    tess = await desk_clients("tess")
    without_token = await tess.client.post(f"/desk/messages/{message.id}/{verb}")
    assert without_token.status_code == 403
    assert len(await organisation.outbound_messages(card)) == 1


async def test_reply_to_unknown_sender_needs_a_manager(
    desk_clients: Any, organisation: Organisation
) -> None:
    await organisation.run_unbound(
        verbs.receive_text, by=SYSTEM_ACTOR, sid="SM9", sender="+14155550999", to="+15005550006",
        body="Who are you?",
    )  # fmt: skip
    message = (await organisation.messages())[-1]
    await put(organisation, message, status=MessageStatus.FAILED, error_code="30004")
    tess, mona = await desk_clients("tess"), await desk_clients("mona")
    one = f"/desk/messages/{message.id}"
    assert f"{one}/retry" not in (await tess.get(one)).text
    answer = await press(tess, message, "retry")
    assert answer.status_code == 403
    assert (await press(mona, message, "retry", at=one)).status_code == 303
    assert (await organisation.messages())[-1].to_address == "+14155550999"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_unknown_message_is_404(
    desk_clients: Any, organisation: Organisation, card: ServiceRequest
) -> None:
    tess = await desk_clients("tess")
    await organisation.run(verbs.receive_web_message, card, "Hello?", by=SYSTEM_ACTOR)
    heard = next(one for one in await organisation.messages() if one.direction == "in")
    for path in ("999", "x", "9" * 30, str(heard.id)):
        assert (await tess.get(f"/desk/messages/{path}")).status_code == 404
    under_way = (await organisation.outbound_messages(card))[0]
    for message, verb, status in (
        (heard, "retry", 404), (under_way, "explode", 404), (under_way, "retry", 409),
    ):  # fmt: skip
        assert (await press(tess, message, verb)).status_code == status
