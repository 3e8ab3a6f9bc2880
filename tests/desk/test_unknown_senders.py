"""Texts of unknown senders are replied to, attached or dismissed."""

import re
from typing import Any

import httpx2
import pytest
from sqlmodel import select

from portal.models import DroppedBall, MessageKind, ServiceRequest
from portal.settings import Settings
from tests.support.desk_client import HTMX, DeskClient, hidden_fields, visible_text
from tests.support.factories import MARTIN, Organisation
from tests.support.twilio_client import TwilioClient

pytestmark = pytest.mark.either_database


once = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


STRANGER = "+14155550177"


def names(page: str) -> list[str]:
    """Who waits, in order."""
    return re.findall(r'data-call="[^"]*"><b>([^<]+)</b>', page)


@pytest.fixture
async def stranger(
    client: httpx2.AsyncClient, settings: Settings, organisation: Organisation
) -> int:
    """Somebody whom nobody knows has texted; the text's id."""
    await TwilioClient(client, settings).text("Is this the bank?", From=STRANGER)
    return (
        next(
            message.id
            for message in await organisation.messages()
            if message.from_address == STRANGER
        )
        or 0
    )


async def see_to(desk: DeskClient, stranger: int, verb: str, **typed: str) -> httpx2.Response:
    page = (await desk.get("/desk/inbox")).text
    told = hidden_fields(page, "/desk/sign-out") | typed
    return await desk.client.post(f"/desk/inbox/{stranger}/{verb}", data=told, headers=HTMX)


async def open_balls(organisation: Organisation) -> int:
    async with organisation.database.reading() as session:
        query = select(DroppedBall).where(DroppedBall.resolved_at == None)  # noqa: E711 (SQL)
        return len((await session.exec(query)).all())


async def test_manager_replies_to_unknown_sender_once(
    desk_clients: Any, organisation: Organisation, stranger: int
) -> None:
    mona = await desk_clients("mona")
    assert "Is this the bank?" in (await mona.get("/desk/inbox")).text
    empty = await see_to(mona, stranger, "answer", body=" ")
    assert (empty.status_code, await open_balls(organisation)) == (422, 1)
    answer = await see_to(mona, stranger, "answer", body="It is. How can we help?")
    assert "Is this the bank?" not in answer.text
    again = await see_to(mona, stranger, "answer", body="Yes it is!")
    assert again.status_code == 409
    assert "You had written: “Yes it is!”" in visible_text(again.text)
    told = [
        message for message in await organisation.messages() if message.kind == MessageKind.STAFF
    ]
    assert [(message.to_address, message.author) for message in told] == [
        (STRANGER, "Mona Manager")
    ]
    assert await open_balls(organisation) == 0


@once
async def test_text_of_unknown_sender_is_attached_to_a_request(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest, stranger: int
) -> None:
    mona, tess = await desk_clients("mona"), await desk_clients("tess")
    assert "Is this the bank?" not in (await tess.get("/desk/inbox")).text
    assert (await see_to(tess, stranger, "rest")).status_code == 403
    unknown = await see_to(mona, stranger, "attach", reference="CARD-0000-000")
    assert "no request" in visible_text(unknown.text)
    done = await see_to(mona, stranger, "attach", reference=card_request.reference.lower())
    assert "Assigned to that request" in visible_text(done.text)
    assert names(done.text) == [MARTIN.name]
    assert "Is this the bank?" in await tess.page(card_request)
    assert (await see_to(mona, stranger, "rest")).status_code == 409


@once
async def test_text_of_unknown_sender_is_dismissed(
    desk_clients: Any, organisation: Organisation, stranger: int
) -> None:
    done = await see_to(await desk_clients("mona"), stranger, "rest")
    assert "Dismissed." in visible_text(done.text)
    assert await open_balls(organisation) == 0
