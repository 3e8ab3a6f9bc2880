"""The customer changes their own number or e-mail address, proven by a code to the new one."""

from dataclasses import replace
from datetime import datetime

import httpx2
import pytest
import time_machine
from sqlmodel import col, select
from starlette.applications import Starlette

from portal.models import (
    SYSTEM_ACTOR,
    Channel,
    Consent,
    ConsentSource,
    Message,
    MessageKind,
    ServiceRequest,
)
from portal.operations import ConsentChange, advance, set_preferences
from portal.operations.conversation.consent import withdraw_consent
from portal.queries.consent import may_write
from portal.queries.requests import get_service_request
from tests.support.customer_device import (
    code_emails,
    codes_by_sms,
    link,
    new_browser,
    verify_device,
)
from tests.support.factories import MARTIN, Organisation
from tests.support.fake_gateways import FakeSmsGateway, deliver_due
from tests.tracking.page_requests import read

pytestmark = pytest.mark.either_database

NEW = "+14155550188"


@pytest.fixture(autouse=True)
def _stands_still(clock: time_machine.Traveller) -> None:
    """Codes are a matter of minutes."""


async def ask(browser: httpx2.AsyncClient, request: ServiceRequest, new: str) -> httpx2.Response:
    """Enter the new number or address."""
    return await browser.post(f"{link(request)}/address", data={"contact": new})


async def addresses(organisation: Organisation, request: ServiceRequest, at: datetime) -> set[str]:
    """Where the customer is written to."""
    async with organisation.database.reading() as session:
        customer = (await get_service_request(session, request.reference)).customer
    return {address for channel in Channel for address in customer.addresses(channel, at)}


