"""Messages that need a person, by API: which they are, and putting them right, once."""

import asyncio

import httpx2
import pytest
from sqlmodel import col, update

from portal.models import KEPT, Message, MessageStatus, ServiceRequest
from portal.operations import CustomerDetails
from tests.support.factories import House

PHONE_ONLY = CustomerDetails("Martin Miller", "+14155550132")


@pytest.fixture
async def lost(house: House) -> Message:
    """A text about Martin's card that nobody could deliver."""
    card = await house.open(customer=PHONE_ONLY, by=KEPT)
    return await lose(house, card)


async def lose(house: House, request: ServiceRequest, **facts: str) -> Message:
    (message,) = await house.told(request)
    facts = {"status": MessageStatus.FAILED, "error_code": "30004"} | facts
    async with house.database.transaction() as session:
        await session.exec(update(Message).where(col(Message.id) == message.id).values(**facts))
    return message


async def test_they_are_listed_oldest_first_until_somebody_saw_to_them(
    api: httpx2.AsyncClient, house: House, lost: Message
) -> None:
    other = await lose(house, await house.open(customer=PHONE_ONLY, by=KEPT))
    first = (await api.get("/messages?needs=person&limit=1")).json()
    second = (await api.get(f"/messages?needs=person&cursor={first['next_cursor']}")).json()
    assert [one["id"] for one in first["items"] + second["items"]] == [lost.id, other.id]
    assert second["next_cursor"] is None
    assert first["items"][0]["settled_at"] is None
    told = await api.post(f"/messages/{lost.id}/told", json={"by": "tess@acme.example"})
    assert (told.status_code, told.json()["settled_by"]) == (200, "Tess Sales")
    left = (await api.get("/messages?needs=person")).json()["items"]
    assert [one["id"] for one in left] == [other.id]


@pytest.mark.parametrize(("verb", "body"), [("retry", {}), ("resend", {"body": "Do ring us."})])
async def test_it_goes_once_however_often_and_by_whomever_it_is_asked(
    api: httpx2.AsyncClient, house: House, lost: Message, verb: str, body: dict[str, str]
) -> None:
    """A repeat with its key is answered alike, even at the same moment; without one it is 409."""
    path = f"/messages/{lost.id}/{verb}"
    same = {"Idempotency-Key": "once"}
    answers = await asyncio.gather(*(api.post(path, json=body, headers=same) for _ in range(3)))
    assert {answer.status_code for answer in answers} == {201}
    (new,) = {answer.json()["id"] for answer in answers}
    assert answers[0].headers["Location"] == f"/api/v1/messages/{new}"
    assert body.get("body", lost.body) in answers[0].json()["body"]
    refused = await api.post(path, json=body)
    assert (refused.status_code, "seen to this already" in refused.text) == (409, True)
    assert [one.id for one in await house.messages()] == [lost.id, new]


REFUSED = [
    ("/messages?needs=nobody", None, 422),
    ("/messages", None, 422),
    ("/messages/999/retry", {}, 404),
    ("/messages/{id}/retry", {"to": "+14155550111"}, 422),
    ("/messages/{id}/resend", {"body": " "}, 422),
    ("/messages/{id}/resend", {"body": "Hello", "channel": "web"}, 422),
    ("/messages/{id}/resend", {"body": "Hello", "channel": "email"}, 409),
]


async def test_what_cannot_be_done_is_refused_and_changes_nothing(
    api: httpx2.AsyncClient, house: House, lost: Message
) -> None:
    for path, body, status in REFUSED:
        path = path.replace("{id}", str(lost.id))  # noqa: PLW2901
        answer = await (api.get(path) if body is None else api.post(path, json=body))
        assert answer.status_code == status, path
    assert len(await house.messages()) == 1
    assert (await api.get(f"/messages/{lost.id}")).json()["settled_at"] is None
