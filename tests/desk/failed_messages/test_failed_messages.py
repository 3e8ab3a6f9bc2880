"""Messages that need action: who sees which, and who may act."""

import re
from datetime import timedelta
from typing import Any

import pytest

from portal import business_time as kept_clock
from portal import operations as verbs
from portal.messaging.link_masking import mask_secrets
from portal.models import (
    SYSTEM_ACTOR,
    Channel,
    MessageKind,
    MessageStatus,
    ServiceRequest,
)
from portal.operations import CustomerDetails
from tests.desk.failed_messages.lost_texts import fail, lost_text, press, put
from tests.support.desk_client import visible_text
from tests.support.factories import Organisation

pytestmark = pytest.mark.either_database


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
        mask_secrets(message.body),
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
    assert (mask_secrets(message.body) in visible_text(page)) is shown
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
            assert ids == [str(message.id) for message in expected], (name, show)


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
    assert seen == [str(message.id) for message in told]


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
    heard = next(message for message in await organisation.messages() if message.direction == "in")
    for path in ("999", "x", "9" * 30, str(heard.id)):
        assert (await tess.get(f"/desk/messages/{path}")).status_code == 404
    under_way = (await organisation.outbound_messages(card))[0]
    for message, verb, status in (
        (heard, "retry", 404), (under_way, "explode", 404), (under_way, "retry", 409),
    ):  # fmt: skip
        assert (await press(tess, message, verb)).status_code == status
