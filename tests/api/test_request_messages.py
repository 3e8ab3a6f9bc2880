"""Messages, calls and promises through the API."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from time_machine import Traveller

from portal.models import EventKind
from tests.api.requests import SOON, opened
from tests.support.factories import Organisation

pytestmark = pytest.mark.either_database


async def test_message_records_its_author(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    request = await opened(api)
    answer = await api.post(
        f"/requests/{request['reference']}/messages",
        json={"body": "Your card is gold.", "channels": ["email"], "by": "tess@acme.example"},
    )
    assert answer.status_code == 201
    message = answer.json()
    assert answer.headers["location"] == f"/api/v1/messages/{message['id']}"
    assert (message["direction"], message["channel"], message["kind"]) == ("out", "email", "staff")
    assert message["to"] == "martin@example.com"
    assert message["status"] == "queued"
    assert message["author"] == "Tess Sales"
    assert (message["attempts"], message["send_attempts"]) == (0, [])
    assert (await api.get(f"/messages/{message['id']}")).json() == message
    listed = (await api.get(f"/requests/{request['reference']}/messages")).json()["items"]
    assert [item["kind"] for item in listed] == ["milestone", "staff"]
    assert listed[1] == message


@pytest.mark.parametrize("channels", [["sms"], ["email"], None])
@pytest.mark.parametrize("body", ["Your card is gold.", "Your “gold” card: [link].", " Gold.\r\n "])
async def test_message_that_is_repeated_without_a_key_is_refused(
    body: str, channels: list[str] | None, api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    """Also where both calls come at once. By another channel, or with a key, it is meant twice."""
    request = await opened(api)
    path = f"/requests/{request['reference']}/messages"
    words: dict[str, Any] = {"body": body}
    if channels is not None:
        words |= {"channels": channels}
    answers = await asyncio.gather(*(api.post(path, json=words) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    sent = next(answer.json() for answer in answers if answer.status_code == 201)
    refused = next(answer.json() for answer in answers if answer.status_code == 409)
    assert f"as message {sent['id']}. Nothing was sent again." in refused["detail"]
    assert len(await organisation.messages()) == 2
    other = "sms" if sent["channel"] == "email" else "email"
    for meant, headers in (
        (words | {"body": f"{body} Really."}, {}),
        (words | {"channels": [other]}, {}),
        (words, {"Idempotency-Key": "again"}),
        (words, {"Idempotency-Key": "again"}),
    ):
        assert (await api.post(path, json=meant, headers=headers)).status_code == 201
    assert len(await organisation.messages()) == 5


async def test_message_may_be_repeated_after_a_minute(
    api: httpx2.AsyncClient, organisation: Organisation, clock: Traveller
) -> None:
    request = await opened(api)
    path = f"/requests/{request['reference']}/messages"
    for status in (201, 409):
        assert (await api.post(path, json={"body": "We are here."})).status_code == status
    clock.shift(timedelta(minutes=1))
    assert (await api.post(path, json={"body": "We are here."})).status_code == 201


async def test_call_is_logged_with_its_reason(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    request = await opened(api)
    answer = await api.post(
        f"/requests/{request['reference']}/contacts",
        json={"channel": "call", "reason": "where_is_it", "note": "He asked for the date."},
    )
    assert answer.status_code == 201
    assert answer.json()["logged_by"] == "crm"
    items = (await api.get(f"/requests/{request['reference']}/timeline")).json()["items"]
    assert items[-1]["kind"] == EventKind.CONTACT_LOGGED
    assert items[-1]["visible"] is False


async def test_promise_is_made_rescheduled_and_fulfilled(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    request = await opened(api)
    path = f"/requests/{request['reference']}/promises"
    made = await api.post(
        path,
        json={
            "text": "Tom will call you.",
            "due_at": SOON.isoformat(),
            "owner": "tom@acme.example",
        },
    )
    assert made.status_code == 201
    promise = made.json()
    assert (promise["state"], promise["owner"]["email"]) == ("open", "tom@acme.example")
    later = (SOON + timedelta(days=1)).isoformat()
    moved_ = await api.post(
        f"{path}/{promise['id']}/move", json={"due_at": later, "reason": "Tom is ill."}
    )
    assert moved_.json()["moved_reason"] == "Tom is ill."
    kept = await api.post(f"{path}/{promise['id']}/keep")
    assert (kept.status_code, kept.json()["state"]) == (200, "kept")
    assert (await api.post(f"{path}/{promise['id']}/keep")).status_code == 409
    assert (await api.get(path)).json()["items"] == [kept.json()]


async def test_promise_of_another_request_is_404(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    first, second = await opened(api), await opened(api)
    made = await api.post(
        f"/requests/{first['reference']}/promises",
        json={"text": "We call you.", "due_at": SOON.isoformat()},
    )
    answer = await api.post(f"/requests/{second['reference']}/promises/{made.json()['id']}/keep")
    assert answer.status_code == 404