async def test_number_is_changed_by_a_code_to_the_new_one(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """The new number confirms it, the old one gets a notice, and the browser stays trusted."""
    await verify_device(client, organisation, card_request, "address")
    assert MARTIN.phone in read(await client.get(f"{link(card_request)}/address"))
    assert (await ask(client, card_request, "(415) 555-0188")).status_code == 303
    assert f"We sent it to {NEW}." in read(await client.get(f"{link(card_request)}/address"))
    assert await addresses(organisation, card_request, card_request.opened_at) >= {MARTIN.phone}
    phone = FakeSmsGateway()
    await deliver_due(organisation.operations, phone)
    [(to, body)] = [(text.to, text.body) for text in phone.account.texts()]
    assert to == NEW
    code = {"code": body.rpartition("#")[2]}
    done = await client.post(f"{link(card_request)}/address", data=code)
    assert done.headers["Location"] == f"{link(card_request)}/address?done"
    page = read(await client.get(done.headers["Location"]))
    assert "Done. Our news goes there from now on" in page
    assert NEW in page
    assert MARTIN.phone not in page
    phone = FakeSmsGateway()
    await deliver_due(organisation.operations, phone)
    told = {text.to: text.body for text in phone.account.texts()}
    assert "our news comes to this number from now on" in told[NEW]
    assert "Not you? Reply to this text." in told[MARTIN.phone]
    await organisation.run(
        advance, card_request, stage="received", by=organisation.people.tess.actor
    )
    async with organisation.database.reading() as session:
        consents = select(Consent).where(col(Consent.address) == NEW)
        assert [consent.granted for consent in (await session.exec(consents)).all()] == [True]


async def test_changing_an_address_needs_a_code_to_a_known_one_first(
    app: Starlette,
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    """A link may be passed on; who has lost the phone takes the code by e-mail."""
    path = f"{link(card_request)}/address"
    to_code = f"{link(card_request)}/code?to=address"
    assert (await client.get(path)).headers["Location"] == to_code
    assert (await ask(client, card_request, NEW)).headers["Location"] == to_code
    assert "Send the code to me by e-mail" in read(await client.get(to_code))
    await client.post(f"{link(card_request)}/code", data={"to": "address-email"})
    [mail] = await code_emails(organisation)
    digits = mail.partition("Your code is ")[2][:6]
    data = {"to": "address-email", "code": digits}
    known = await client.post(f"{link(card_request)}/code", data=data)
    assert known.headers["Location"] == path
    assert (await client.get(path)).status_code == 200


async def test_code_to_a_new_number_opens_nothing_by_itself(
    app: Starlette,
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    """It proves that number alone: another browser does not become trusted by it."""
    await verify_device(client, organisation, card_request)
    await ask(client, card_request, NEW)
    code = (await codes_by_sms(organisation))[-1]
    async with new_browser(app) as finder:
        data = {"code": code, "to": "mine"}
        assert (await finder.post(f"{link(card_request)}/code", data=data)).status_code == 422


async def test_wrong_codes_change_nothing(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await verify_device(client, organisation, card_request)
    await ask(client, card_request, NEW)
    code = (await codes_by_sms(organisation))[-1]
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    for _ in range(5):
        answer = await client.post(f"{link(card_request)}/address", data={"code": wrong})
        assert answer.status_code == 422
        assert "This code does not work." in read(answer)
    late = await client.post(f"{link(card_request)}/address", data={"code": code})
    assert late.status_code == 422
    assert NEW not in await addresses(organisation, card_request, card_request.opened_at)


@pytest.mark.parametrize(
    ("new", "status", "says"),
    [
        ("", 422, "Please give a number with its country code"),
        ("12", 422, "Please give a number with its country code"),
        ("martin@", 422, "or a whole e-mail address"),
        ("\x00" * 300, 422, "Please give a number"),
        (MARTIN.phone, 409, "We write to you there already."),
    ],
)
async def test_unusable_address_gets_a_clear_refusal(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    new: str,
    status: int,
    says: str,
) -> None:
    await verify_device(client, organisation, card_request)
    refused = await ask(client, card_request, new)
    assert (refused.status_code, says in read(refused)) == (status, True)


async def test_codes_to_new_numbers_are_few(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Whoever is trusted cannot text strangers without end."""
    await verify_device(client, organisation, card_request)
    answers = [await ask(client, card_request, f"+1415555010{n}") for n in range(4)]
    assert [answer.status_code for answer in answers] == [303, 303, 429, 429]


async def test_stop_moves_along_and_a_stopped_number_gets_no_code(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """A customer who wants no texts gets none at the new number either."""
    await verify_device(client, organisation, card_request)
    stop = ConsentChange(stop=True, about="all", channels=[Channel.SMS])
    await organisation.run(
        set_preferences, card_request, consent_change=stop, by=organisation.people.tess.actor
    )
    await ask(client, card_request, NEW)
    code = (await codes_by_sms(organisation))[-1]
    done = await client.post(f"{link(card_request)}/address", data={"code": code})
    assert done.status_code == 303
    async with organisation.database.reading() as session:
        notices = select(Message).where(col(Message.kind) == MessageKind.ADDRESS)
        [notice] = (await session.exec(notices)).all()
        assert (notice.to_address, notice.status) == (NEW, "suppressed")
    page = read(await client.get(done.headers["Location"]))
    assert "Done. You have stopped our messages, and that holds there too." in page
    assert "a notice" not in page
    await ask(client, card_request, MARTIN.phone or "")
    assert await codes_by_sms(organisation) == []


async def test_stopped_number_and_another_show_the_same_page(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Nobody learns by it who has stopped our messages; START from there is named on both."""
    await verify_device(client, organisation, card_request)
    async with organisation.operations.begin(SYSTEM_ACTOR) as uow:
        await withdraw_consent(uow, Channel.SMS, NEW, ConsentSource.TEXT, evidence="STOP")
    pages = []
    for number in (NEW, "+14155550177"):
        assert (await ask(client, card_request, number)).status_code == 303
        page = read(await client.get(f"{link(card_request)}/address"))
        assert "send us START from it first." in page
        pages.append(page.replace(number, "NUMBER"))
    assert pages[0] == pages[1]
    assert len(await codes_by_sms(organisation)) == 1


async def test_stop_of_one_request_moves_along(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Another request of theirs is told of at the new number; that one stays silent."""
    tess = organisation.people.tess.actor
    other = await organisation.open("card", by=tess)
    await verify_device(client, organisation, card_request)
    stop = ConsentChange(stop=True, about="request", channels=[Channel.SMS])
    await organisation.run(set_preferences, other, consent_change=stop, by=tess)
    await ask(client, card_request, NEW)
    code = (await codes_by_sms(organisation))[-1]
    done = await client.post(f"{link(card_request)}/address", data={"code": code})
    assert "and the old one got a notice." in read(await client.get(done.headers["Location"]))
    for request, is_permitted in ((card_request, True), (other, False)):
        async with organisation.database.reading() as session:
            assert await may_write(session, Channel.SMS, NEW, request.id) is is_permitted


async def test_first_address_of_a_channel_has_no_old_one(
    client: httpx2.AsyncClient, organisation: Organisation
) -> None:
    only_phone = replace(MARTIN, email=None)
    request = await organisation.open("card", only_phone, by=organisation.people.tess.actor)
    await verify_device(client, organisation, request)
    await ask(client, request, "martin@example.org")
    digits = (await code_emails(organisation))[-1].partition("Your code is ")[2][:6]
    done = await client.post(f"{link(request)}/address", data={"code": digits})
    page = read(await client.get(done.headers["Location"]))
    assert "Done. Our news goes there from now on." in page
    assert "notice" not in page
