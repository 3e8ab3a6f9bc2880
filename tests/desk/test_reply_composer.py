"""Answering at the desk: two in one conversation, the way words go, replies at hand, calls, meanings."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import httpx2
import pytest
from sqlmodel import col, select, update

from portal import operations as verbs
from portal.demo.sample_data.canned_replies import SAMPLE_REPLIES
from portal.desk.labels import INTENT_LABELS
from portal.desk.request.delivery_status import KIND_LABELS
from portal.messaging.intents.classifier import IntentKind
from portal.messaging.sms import segments
from portal.messaging.wording.renderer import fill_template
from portal.models import (
    CUSTOMER_ACTOR,
    SYSTEM_ACTOR,
    CannedReply,
    Channel,
    Contact,
    ContactChannel,
    ContactReason,
    Message,
    MessageKind,
    ServiceRequest,
)
from portal.operations.conversation.canned_replies import PLACEHOLDERS, add_canned_reply
from tests.support.desk_client import HTMX, DeskClient, hidden_fields, visible_text
from tests.support.factories import Organisation

pytestmark = pytest.mark.either_database

once = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def be_at(desk: DeskClient, request: ServiceRequest, **told: str) -> str:
    """What the page's own script says every few seconds; gives who else is there."""
    page = await desk.page(request)
    url = f"/desk/requests/{request.reference}/presence"
    told |= hidden_fields(page, "/desk/sign-out")
    answer = await desk.client.post(url, data=told)
    assert answer.status_code == 200
    return visible_text(answer.text).strip()


