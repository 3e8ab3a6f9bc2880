"""No page of the desk and no answer of the API holds a customer's link, except in its own field."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from sqlmodel import col, update

from portal import desk as desk_pages
from portal import operations as verbs
from portal.api import ENDPOINTS
from portal.api.endpoint import ReadEndpoint
from portal.messaging.email.signed_addresses import reply_address
from portal.models import (
    CUSTOMER_ACTOR,
    Channel,
    ContactChannel,
    ContactReason,
    Message,
    MessageStatus,
    ServiceRequest,
)
from portal.operations.conversation.canned_replies import add_canned_reply
from portal.settings import Settings
from tests.support.desk_client import HTMX, DeskClient, hidden_fields
from tests.support.factories import MARTIN, Organisation
from tests.support.twilio_client import CustomerPhone

pytestmark = pytest.mark.either_database

SignIn = Callable[[str], Awaitable[DeskClient]]
STRANGER = "+14155550177"
OWN_FIELD = re.compile(r'<input class="copy" readonly value="[^"]*"')
"""Where the request page shows the link to those who may send it."""
NOT_PAGES = {"/desk/live", "/desk/requests/{reference}/live", "/desk/files/{id}"}
"""GET routes that answer with a stream of numbers or a file."""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With mail, so that there are signed reply addresses."""
    return settings.model_copy(update={"mail_from": "Acme Bank <desk@acme.example>"})


def link_of(request: ServiceRequest) -> str:
    assert request.live_link
    return f"http://testserver/r/{request.live_link.token}"


@pytest.fixture
async def story(
    organisation: Organisation, settings: Settings, texts: CustomerPhone
) -> ServiceRequest:
    """A request in whose every text the link stands: ours, the customer's and colleagues'."""
    tess, mona = organisation.people.tess.actor, organisation.people.mona.actor
    request = await organisation.open(by=tess)
    link = link_of(request)
    run = organisation.run
    await run(verbs.receive_web_message, request, f"Why does {link} say late?", by=CUSTOMER_ACTOR)
    await texts(f"I mean {link}/preferences, is that right?")
    await texts(f"My friend gave me {link} - what is it?", sender=STRANGER)
    await texts(f"stop these, {link}")
    await texts("start")
    await run(verbs.write_to_customer, request, f"Please look at {link}", by=tess)
    await run(
        verbs.log_contact, request, channel=ContactChannel.CALL, reason=ContactReason.OTHER,
        note=f"They read {link} to me", by=tess,
    )  # fmt: skip
    await run(
        verbs.make_promise, request, text=f"Repair {link}",
        due_at=datetime.now(UTC) + timedelta(days=2), by=tess,
    )  # fmt: skip
    await run(verbs.set_customer_note, request, f"Opens {link} daily", by=tess)
    await run(verbs.advance, request, note=f"See {link}", handover=f"Their page: {link}", by=tess)
    await run(verbs.accept, request, by=organisation.people.uma.actor)
    await run(verbs.send_back, request, stage="received", reason=f"Wrong {link}", by=mona)
    await run(verbs.hold, request, reason=f"Waiting for {link}", by=mona)
    async with organisation.operations.begin(mona) as uow:
        await add_canned_reply(
            uow, department_id=None, title="Page", body="Your page: {link}", reason=""
        )
    async with organisation.database.transaction() as session:
        failed = {"status": MessageStatus.FAILED, "error_code": "30007"}
        (first, *_) = await organisation.outbound_messages(request)
        ours = col(Message.id) == first.id
        await session.exec(update(Message).where(ours).values(**failed))
        mailed = {"to_address": reply_address(settings, request.id or 0), "channel": Channel.EMAIL}
        theirs = col(Message.body).startswith("Why does")
        await session.exec(update(Message).where(theirs).values(**mailed))
    return await organisation.reload(request)


async def desk_paths(organisation: Organisation, request: ServiceRequest) -> list[str]:
    """Each page of the desk, filled in for this request and each of its messages."""
    ids = [str(message.id) for message in await organisation.messages() if message.to_address]
    paths = [
        "/desk?department=telesales",
        f"/desk/search?q={MARTIN.name[:4]}",
        "/desk/inbox?show=mine",
    ]
    for route in desk_pages.routes:
        path = getattr(route, "path", "")
        if "GET" not in (getattr(route, "methods", None) or ()) or path in NOT_PAGES:
            continue
        for number in ids if "{id" in path else ["1"]:
            filled = {"reference": request.reference, "id": number, "token": "unknown"}
            paths.append(re.sub(r"\{(\w+)[^}]*\}", lambda m, f=filled: f[m[1]], path))  # type: ignore[misc]
    paths.append(f"/desk/requests/{request.reference}?reply=1")
    return paths


