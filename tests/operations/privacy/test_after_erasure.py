"""After an erasure: links, pages, STOP, consent and mail of a person who has been erased."""

from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from portal.database import Database
from portal.errors import Conflict
from portal.messaging.email.signed_addresses import reply_address
from portal.models import SYSTEM_ACTOR, MessageStatus, ServiceRequest
from portal.operations import CustomerDetails, reopen
from portal.operations.privacy.erase import erase_person
from portal.settings import Settings
from tests.operations.privacy.conftest import with_files_and_mail
from tests.support.factories import MARTIN, Organisation
from tests.support.person_history import MARKER, PHONE
from tests.support.twilio_client import CustomerPhone


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """With a folder for files, and mail."""
    return with_files_and_mail(settings, tmp_path)


async def test_link_of_erased_request_is_unknown(
    history: ServiceRequest, client: httpx2.AsyncClient, organisation: Organisation, app: Starlette
) -> None:
    link = f"/r/{history.links[0].token}"
    shown = await client.get(link)
    assert shown.status_code == 200
    await erase_person(organisation.operations, SYSTEM_ACTOR, PHONE)
    gone = await client.get(link)
    unknown = await client.get("/r/no-such-link-at-all")
    assert gone.status_code == 404
    assert gone.text == unknown.text
    assert not app.state.status_pages._pages


async def test_desk_and_api_show_erased_request(
    history: ServiceRequest, desk_clients: Any, organisation: Organisation, api: httpx2.AsyncClient
) -> None:
    await erase_person(organisation.operations, SYSTEM_ACTOR, PHONE)
    mona = await desk_clients("mona")
    page = await mona.page(history)
    assert "Erased person" in page
    assert MARKER not in page
    for path in ("", "/timeline", "/messages", "/promises", "/follow-ups"):
        shown = await api.get(f"/requests/{history.reference}{path}")
        assert shown.status_code == 200, path
        assert MARKER not in shown.text
    assert (await mona.get("/desk")).status_code == 200
    assert (await mona.get("/desk/inbox")).status_code == 200
    assert (await mona.get("/desk/messages")).status_code == 200


async def test_stop_outlives_the_erasure(
    history: ServiceRequest, organisation: Organisation, database: Database
) -> None:
    """A new request for the same number is suppressed: the ledger is kept as digests."""
    await erase_person(organisation.operations, SYSTEM_ACTOR, PHONE)
    again = await organisation.open(
        customer=CustomerDetails("Somebody Else", PHONE), by=organisation.people.mona.actor
    )
    [message] = await organisation.outbound_messages(again)
    assert (message.status, message.reason) == (MessageStatus.SUPPRESSED, "consent_withdrawn")


async def test_stop_of_erased_person_is_known_when_they_write(
    history: ServiceRequest, organisation: Organisation
) -> None:
    await erase_person(organisation.operations, SYSTEM_ACTOR, PHONE)
    text = CustomerPhone(organisation)
    await text("Where is my card?", sender=PHONE)
    queued = [one for one in await organisation.messages() if one.to_address == PHONE]
    assert [one for one in queued if one.status == MessageStatus.QUEUED] == []
    await text("START", sender=PHONE)
    again = await organisation.open(
        customer=CustomerDetails("Somebody Else", PHONE), by=organisation.people.mona.actor
    )
    [message] = await organisation.outbound_messages(again)
    assert message.status == MessageStatus.QUEUED


async def test_consent_that_stood_is_given_anew_after_the_erasure(
    organisation: Organisation,
) -> None:
    mona = organisation.people.mona.actor
    await organisation.open(customer=MARTIN, by=mona)
    await erase_person(organisation.operations, SYSTEM_ACTOR, MARTIN.email or "", cancel_open=True)
    again = await organisation.open(customer=MARTIN, by=mona)
    [message] = await organisation.outbound_messages(again)
    assert message.status == MessageStatus.QUEUED


async def test_erased_request_is_not_reopened(
    history: ServiceRequest, organisation: Organisation
) -> None:
    await erase_person(organisation.operations, SYSTEM_ACTOR, PHONE)
    with pytest.raises(Conflict, match="erased"):
        await organisation.run(
            reopen, history, reason="They called", by=organisation.people.mona.actor
        )


@pytest.mark.parametrize(
    ("headers", "status"), [({}, 422), ({"Auto-Submitted": "auto-replied"}, 204)]
)
async def test_mail_to_an_erased_request_records_nothing(
    card_request: ServiceRequest, organisation: Organisation, client: httpx2.AsyncClient,
    settings: Settings, headers: dict[str, str], status: int,
) -> None:  # fmt: skip
    """The reply address in an old mail outlives the erasure."""
    await erase_person(organisation.operations, SYSTEM_ACTOR, MARTIN.phone or "", cancel_open=True)
    before = len(await organisation.messages())
    mail = EmailMessage()
    mail["From"], mail["Message-ID"] = MARTIN.email, "<late@example.com>"
    mail["To"] = reply_address(settings, card_request.id or 0)
    for name, value in headers.items():
        mail[name] = value
    mail.set_content("Where is my card?")
    token = {"Authorization": "Bearer the mail hook of the tests"}
    answer = await client.post("/hooks/email/inbound", content=mail.as_bytes(), headers=token)
    assert answer.status_code == status
    assert len(await organisation.messages()) == before