async def test_presence_is_shown_for_thirty_seconds(
    clock: Any, desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Here, writing, gone; and nobody is told of themselves."""
    tess, tom = await desk_clients("tess"), await desk_clients("tom")
    assert "Tess Sales is here" not in visible_text(await tess.page(card_request))
    assert "Tess Sales is here" in visible_text(await tom.page(card_request))
    assert "Tess Sales is here" in await be_at(tom, card_request)
    assert await be_at(tess, card_request, writing="1") == "Tom Sales is here"
    assert await be_at(tom, card_request) == "Tess Sales is writing"
    clock.shift(timedelta(seconds=31))
    assert await be_at(tom, card_request) == ""
    assert await be_at(tess, card_request) == "Tom Sales is here"
    assert await be_at(tess, card_request, gone="1") == "Tom Sales is here"
    assert await be_at(tom, card_request) == ""


async def test_reply_after_colleagues_reply_asks_for_confirmation(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Both texts stand on the page, nothing is lost, and a second press sends it after all."""
    tess, tom = await desk_clients("tess"), await desk_clients("tom")
    old = await tess.page(card_request)
    await tom.submit(card_request, "messages", body="It is all right.")
    for htmx in (False, True):
        asked = await tess.submit(card_request, "messages", page=old, body="It is not.", htmx=htmx)
        assert asked.status_code == 409
        said = visible_text(asked.text)
        assert "Tom Sales has answered since you opened this: “It is all right.”" in said
        assert re.search(r"<textarea id=\"body\"[^>]*>It is not\.</textarea>", asked.text)
    sent = await tess.submit(card_request, "messages", page=asked.text, body="It is not.")
    assert sent.status_code == 303
    twice = await tess.submit(card_request, "messages", page=asked.text, body="It is not.")
    assert "You have answered since you opened this" in visible_text(twice.text)
    told = [
        one.body
        for one in await organisation.outbound_messages(card_request)
        if one.kind == MessageKind.STAFF
    ]
    assert told == ["It is all right.", "It is not."]


@once
async def test_customer_message_does_not_make_a_reply_stale(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    tess = await desk_clients("tess")
    old = await tess.page(card_request)
    await organisation.run(
        verbs.receive_web_message, card_request, "One thing more", by=CUSTOMER_ACTOR
    )
    assert (await tess.submit(card_request, "messages", page=old, body="Yes?")).status_code == 303


@once
@pytest.mark.parametrize(
    ("came_by", "says"),
    [
        (None, "To: SMS …32"),
        (Channel.EMAIL, "To: e-mail m…@example.com"),
        (Channel.SMS, "To: SMS …32"),
        (Channel.WEB, "Visible on status page at once. To: SMS …32"),
    ],
)
async def test_reply_uses_the_last_inbound_channel(
    desk_clients: Any,
    organisation: Organisation,
    card_request: ServiceRequest,
    came_by: Channel | None,
    says: str,
) -> None:
    """It is said at the box beforehand; a colleague may choose another way."""
    if came_by is not None:
        await organisation.run(
            verbs.receive_web_message, card_request, "Is it all right?", by=CUSTOMER_ACTOR
        )
        async with organisation.database.transaction() as session:
            theirs = col(Message.kind) == MessageKind.CUSTOMER
            await session.exec(update(Message).where(theirs).values(channel=came_by))
    tess = await desk_clients("tess")
    page = await tess.page(card_request)
    assert says in visible_text(page)
    said = Channel.EMAIL if "e-mail" in says else Channel.SMS
    first = re.search(r'<select name="channel"><option value="(\w+)"', page)
    assert first
    assert first[1] == said
    other = {Channel.SMS: Channel.EMAIL, Channel.EMAIL: Channel.SMS}[said]
    for way in (said, other):
        await tess.submit(card_request, "messages", body=f"It is, {way}.", channel=way.value)
        assert (await organisation.outbound_messages(card_request))[-1].channel == way
    refused = await tess.submit(card_request, "messages", body="By pigeon", channel="pigeon")
    assert refused.status_code == 422


@once
async def test_opted_out_customer_is_answered_on_the_page(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    tess = await desk_clients("tess")
    for channel in ("sms", "email"):
        await tess.submit(card_request, "wishes", channel=channel, wish="stop", about="all")
    page = await tess.page(card_request)
    assert "Visible on status page only" in visible_text(page)
    assert "Held back: they asked us" in visible_text(
        (await tess.submit(card_request, "messages", body="x", htmx=True)).text
    )


async def keep(organisation: Organisation, title: str, body: str, **more: Any) -> CannedReply:
    async with organisation.operations.begin(SYSTEM_ACTOR) as uow:
        told = {"department_id": None, "reason": ""} | more
        return await add_canned_reply(uow, title=title, body=body, **told)


@once
async def test_matching_canned_replies_are_suggested_with_values(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """By why the customer came last; those of other departments and other reasons are not."""
    telesales = card_request.department_id
    await keep(organisation, "General", "Hi {first_name}, {reference} is here.")
    await keep(organisation, "Fits", "{department} has it, {next_by}.", reason="complaint",
               department_id=telesales)  # fmt: skip
    await keep(organisation, "Another reason", "Hello {first_name}", reason="change")
    await keep(organisation, "Elsewhere", "Hello", department_id=telesales + 1)
    tess = await desk_clients("tess")
    page = await tess.page(card_request)
    assert "button quiet" not in page[page.index('class="at-hand"') :].partition("<details")[0]
    await organisation.run(
        verbs.log_contact, card_request, channel=ContactChannel.CALL, reason=ContactReason.COMPLAINT,
        by=organisation.people.tess.actor,
    )  # fmt: skip
    page = await tess.page(card_request)
    at_hand = page[page.index('class="at-hand"') :].partition("</div>")[0]
    suggested, _, rest = at_hand.partition("<details")
    assert visible_text(suggested).split()[-2:] == ["Fits", "General"]
    assert "Another reason" in rest
    assert "Elsewhere" not in page
    url = unescape(re.search(r'href="([^"]+)" data-words="Hi', suggested)[1])  # type: ignore[index]
    drawn = (await tess.get(url.partition("#")[0])).text
    assert f">Hi Martin, {card_request.reference} is here.</textarea>" in drawn
    again = await tess.get(url.partition("#")[0], headers=HTMX)
    assert "is here.</textarea>" not in again.text


@once
async def test_canned_reply_with_missing_value_is_not_offered(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await keep(organisation, "Next", "Next: {next} by {next_by}")
    tess = await desk_clients("tess")
    assert "Next: Your application" in unescape(await tess.page(card_request))
    await organisation.run(
        verbs.cancel, card_request, reason="He moved.", by=organisation.people.tess.actor
    )
    assert "Next: " not in (await tess.page(card_request)).partition('for="body"')[0]


async def post_reply(desk: DeskClient, path: str = "", **typed: str) -> httpx2.Response:
    page = (await desk.get("/desk/replies")).text
    told = hidden_fields(page, "/desk/sign-out") | {"reason": ""} | typed
    return await desk.client.post(f"/desk/replies{path}", data=told, headers=HTMX)


async def test_leads_edit_canned_replies_of_their_department(
    desk_clients: Any, organisation: Organisation
) -> None:
    """Written, changed and put away; an unknown field is refused with those that there are."""
    tess = await desk_clients("tess")
    refused = await post_reply(
        tess, title="Hello", body="Hi {name}, “welcome”", department="telesales"
    )
    assert refused.status_code == 422
    assert "There is no field {name}. You can use {first_name}, {reference}" in visible_text(
        refused.text
    )
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
    async with organisation.database.reading() as session:
        assert (await session.exec(select(CannedReply.written_by))).all() == ["Tess Sales"]


@once
@pytest.mark.parametrize(
    ("who", "department", "status"),
    [
        ("tom", "telesales", 403), ("tess", "everybody", 403), ("tess", "courier", 403),
        ("mona", "everybody", 200), ("mona", "courier", 200), ("ada", "nowhere", 422),
    ],
)  # fmt: skip
async def test_canned_reply_permissions(
    desk_clients: Any, organisation: Organisation, who: str, department: str, status: int
) -> None:
    desk = await desk_clients(who)
    answer = await post_reply(desk, title="Hello", body="Good day", department=department)
    assert answer.status_code == status


def test_each_sample_reply_fits_one_sms() -> None:
    """With the longest of our names and a real link filled in, and only fields that exist."""
    facts = dict.fromkeys(PLACEHOLDERS, "") | {
        "first_name": "Christopher", "reference": "CARD-7K3M-X9Q", "owner": "Ibrahim",
        "department": "Card Processing", "next": "Your card is being made",
        "next_by": "Thu 26 Nov", "link": "https://my.acme.example/r/Zr4VXqfVQqqYb3nJw1yOrA",
    }  # fmt: skip
    for starter in SAMPLE_REPLIES:
        counted = segments.count_segments(fill_template(starter.body, facts))
        assert (counted.segments, list(counted.non_gsm_characters)) == (1, []), starter.title


@once
async def test_logged_call_requires_a_reason(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    tess = await desk_clients("tess")
    for reason in ("", "bored"):
        refused = await tess.submit(
            card_request, "contacts", channel="call", reason=reason, note="hm"
        )
        assert refused.status_code == 422
        assert ">hm</textarea>" in refused.text
    await tess.submit(card_request, "contacts", channel="call", reason="complaint")
    async with organisation.database.reading() as session:
        (logged,) = (await session.exec(select(Contact))).all()
    assert (logged.reason, logged.channel) == (ContactReason.COMPLAINT, ContactChannel.CALL)


@once
async def test_classified_intent_is_shown_and_correctable(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """By whom it was is told; a label that there is none of, and others' words, are refused."""
    await organisation.run(verbs.receive_web_message, card_request, "Thank you!", by=CUSTOMER_ACTOR)
    heard = next(one for one in await organisation.messages() if one.kind == MessageKind.CUSTOMER)
    tess, zoe = await desk_clients("tess"), await desk_clients("zoe")
    page = await zoe.page(card_request)
    assert "Detected intent: thanks" in visible_text(page)
    assert "Correct intent" not in page
    assert (
        await tess.submit(card_request, f"messages/{heard.id}/meaning", label="x")
    ).status_code == 422
    done = await tess.submit(card_request, f"messages/{heard.id}/meaning", label="other", htmx=True)
    assert "Corrected intent: needs reply (Tess Sales)" in visible_text(done.text)
    assert "Corrected an intent to “Needs reply”" in visible_text(done.text)
    gone = await tess.submit(card_request, f"messages/{heard.id + 99}/meaning", label="other")
    assert gone.status_code == 404


@once
async def test_keyboard_shortcuts_can_be_disabled(
    desk_clients: Any, organisation: Organisation
) -> None:
    """WCAG 2.1.4: whoever speaks to their computer must not open things by a word."""
    tess = await desk_clients("tess")
    for wanted, on in (("off", False), ("on", True)):
        page = (await tess.get("/desk/keys")).text
        assert (" data-keys>" in page) is not on
        told = hidden_fields(page, "/desk/keys")
        assert told["keys"] == wanted
        await tess.client.post("/desk/keys", data=told)
    assert " data-keys>" in (await tess.get("/desk")).text


def test_every_kind_and_intent_has_a_label():
    """A kind without words would break the page of a request that has such a message."""
    assert set(KIND_LABELS) == set(MessageKind)
    assert set(INTENT_LABELS) == set(IntentKind)
