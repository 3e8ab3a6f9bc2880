"""Answering at the desk: two in one conversation, the way words go, replies at hand, calls, meanings."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import httpx2
import pytest
from sqlmodel import col, select, update

from portal import operations as verbs
from portal.demo.sample_data.canned_replies import STARTERS
from portal.desk.labels import MEANINGS
from portal.desk.request.delivery_status import KIND
from portal.messaging.intents.classifier import MeaningKind
from portal.messaging.sms import segments
from portal.messaging.wording.renderer import fill
from portal.models import (
    KEPT,
    THE_CUSTOMER,
    CannedReply,
    Channel,
    Contact,
    ContactChannel,
    ContactReason,
    Message,
    MessageKind,
    ServiceRequest,
)
from portal.operations.conversation.canned_replies import FIELDS, add_reply
from tests.support.desk_client import HTMX, Desk, hidden_fields, read
from tests.support.factories import House

pytestmark = pytest.mark.either_database

once = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def be_at(desk: Desk, request: ServiceRequest, **told: str) -> str:
    """What the page's own script says every few seconds; gives who else is there."""
    page = await desk.page(request)
    url = f"/desk/requests/{request.reference}/presence"
    told |= hidden_fields(page, "/desk/sign-out")
    answer = await desk.client.post(url, data=told)
    assert answer.status_code == 200
    return read(answer.text).strip()


async def test_two_in_one_conversation_see_each_other_for_half_a_minute(
    clock: Any, desks: Any, house: House, martins: ServiceRequest
) -> None:
    """Here, writing, gone; and nobody is told of themselves."""
    tess, tom = await desks("tess"), await desks("tom")
    assert "Tess Sales is here" not in read(await tess.page(martins))
    assert "Tess Sales is here" in read(await tom.page(martins))
    assert "Tess Sales is here" in await be_at(tom, martins)
    assert await be_at(tess, martins, writing="1") == "Tom Sales is here"
    assert await be_at(tom, martins) == "Tess Sales is writing"
    clock.shift(timedelta(seconds=31))
    assert await be_at(tom, martins) == ""
    assert await be_at(tess, martins) == "Tom Sales is here"
    assert await be_at(tess, martins, gone="1") == "Tom Sales is here"
    assert await be_at(tom, martins) == ""


