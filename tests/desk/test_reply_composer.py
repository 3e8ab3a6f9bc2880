"""Replies at the desk: presence, stale replies, the channel, calls and intents."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select, update

from portal import operations as verbs
from portal.desk.labels import INTENT_LABELS
from portal.desk.request.conversation.delivery_status import KIND_LABELS
from portal.messaging.intents.classifier import IntentKind
from portal.models import (
    CUSTOMER_ACTOR,
    Channel,
    Contact,
    ContactChannel,
    ContactReason,
    Message,
    MessageKind,
    ServiceRequest,
)
from tests.support.desk_client import DeskClient, hidden_fields, visible_text
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
        message.body
        for message in await organisation.outbound_messages(card_request)
        if message.kind == MessageKind.STAFF
    ]
    assert told == ["Tom at Acme Bank: It is all right.", "Tess at Acme Bank: It is not."]


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
    heard = next(
        message for message in await organisation.messages() if message.kind == MessageKind.CUSTOMER
    )
    tess, zoe = await desk_clients("tess"), await desk_clients("zoe")
    page = await zoe.page(card_request)
    assert "Read as THANKS because: 'Thank you'" in visible_text(page)
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
