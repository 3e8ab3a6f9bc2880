"""Mail to staff, such as about a sign-in, is in no list of messages and nobody sends it again."""

import httpx2
import pytest
from sqlmodel import col, update

from portal.models import SYSTEM_ACTOR, Message, MessageStatus
from tests.stories.test_every_operation_is_authorized import SignIn
from tests.support.desk_client import hidden_fields
from tests.support.factories import Organisation

pytestmark = pytest.mark.either_database

BODY = "You signed in from 192.0.2.0/24 (Firefox on Windows)."


@pytest.fixture
async def notice(organisation: Organisation) -> Message:
    """A mail to Ada about her account that did not arrive."""
    async with organisation.operations.begin(SYSTEM_ACTOR) as uow:
        message = await uow.outbox.queue_staff_notice(
            "account:1", organisation.people.ada.email, "New sign-in", BODY
        )
    async with organisation.database.transaction() as session:
        failed = {"status": MessageStatus.FAILED, "error_code": "550"}
        await session.exec(update(Message).where(col(Message.id) == message.id).values(**failed))
    return message


@pytest.mark.parametrize("name", ["tess", "mona", "ada"])
async def test_desk_shows_no_mail_to_staff(
    desk_clients: SignIn, organisation: Organisation, notice: Message, name: str
) -> None:
    desk = await desk_clients(name)
    page = await desk.get("/desk/messages?show=all")
    assert page.status_code == 200
    assert "192.0.2.0" not in page.text
    assert 'class="number"' not in page.text
    assert (await desk.get(f"/desk/messages/{notice.id}")).status_code == 404
    form = hidden_fields(page.text, "/desk/sign-out")
    for verb in ("retry", "resend", "told"):
        answer = await desk.client.post(
            f"/desk/messages/{notice.id}/{verb}", data=form | {"body": "Hello"}
        )
        assert answer.status_code == 404
    assert len(await organisation.messages()) == 1


async def test_api_shows_no_mail_to_staff(
    api: httpx2.AsyncClient, organisation: Organisation, notice: Message
) -> None:
    assert (await api.get("/messages?needs=person")).json()["items"] == []
    assert (await api.get(f"/messages/{notice.id}")).status_code == 404
    for verb in ("retry", "told"):
        assert (await api.post(f"/messages/{notice.id}/{verb}")).status_code == 404
    assert len(await organisation.messages()) == 1