async def test_who_was_overtaken_by_a_colleague_is_asked_before_a_second_answer_goes(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    """Both texts stand on the page, nothing is lost, and a second press sends it after all."""
    tess, tom = await desks("tess"), await desks("tom")
    old = await tess.page(martins)
    await tom.press(martins, "messages", body="It is all right.")
    for htmx in (False, True):
        asked = await tess.press(martins, "messages", page=old, body="It is not.", htmx=htmx)
        assert asked.status_code == 409
        said = read(asked.text)
        assert "Tom Sales has answered since you opened this: “It is all right.”" in said
        assert re.search(r"<textarea id=\"body\"[^>]*>It is not\.</textarea>", asked.text)
    sent = await tess.press(martins, "messages", page=asked.text, body="It is not.")
    assert sent.status_code == 303
    twice = await tess.press(martins, "messages", page=asked.text, body="It is not.")
    assert "You have answered since you opened this" in read(twice.text)
    told = [one.body for one in await house.told(martins) if one.kind == MessageKind.STAFF]
    assert told == ["It is all right.", "It is not."]


@once
async def test_a_customers_words_alone_do_not_make_an_answer_stale(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    tess = await desks("tess")
    old = await tess.page(martins)
    await house.do(verbs.receive_web_message, martins, "One thing more", by=THE_CUSTOMER)
    assert (await tess.press(martins, "messages", page=old, body="Yes?")).status_code == 303


@once
@pytest.mark.parametrize(
    ("came_by", "says"),
    [
        (None, "Goes by text to …32."),
        (Channel.EMAIL, "Goes by e-mail to m…@example.com."),
        (Channel.SMS, "Goes by text to …32."),
        (Channel.WEB, "stands there at once, and goes by text to …32."),
    ],
)
async def test_an_answer_goes_by_the_way_that_they_used_last(
    desks: Any, house: House, martins: ServiceRequest, came_by: Channel | None, says: str
) -> None:
    """It is said at the box beforehand; a colleague may choose another way."""
    if came_by is not None:
        await house.do(verbs.receive_web_message, martins, "Is it all right?", by=THE_CUSTOMER)
        async with house.database.transaction() as session:
            theirs = col(Message.kind) == MessageKind.CUSTOMER
            await session.exec(update(Message).where(theirs).values(channel=came_by))
    tess = await desks("tess")
    page = await tess.page(martins)
    assert says in read(page)
    said = Channel.EMAIL if "e-mail" in says else Channel.SMS
    first = re.search(r'<select name="channel"><option value="(\w+)"', page)
    assert first
    assert first[1] == said
    other = {Channel.SMS: Channel.EMAIL, Channel.EMAIL: Channel.SMS}[said]
    for way in (said, other):
        await tess.press(martins, "messages", body=f"It is, {way}.", channel=way.value)
        assert (await house.told(martins))[-1].channel == way
    refused = await tess.press(martins, "messages", body="By pigeon", channel="pigeon")
    assert refused.status_code == 422


@once
async def test_who_wants_no_messages_is_answered_on_their_page_and_the_box_says_so(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    tess = await desks("tess")
    for channel in ("sms", "email"):
        await tess.press(martins, "wishes", channel=channel, wish="stop", about="all")
    page = await tess.page(martins)
    assert "it stands on their page only" in read(page)
    assert "Held back: they asked us" in read(
        (await tess.press(martins, "messages", body="x", htmx=True)).text
    )


async def keep(house: House, title: str, body: str, **more: Any) -> CannedReply:
    async with house.relay.turn(KEPT) as turn:
        told = {"department_id": None, "reason": ""} | more
        return await add_reply(turn, title=title, body=body, **told)


@once
async def test_the_replies_that_suit_are_suggested_with_the_requests_facts(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    """By why the customer came last; those of other departments and other reasons are not."""
    telesales = martins.department_id
    await keep(house, "General", "Hi {first_name}, {reference} is here.")
    await keep(house, "Fits", "{department} has it, {next_by}.", reason="complaint",
               department_id=telesales)  # fmt: skip
    await keep(house, "Another reason", "Hello {first_name}", reason="change")
    await keep(house, "Elsewhere", "Hello", department_id=telesales + 1)
    tess = await desks("tess")
    page = await tess.page(martins)
    assert "button quiet" not in page[page.index('class="at-hand"') :].partition("<details")[0]
    await house.do(
        verbs.log_contact, martins, channel=ContactChannel.CALL, reason=ContactReason.COMPLAINT,
        by=house.people.tess.actor,
    )  # fmt: skip
    page = await tess.page(martins)
    at_hand = page[page.index('class="at-hand"') :].partition("</div>")[0]
    suggested, _, rest = at_hand.partition("<details")
    assert read(suggested).split()[-2:] == ["Fits", "General"]
    assert "Another reason" in rest
    assert "Elsewhere" not in page
    url = unescape(re.search(r'href="([^"]+)" data-words="Hi', suggested)[1])  # type: ignore[index]
    drawn = (await tess.get(url.partition("#")[0])).text
    assert f">Hi Martin, {martins.reference} is here.</textarea>" in drawn
    again = await tess.get(url.partition("#")[0], headers=HTMX)
    assert "is here.</textarea>" not in again.text


@once
async def test_a_reply_that_needs_a_fact_which_is_not_there_is_not_offered(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    await keep(house, "Next", "Next: {next} by {next_by}")
    tess = await desks("tess")
    assert "Next: Your application" in unescape(await tess.page(martins))
    await house.do(verbs.cancel, martins, reason="He moved.", by=house.people.tess.actor)
    assert "Next: " not in (await tess.page(martins)).partition("Write to")[0]


async def post_reply(desk: Desk, path: str = "", **typed: str) -> httpx2.Response:
    page = (await desk.get("/desk/replies")).text
    told = hidden_fields(page, "/desk/sign-out") | {"reason": ""} | typed
    return await desk.client.post(f"/desk/replies{path}", data=told, headers=HTMX)


async def test_leads_keep_the_replies_of_their_department(desks: Any, house: House) -> None:
    """Written, changed and put away; an unknown field is refused with those that there are."""
    tess = await desks("tess")
    refused = await post_reply(
        tess, title="Hello", body="Hi {name}, “welcome”", department="telesales"
    )
    assert refused.status_code == 422
    assert "There is no field {name}. You can use {first_name}, {reference}" in read(refused.text)
    assert "Hi {name}, “welcome”</textarea>" in unescape(refused.text)
    kept = await post_reply(
        tess, title="Hello", body="Hi {first_name}, “welcome”", department="telesales"
    )
    assert 'Hi {first_name}, "welcome"' in unescape(kept.text)
    number = re.search(r"/desk/replies/(\d+)/change", kept.text)[1]  # type: ignore[index]
    changed = await post_reply(tess, f"/{number}/change", title="Hello", body="Good day")
    assert "Good day" in changed.text
    gone = await post_reply(tess, f"/{number}/retire")
    assert "None yet." in gone.text
    assert (await post_reply(tess, f"/{number}/retire")).status_code == 404
    async with house.database.reading() as session:
        assert (await session.exec(select(CannedReply.written_by))).all() == ["Tess Sales"]


@once
@pytest.mark.parametrize(
    ("who", "department", "status"),
    [
        ("tom", "telesales", 403), ("tess", "everybody", 403), ("tess", "courier", 403),
        ("mona", "everybody", 200), ("mona", "courier", 200), ("ada", "nowhere", 422),
    ],
)  # fmt: skip
async def test_who_may_keep_which_replies(
    desks: Any, house: House, who: str, department: str, status: int
) -> None:
    desk = await desks(who)
    answer = await post_reply(desk, title="Hello", body="Good day", department=department)
    assert answer.status_code == status


def test_the_replies_that_come_with_the_samples_cost_one_text_each() -> None:
    """With the longest of our names and a real link filled in, and only fields that exist."""
    facts = dict.fromkeys(FIELDS, "") | {
        "first_name": "Christopher", "reference": "CARD-7K3M-X9Q", "owner": "Ibrahim",
        "department": "Card Processing", "next": "Your card is being made",
        "next_by": "Thu 26 Nov", "link": "https://my.acme.example/r/Zr4VXqfVQqqYb3nJw1yOrA",
    }  # fmt: skip
    for starter in STARTERS:
        counted = segments.count(fill(starter.body, facts))
        assert (counted.segments, list(counted.culprits)) == (1, []), starter.title


@once
async def test_a_call_is_logged_with_its_reason_and_never_without(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    tess = await desks("tess")
    for reason in ("", "bored"):
        refused = await tess.press(martins, "contacts", channel="call", reason=reason, note="hm")
        assert refused.status_code == 422
        assert ">hm</textarea>" in refused.text
    await tess.press(martins, "contacts", channel="call", reason="complaint")
    async with house.database.reading() as session:
        (logged,) = (await session.exec(select(Contact))).all()
    assert (logged.reason, logged.channel) == (ContactReason.COMPLAINT, ContactChannel.CALL)


@once
async def test_what_words_were_taken_for_is_shown_and_put_right(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    """By whom it was is told; a label that there is none of, and others' words, are refused."""
    await house.do(verbs.receive_web_message, martins, "Thank you!", by=THE_CUSTOMER)
    heard = next(one for one in await house.messages() if one.kind == MessageKind.CUSTOMER)
    tess, zoe = await desks("tess"), await desks("zoe")
    page = await zoe.page(martins)
    assert "Taken as “Thanks”, by rule" in read(page)
    assert "Put it right" not in page
    assert (await tess.press(martins, f"messages/{heard.id}/meaning", label="x")).status_code == 422
    done = await tess.press(martins, f"messages/{heard.id}/meaning", label="other", htmx=True)
    assert "Taken as “Something for a person”, by Tess Sales" in read(done.text)
    assert "Took a message for “Something for a person”" in read(done.text)
    gone = await tess.press(martins, f"messages/{heard.id + 99}/meaning", label="other")
    assert gone.status_code == 404


@once
async def test_single_keys_can_be_turned_off_and_on_again(desks: Any, house: House) -> None:
    """WCAG 2.1.4: whoever speaks to their computer must not open things by a word."""
    tess = await desks("tess")
    for wanted, on in (("off", False), ("on", True)):
        page = (await tess.get("/desk/keys")).text
        assert (" data-keys>" in page) is not on
        told = hidden_fields(page, "/desk/keys")
        assert told["keys"] == wanted
        await tess.client.post("/desk/keys", data=told)
    assert " data-keys>" in (await tess.get("/desk")).text


def test_the_desk_has_words_for_every_kind_and_every_meaning():
    """A kind without words would break the page of a request that has such a message."""
    assert set(KIND) == set(MessageKind)
    assert set(MEANINGS) == set(MeaningKind)
