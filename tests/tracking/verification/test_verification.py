"""Codes sent to the phone or address on record: what they open and how they are sent."""

import re
from datetime import time, timedelta

import httpx2
import pytest
import sqlalchemy as sa
import time_machine
from sqlmodel import SQLModel
from starlette.applications import Starlette

from portal.business_time import now
from portal.messaging.sms.segments import count_segments
from portal.models import CUSTOMER_ACTOR, Channel, MessageKind, ServiceRequest
from portal.operations import ConsentChange, set_preferences
from portal.queries.conversations import recent_exchange
from portal.settings import QuietHours, Settings
from tests.support.customer_device import (
    code_emails,
    codes_by_sms,
    link,
    new_browser,
    request_code,
    submit_code,
    verify_device,
)
from tests.support.desk_client import visible_text
from tests.support.factories import MARTIN, Organisation
from tests.support.fake_gateways import FakeSmsGateway, deliver_due
from tests.support.sample_images import PDF
from tests.tracking.page_requests import send_paper

pytestmark = pytest.mark.either_database


@pytest.fixture(autouse=True)
def _stands_still(clock: time_machine.Traveller) -> None:
    """Codes are a matter of minutes."""


async def test_attachment_is_shown_after_verification_and_device_is_trusted(
    app: Starlette,
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    """Not its bytes, nor its name before; after it, without asking again, also on the page."""
    paper = await send_paper(client, card_request)
    page = await client.get(link(card_request))
    assert "passport" not in page.text
    assert "<img" not in page.text
    assert "A document We ask for a code first." in visible_text(page.text)

    asked = await client.get(paper)
    onward = paper.removeprefix(f"{link(card_request)}/")
    assert asked.status_code == 303
    assert asked.headers["Location"] == f"{link(card_request)}/code?to={onward}"
    words = visible_text((await client.get(asked.headers["Location"])).text)
    assert "the number ending in 32" in words
    assert "0132" not in words

    known = await verify_device(client, organisation, card_request, onward)
    assert (known.status_code, known.headers["Location"]) == (303, paper)
    assert (await client.get(paper)).content == PDF
    assert "passport Miller.pdf" in (await client.get(link(card_request))).text
    async with new_browser(app) as other:
        assert (await other.get(paper)).status_code == 303
        assert "passport" not in (await other.get(link(card_request))).text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_code_text_is_one_segment_and_bound_to_the_domain(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    settings: Settings,
) -> None:
    """Its last line is what a phone reads to fill the code in on our page only."""
    await request_code(client, card_request)
    phone = FakeSmsGateway()
    await deliver_due(organisation.operations, phone)
    text = phone.sent_bodies[-1]
    assert re.fullmatch(
        r"Acme Bank: Your code is (\d{6}), good for 10 minutes\. "
        r"We never ask you for it: tell nobody\.\n@testserver #\1",
        text,
    )
    assert count_segments(text).segments == 1
    page = (await client.get(f"{link(card_request)}/code")).text
    assert 'autocomplete="one-time-code"' in page


async def test_code_digits_are_never_logged_or_stored(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Neither the outbox nor any other table has them, nor a log, before or after it is used."""
    await request_code(client, card_request)
    [code] = await codes_by_sms(organisation)
    await submit_code(client, card_request, code)
    async with organisation.database.connection() as connection:
        for table in SQLModel.metadata.sorted_tables:
            for row in await connection.execute(sa.select(table)):
                assert code not in str([value for value in row if isinstance(value, str)])
    printed = capsys.readouterr()
    assert code not in caplog.text + printed.out + printed.err


async def test_code_is_sent_by_a_permitted_channel_first(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """By mail where no texts are wanted; by text where nothing is, since a code was asked for."""
    consent_change = ConsentChange(stop=True, about="all", channels=[Channel.SMS])
    await organisation.run(
        set_preferences, card_request, consent_change=consent_change, by=CUSTOMER_ACTOR
    )
    assert "We send it to m•••@e•••" in visible_text(
        (await client.get(f"{link(card_request)}/code")).text
    )
    await request_code(client, card_request)
    assert len(await code_emails(organisation)) == 1
    consent_change = ConsentChange(stop=True, about="all", channels=[Channel.EMAIL])
    await organisation.run(
        set_preferences, card_request, consent_change=consent_change, by=CUSTOMER_ACTOR
    )
    assert (await request_code(client, card_request)).status_code == 303
    assert len(await codes_by_sms(organisation)) == 1


async def test_code_message_is_not_in_the_conversation(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """A stranger who asks for one moves no reply of the customer's to another request."""
    other = await organisation.open("repair", by=organisation.people.ben.actor)
    before = await said_by(organisation, MARTIN.phone or "")
    await request_code(client, card_request)
    assert await said_by(organisation, MARTIN.phone or "") == before
    assert before[0] == other.id
    assert "******" not in (await client.get(link(card_request))).text


async def said_by(organisation: Organisation, address: str) -> list[int | None]:
    """Which requests a reply from there may mean, the likeliest first."""
    async with organisation.database.reading() as session:
        since = now() - timedelta(days=1)
        exchange = await recent_exchange(session, address, since, most_received=0)
    return [message.request_id for message in exchange.sent]


async def test_undelivered_code_creates_no_dropped_ball(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """It is not sent again by itself, nor by another way: by then it would only confuse."""
    await codes_by_sms(organisation)  # the first text is out of the way
    await request_code(client, card_request)
    await deliver_due(organisation.operations, FakeSmsGateway(reject_code=30003))
    codes = [
        message for message in await organisation.messages() if message.kind == MessageKind.CODE
    ]
    assert [(message.status, message.handled_by) for message in codes] == [("failed", "Kept")]


class TestAtNight:
    """With quiet hours."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"quiet_hours": QuietHours(time(21), time(8))})

    async def test_requested_code_ignores_quiet_hours(
        self,
        client: httpx2.AsyncClient,
        organisation: Organisation,
        card_request: ServiceRequest,
        clock: time_machine.Traveller,
    ) -> None:
        """Somebody sits there and waits for it."""
        clock.shift(timedelta(hours=13))  # eleven at night in New York
        await request_code(client, card_request)
        assert len(await codes_by_sms(organisation)) == 1


class TestTheConversation:
    """With `KEPT_VERIFY_FOR=conversation`."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"verify_for": "conversation"})

    async def test_conversation_is_shown_after_a_code(
        self, client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
    ) -> None:
        """Writing needs none; what is told besides (a promise, the stage) stands there as ever."""
        await client.post(f"{link(card_request)}/messages", data={"body": "My PIN is 1234."})
        page = (await client.get(link(card_request))).text
        assert "1234" in page  # what they wrote themselves, a moment ago
        assert "1 message is shown after a code." in visible_text(page)
        client.cookies.delete("kept_sent")
        page = (await client.get(link(card_request))).text
        assert "1234" not in page
        assert "2 messages are shown after a code." in visible_text(page)
        assert "Tess will answer you" in visible_text(page)
        refused = await client.post(f"{link(card_request)}/messages", data={"body": " "})
        assert "1234" not in refused.text
        await verify_device(client, organisation, card_request)
        assert "My PIN is 1234." in (await client.get(link(card_request))).text
        refused = await client.post(f"{link(card_request)}/messages", data={"body": " "})
        assert "1234" in refused.text
