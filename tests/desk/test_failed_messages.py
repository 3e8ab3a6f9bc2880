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
    KEPT,
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
from tests.support.desk_client import HTMX, Desk, hidden_fields, read
from tests.support.factories import House

pytestmark = pytest.mark.either_database

PHONE_ONLY = CustomerDetails("Martin Miller", "+14155550132", timezone="America/New_York")


@pytest.fixture
async def card(house: House) -> ServiceRequest:
    """A card of a Martin who has no e-mail: what fails by text fails."""
    return await house.open(customer=PHONE_ONLY, by=house.people.tess.actor)


async def fail(house: House, message: Message, code: str = "30005") -> None:
    """The carrier says that this text did not arrive."""
    async with house.relay.turn(KEPT) as turn:
        sid = f"SM{message.id}"
        await record_receipt(turn, message.id or 0, sid, MessageStatus.UNDELIVERED, code)


async def put(house: House, message: Message, **facts: Any) -> None:
    """Bring a message to where only days of waiting would bring it."""
    async with house.database.transaction() as session:
        await session.exec(update(Message).where(col(Message.id) == message.id).values(**facts))


async def lost_text(house: House, request: ServiceRequest, code: str = "30005") -> Message:
    """The first text about this request, which did not arrive."""
    (message,) = await house.told(request)
    await fail(house, message, code)
    return message


async def open_balls(house: House) -> set[tuple[str, str]]:
    async with house.database.reading() as session:
        query = select(DroppedBall).where(col(DroppedBall.resolved_at).is_(None))
        return {(ball.kind.value, ball.subject) for ball in (await session.exec(query)).all()}


async def press(
    desk: Desk, message: Message, verb: str, *, htmx: bool = False, at: str = "", **typed: str
) -> Any:
    """Fill in the verb's form as it stands on the page and send it; forge it where none does."""
    url = f"/desk/messages/{message.id}/{verb}"
    page = (await desk.get(at or "/desk/messages?show=all")).text
    carried = hidden_fields(page, url if f'action="{url}"' in page else "/desk/sign-out")
    return await desk.client.post(url, data=carried | typed, headers=HTMX if htmx else {})


async def test_a_lost_text_is_shown_with_what_why_and_whose(
    desks: Any, house: House, card: ServiceRequest
) -> None:
    """Also as a number in the bar of each page; where all is well neither is there."""
    tess = await desks("tess")
    assert "Everything got through" in (await tess.get("/desk/messages")).text
    assert 'class="number"' not in (await tess.get("/desk")).text
    message = await lost_text(house, card)
    page = (await tess.get("/desk/messages")).text
    for words in (
        "Not delivered: this number does not exist or is no longer in service",
        message.body,
        "Martin Miller",
        card.reference,
        "Telesales",
        "by text to +14155550132",
        "I have told them myself",
    ):
        assert words in read(page)
    assert f'href="/desk/requests/{card.reference}"' in page
    assert re.search(r'id="to-mend".*?class="number">1<', (await tess.get("/desk")).text, re.DOTALL)
    assert f'href="/desk/messages/{message.id}"' in await tess.page(card)