@pytest.mark.parametrize("person", ["mona", "tess", "ben"])
async def test_no_page_of_the_desk_holds_the_link(
    desk_clients: SignIn, organisation: Organisation, story: ServiceRequest, person: str
) -> None:
    """Mona and Tess, who may send it, find it in its own field; Ben, without a part, nowhere."""
    desk = await desk_clients(person)
    assert story.live_link
    own_fields = 0
    for path in await desk_paths(organisation, story):
        for headers in ({}, HTMX):
            page = (await desk.get(path, headers=headers)).text
            own_fields += len(OWN_FIELD.findall(page))
            shown = OWN_FIELD.sub("", page)
            assert story.live_link.token not in shown, path
            assert "/r/" not in shown, path
    assert (own_fields > 0) is (person != "ben")


async def test_the_request_page_says_where_a_link_was(
    desk_clients: SignIn, story: ServiceRequest
) -> None:
    page = await (await desk_clients("ben")).page(story)
    assert "Please look at [link]" in page
    assert "They read [link] to me" in page


async def test_no_answer_of_the_api_holds_the_link(
    api: httpx2.AsyncClient, organisation: Organisation, story: ServiceRequest
) -> None:
    """Only ``status_url`` gives it. A signed reply address stands without its signature."""
    assert story.live_link
    bodies = []
    for call in ENDPOINTS:
        if not isinstance(call, ReadEndpoint):
            continue
        for message in await organisation.messages() if "{message_id}" in call.path else [None]:
            path = call.path.format(
                reference=story.reference, message_id=message.id if message else 0
            )
            answer = await api.get(f"{path}?needs=person" if path == "/messages" else path)
            assert answer.status_code == 200, answer.text
            bodies.append(without_status_url(answer.json()))
    for path, body in (
        (f"/requests/{story.reference}/messages", {"body": f"Look at {link_of(story)}"}),
        (f"/requests/{story.reference}/resume", {"stage": "received"}),
        (f"/requests/{story.reference}/cancel", {"reason": f"Wrong {link_of(story)}"}),
    ):
        answer = await api.post(path, json=body)
        assert answer.is_success, answer.text
        bodies.append(without_status_url(answer.json()))
    text = str(bodies)
    assert story.live_link.token not in text
    assert "/r/" not in text
    assert "[link]" in text
    assert "'to': 'reply@acme.example'" in text
    assert "reply+" not in text


def without_status_url(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: without_status_url(item) for name, item in value.items() if name != "status_url"
        }
    return [without_status_url(item) for item in value] if isinstance(value, list) else value


async def test_a_saved_reply_holds_the_link_only_once_it_is_sent(
    desk_clients: SignIn, organisation: Organisation, story: ServiceRequest
) -> None:
    tess = await desk_clients("tess")
    page = (await tess.get(f"/desk/requests/{story.reference}?reply=1")).text
    assert ">Your page: [link]</textarea>" in page
    answer = await tess.submit(story, "messages", page=page, htmx=True, body="Your page: [link]")
    assert answer.status_code == 200
    assert "Your page: [link]" in answer.text
    assert "/r/" not in OWN_FIELD.sub("", answer.text)
    sent = (await organisation.outbound_messages(story))[-1]
    assert sent.body == f"Tess at Acme Bank: Your page: {link_of(story)}"


async def test_a_failed_message_is_sent_again_with_its_link(
    desk_clients: SignIn, organisation: Organisation, story: ServiceRequest
) -> None:
    mona = await desk_clients("mona")
    failed = next(
        message
        for message in await organisation.outbound_messages(story)
        if message.status == MessageStatus.FAILED
    )
    url = f"/desk/messages/{failed.id}"
    page = (await mona.get(url)).text
    shown = re.search(r"<textarea id=\"body-[^>]*>([^<]*)</textarea>", page)
    assert shown
    assert "[link]" in shown[1]
    answer = await mona.client.post(
        f"{url}/resend",
        data=hidden_fields(page, f"{url}/resend") | {"body": f"Once more: {shown[1]}"},
    )
    assert answer.status_code == 303, answer.text
    sent = (await organisation.outbound_messages(story))[-1]
    assert link_of(story) in sent.body
    assert "[link]" not in sent.body
