"""Failed messages through the API: which are listed, and how they are resolved."""

import asyncio

import httpx2
import pytest
from sqlmodel import col, update

from portal.messaging.link_masking import mask_secrets
from portal.models import SYSTEM_ACTOR, Message, MessageStatus, ServiceRequest
from portal.operations import CustomerDetails
from tests.support.factories import Organisation

PHONE_ONLY = CustomerDetails("Martin Miller", "+14155550132")


@pytest.fixture
async def lost(organisation: Organisation) -> Message:
    """A text about Martin's card that nobody could deliver."""
    card = await organisation.open(customer=PHONE_ONLY, by=SYSTEM_ACTOR)
    return await lose(organisation, card)


async def lose(organisation: Organisation, request: ServiceRequest, **facts: str) -> Message:
    (message,) = await organisation.outbound_messages(request)
    facts = {"status": MessageStatus.FAILED, "error_code": "30004"} | facts
    async with organisation.database.transaction() as session:
        await session.exec(update(Message).where(col(Message.id) == message.id).values(**facts))
    return message


async def test_failed_messages_are_listed_oldest_first_until_resolved(
    api: httpx2.AsyncClient, organisation: Organisation, lost: Message
) -> None:
    other = await lose(organisation, await organisation.open(customer=PHONE_ONLY, by=SYSTEM_ACTOR))
    first = (await api.get("/messages?needs=person&limit=1")).json()
    second = (await api.get(f"/messages?needs=person&cursor={first['next_cursor']}")).json()
    assert [item["id"] for item in first["items"] + second["items"]] == [lost.id, other.id]
    assert second["next_cursor"] is None
    assert first["items"][0]["settled_at"] is None
    told = await api.post(f"/messages/{lost.id}/told", json={"by": "tess@acme.example"})
    assert (told.status_code, told.json()["settled_by"]) == (200, "Tess Sales")
    left = (await api.get("/messages?needs=person")).json()["items"]
    assert [message["id"] for message in left] == [other.id]


@pytest.mark.parametrize(("verb", "body"), [("retry", {}), ("resend", {"body": "Do ring us."})])
async def test_concurrent_retries_send_one_copy(
    api: httpx2.AsyncClient,
    organisation: Organisation,
    lost: Message,
    verb: str,
    body: dict[str, str],
) -> None:
    """A repeat with its key is answered alike, even at the same moment; without one it is 409."""
    path = f"/messages/{lost.id}/{verb}"
    same = {"Idempotency-Key": "once"}
    answers = await asyncio.gather(*(api.post(path, json=body, headers=same) for _ in range(3)))
    assert {answer.status_code for answer in answers} == {201}
    (new,) = {answer.json()["id"] for answer in answers}
    assert answers[0].headers["Location"] == f"/api/v1/messages/{new}"
    assert body.get("body", mask_secrets(lost.body)) in answers[0].json()["body"]
    refused = await api.post(path, json=body)
    assert (refused.status_code, "seen to this already" in refused.text) == (409, True)
    assert [message.id for message in await organisation.messages()] == [lost.id, new]


REFUSED = [
    ("/messages?needs=nobody", None, 422),
    ("/messages", None, 422),
    ("/messages/999/retry", {}, 404),
    ("/messages/{id}/retry", {"to": "+14155550111"}, 422),
    ("/messages/{id}/resend", {"body": " "}, 422),
    ("/messages/{id}/resend", {"body": "Hello", "channel": "web"}, 422),
    ("/messages/{id}/resend", {"body": "Hello", "channel": "email"}, 409),
]


async def test_invalid_retry_is_rejected_and_changes_nothing(
    api: httpx2.AsyncClient, organisation: Organisation, lost: Message
) -> None:
    for path, body, status in REFUSED:
        path = path.replace("{id}", str(lost.id))  # noqa: PLW2901
        answer = await (api.get(path) if body is None else api.post(path, json=body))
        assert answer.status_code == status, path
    assert len(await organisation.messages()) == 1
    assert (await api.get(f"/messages/{lost.id}")).json()["settled_at"] is None