async def test_what_went_another_way_or_was_overtaken_needs_nobody(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    """His e-mail went instead; only should that fail too is a person asked."""
    message = await lost_text(house, martins)
    mail = (await house.told(martins))[-1]
    assert mail.channel == Channel.EMAIL
    tess = await desks("tess")
    assert message.body not in read((await tess.get("/desk/messages")).text)
    await fail(house, mail, "550")
    page = read((await tess.get("/desk/messages")).text)
    assert page.count("Send it again") == 1
    assert "by e-mail to martin@example.com" in page


@pytest.mark.parametrize(
    ("facts", "shown"),
    [
        ({"status": MessageStatus.REVIEW}, True),
        ({"status": MessageStatus.UNKNOWN, "claimed_at": timedelta(minutes=1)}, False),
        ({"status": MessageStatus.UNKNOWN, "claimed_at": timedelta(minutes=6)}, True),
        ({"status": MessageStatus.EXPIRED}, True),
        ({"status": MessageStatus.EXPIRED, "kind": MessageKind.REMINDER}, False),
        ({"status": MessageStatus.EXPIRED, "settled_at": timedelta()}, False),
        ({"status": MessageStatus.SUPPRESSED}, False),
        ({"status": MessageStatus.DELIVERED, "possible_duplicate": True}, False),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_only_what_needs_a_person_is_put_before_one(
    desks: Any, house: House, card: ServiceRequest, facts: dict[str, Any], *, shown: bool
) -> None:
    (message,) = await house.told(card)
    now = kept_clock.now()
    ages = {name: now - age for name, age in facts.items() if isinstance(age, timedelta)}
    await put(house, message, **(facts | ages))
    page = (await (await desks("tess")).get("/desk/messages")).text
    assert (message.body in read(page)) is shown
    assert ('class="number">1<' in page) is shown


async def test_each_sees_theirs_first_and_may_see_all(
    desks: Any, house: House, card: ServiceRequest
) -> None:
    message = await lost_text(house, card)
    permit = await house.open("permit", CustomerDetails("Ann Lee", "+14155550177"), by=KEPT)
    other = await lost_text(house, permit)
    for name, seen in (
        ("tess", {"ours": [message], "mine": [message], "all": [message, other]}),
        ("tom", {"ours": [message], "mine": []}),
        ("zoe", {"": [], "all": [message, other]}),
        ("mona", {"": [message, other], "mine": []}),
    ):
        desk = await desks(name)
        for show, expected in seen.items():
            page = (await desk.get(f"/desk/messages?show={show}")).text
            ids = re.findall(r'<article class="lost" id="m(\d+)"', page)
            assert ids == [str(one.id) for one in expected], (name, show)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_many_are_read_page_by_page_the_oldest_first(
    desks: Any, house: House, card: ServiceRequest
) -> None:
    actor = house.people.tess.actor
    for number in range(24):
        await house.do(verbs.write_to_customer, card, f"Word {number}.", by=actor)
    told = await house.told(card)
    for message in told:
        await put(house, message, status=MessageStatus.FAILED)
    tess = await desks("tess")
    seen, url = [], "/desk/messages?show=ours"
    while url:
        page = (await tess.get(url)).text
        seen += re.findall(r'id="m(\d+)"', page)
        further = re.search(r'class="older"><a href="([^"]+)"', page)
        url = further[1].replace("&amp;", "&") if further else ""
    assert seen == [str(one.id) for one in told]


@pytest.mark.parametrize("htmx", [True, False])
async def test_the_same_words_go_once_more_and_only_once(
    desks: Any, house: House, card: ServiceRequest, *, htmx: bool
) -> None:
    """As a message of its own, so that the first keeps its end; a second press is refused."""
    message = await lost_text(house, card, "30004")
    assert await open_balls(house) == {("message_undelivered", f"message:{message.id}")}
    tess = await desks("tess")
    page = (await tess.get("/desk/messages")).text
    first = await press(tess, message, "retry", htmx=htmx)
    if htmx:
        assert (first.status_code, "<html" in first.text) == (200, False)
        assert 'hx-swap-oob="true"' in first.text
    else:
        assert first.status_code == 303
        first = await tess.get(first.headers["Location"])
    assert "It goes once more" in read(first.text)
    assert message.body not in read(first.text)
    url = f"/desk/messages/{message.id}/retry"
    second = await tess.client.post(url, data=hidden_fields(page, url))
    assert second.status_code == 409
    assert "Tess Sales has seen to this already" in read(second.text)
    lost, again = await house.told(card)
    assert (lost.status, lost.settled_by) == (MessageStatus.UNDELIVERED, "Tess Sales")
    assert (again.status, again.body, again.to_address) == ("queued", lost.body, lost.to_address)
    assert (again.possible_duplicate, again.provider_sid, again.attempts) == (False, None, 0)
    assert await open_balls(house) == set()
    assert "message_retried" in {event.kind.value for event in await house.events(card)}
    await fail(house, again, "30004")
    assert await open_balls(house) == {("message_undelivered", f"message:{again.id}")}


async def test_two_people_at_once_send_it_once(
    desks: Any, house: House, card: ServiceRequest
) -> None:
    message = await lost_text(house, card, "30004")
    tess, tom = await desks("tess"), await desks("tom")
    answers = await asyncio.gather(
        press(tess, message, "retry"),
        press(tom, message, "resend", body="Please ring us."),
        press(tess, message, "told"),
        press(tom, message, "retry"),
    )
    assert sorted(answer.status_code for answer in answers) == [303, 409, 409, 409]
    assert len(await house.told(card)) <= 2


async def test_what_may_have_arrived_goes_again_with_a_mark_and_the_button_says_so(
    desks: Any, house: House, card: ServiceRequest
) -> None:
    (message,) = await house.told(card)
    await put(house, message, status=MessageStatus.REVIEW, claimed_at=kept_clock.now())
    tess = await desks("tess")
    page = read((await tess.get("/desk/messages")).text)
    assert "Send it again, perhaps twice" in page
    assert "they get it twice" in page
    assert (await press(tess, message, "retry")).status_code == 303
    again = (await house.told(card))[-1]
    assert again.possible_duplicate
    assert "it may have been sent twice" in read(await tess.page(card))


async def test_words_that_the_carrier_filters_are_changed_or_told(
    desks: Any, house: House, card: ServiceRequest
) -> None:
    """30007: the same words never go again; what was written is never lost."""
    message = await lost_text(house, card, "30007")
    tess = await desks("tess")
    page = (await tess.get("/desk/messages")).text
    assert f"/desk/messages/{message.id}/retry" not in page
    assert "its words must change" in read(page)
    forced = await press(tess, message, "retry", htmx=True)
    assert forced.status_code == 409
    same = await press(tess, message, "resend", htmx=True, body=message.body)
    assert same.status_code == 422
    assert "refused just these words" in same.text
    empty = await press(tess, message, "resend", htmx=True, body=" ")
    assert empty.status_code == 422
    assert len(await house.told(card)) == 1
    sent = await press(tess, message, "resend", body="Your card is in hand, says Tess.")
    assert sent.status_code == 303
    lost, written = await house.told(card)
    assert (written.kind, written.author) == (lost.kind, "Tess Sales")
    assert written.cause == f"message:{lost.id}:edited"
    assert (lost.settled_by, await open_balls(house)) == ("Tess Sales", set())


async def test_the_customers_page_says_once_what_was_sent_twice(
    desks: Any, house: House, card: ServiceRequest, client: httpx2.AsyncClient
) -> None:
    """And in the words that stand now."""
    await house.do(verbs.write_to_customer, card, "Bring the form.", by=house.people.tess.actor)
    tess, link = await desks("tess"), (await house.see(card)).live_link
    for verb, body, shown in (
        ("retry", "", "Bring the form."),
        ("resend", "Bring the blue form.", "Bring the blue form."),
    ):
        message = (await house.told(card))[-1]
        await fail(house, message, "30004")
        assert (await press(tess, message, verb, body=body)).status_code == 303
        page = read((await client.get(f"/r/{link.token}")).text)
        assert re.findall(r"Bring the [a-z ]*form\.", page) == [shown]


async def test_a_stop_closes_that_way_and_leaves_the_others(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    """By text nothing more goes, whatever form is sent; by e-mail and by phone it may."""
    message = await lost_text(house, martins, "30004")
    await put(house, message, settled_at=None)
    tess = await desks("tess")
    old = (await tess.get("/desk/messages")).text
    await house.do(
        verbs.record_spoken_wish, martins, channel=Channel.SMS, stop=True, about="all",
        by=house.people.tess.actor,
    )  # fmt: skip
    page = (await tess.get("/desk/messages")).text
    assert "They asked us not to write by text." in read(page)
    assert "by e-mail to martin@example.com" in read(page)
    for verb, typed in (("retry", {}), ("resend", {"body": "Hello", "channel": "sms"})):
        url = f"/desk/messages/{message.id}/{verb}"
        answer = await tess.client.post(url, data=hidden_fields(old, url) | typed)
        assert answer.status_code == 409
        assert "asked us not to write by text" in read(answer.text)
    by_mail = await press(tess, message, "resend", body="Hello", channel="email")
    assert by_mail.status_code == 303
    assert (await house.told(martins))[-1].channel == Channel.EMAIL


async def test_where_the_number_is_gone_it_goes_to_another_of_theirs(
    desks: Any, house: House, card: ServiceRequest
) -> None:
    message = await lost_text(house, card, "30005")  # not in service: the number is retired
    tess = await desks("tess")
    assert "no address by text that still works" in (await tess.get("/desk/messages")).text
    assert (await press(tess, message, "retry")).status_code == 409
    details = CustomerDetails("Martin Miller", "+14155550199")
    newer = await house.open(customer=details, by=KEPT)
    async with house.database.transaction() as session:
        point = ContactPoint(
            customer_id=card.customer_id, channel=Channel.SMS, address="+14155550199"
        )
        session.add(point)
    assert newer.id
    wrong = await press(tess, message, "retry", to="+14155550111", htmx=True)
    assert wrong.status_code == 422
    assert (await press(tess, message, "retry")).status_code == 303
    assert (await house.told(card))[-1].to_address == "+14155550199"


@pytest.mark.parametrize(
    "status", [MessageStatus.UNKNOWN, MessageStatus.REVIEW, MessageStatus.FAILED]
)
async def test_what_was_told_by_phone_is_settled_and_sent_no_more(
    desks: Any, house: House, martins: ServiceRequest, status: MessageStatus
) -> None:
    """Not even by e-mail, when the carrier says late that the text never arrived."""
    (message,) = await house.told(martins)
    long_ago = kept_clock.now() - timedelta(minutes=6)
    await put(house, message, status=status, attempts=1, claimed_at=long_ago)
    tess = await desks("tess")
    if status == MessageStatus.UNKNOWN:
        answer = await press(tess, message, "retry")
        assert answer.status_code == 409
        assert "still finding out" in answer.text
    told = await press(tess, message, "told", note="He was glad.")
    assert told.status_code == 303
    event = (await house.events(martins))[-1]
    assert (event.kind, event.visible, event.data["note"]) == (
        "message_told",
        False,
        "He was glad.",
    )
    page = read(await tess.page(martins))
    assert "Tess Sales saw to it" in page
    assert "Told the customer what a message could not: He was glad." in page
    await fail(house, message)
    assert len(await house.told(martins)) == 1
    assert await open_balls(house) == set()
    assert (await press(tess, message, "told")).status_code == 409


@pytest.mark.parametrize("verb", ["retry", "resend", "told"])
async def test_another_departments_message_is_read_and_not_touched(
    desks: Any, house: House, card: ServiceRequest, verb: str
) -> None:
    message = await lost_text(house, card)
    zoe = await desks("zoe")
    page = (await zoe.get("/desk/messages?show=all")).text
    assert "Telesales has it" in read(page)
    assert 'action="/desk/messages' not in page
    for htmx in (True, False):
        assert (await press(zoe, message, verb, htmx=htmx, body="x")).status_code == 403
    tess = await desks("tess")
    without_token = await tess.client.post(f"/desk/messages/{message.id}/{verb}")
    assert without_token.status_code == 403
    assert len(await house.told(card)) == 1


async def test_an_answer_to_a_stranger_is_for_those_who_oversee_all(
    desks: Any, house: House
) -> None:
    await house.hear(
        verbs.receive_text, by=KEPT, sid="SM9", sender="+14155550999", to="+15005550006",
        body="Who are you?",
    )  # fmt: skip
    message = (await house.messages())[-1]
    await put(house, message, status=MessageStatus.FAILED, error_code="30004")
    tess, mona = await desks("tess"), await desks("mona")
    one = f"/desk/messages/{message.id}"
    assert f"{one}/retry" not in (await tess.get(one)).text
    answer = await press(tess, message, "retry")
    assert answer.status_code == 403
    assert (await press(mona, message, "retry", at=one)).status_code == 303
    assert (await house.messages())[-1].to_address == "+14155550999"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_is_no_message_of_ours_is_not_found(
    desks: Any, house: House, card: ServiceRequest
) -> None:
    tess = await desks("tess")
    await house.do(verbs.receive_web_message, card, "Hello?", by=KEPT)
    heard = next(one for one in await house.messages() if one.direction == "in")
    for path in ("999", "x", "9" * 30, str(heard.id)):
        assert (await tess.get(f"/desk/messages/{path}")).status_code == 404
    under_way = (await house.told(card))[0]
    for message, verb, status in (
        (heard, "retry", 404), (under_way, "explode", 404), (under_way, "retry", 409),
    ):  # fmt: skip
        assert (await press(tess, message, verb)).status_code == status
