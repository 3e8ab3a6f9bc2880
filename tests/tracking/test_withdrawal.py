"""The customer withdraws their own request, where the workflow allows it."""

import httpx2
import pytest
from sqlmodel import col, select

from portal.models import Event, EventKind, Message, MessageKind, Promise, ServiceRequest
from portal.operations import accept, advance, make_promise
from tests.support.customer_device import link, verify_device
from tests.support.factories import CARD, Organisation
from tests.support.fake_gateways import FakeEmailGateway, FakeSmsGateway, deliver_due
from tests.tracking.page_requests import read

pytestmark = pytest.mark.either_database

WITHDRAWABLE = CARD.replace(
    'prefix = "CARD"', 'prefix = "CARD"\ncustomer_may_cancel_until = "decision"'
)


@pytest.fixture
async def request_to_withdraw(organisation: Organisation) -> ServiceRequest:
    await organisation.load(WITHDRAWABLE)
    return await organisation.open(by=organisation.people.tess.actor)


async def test_customer_withdraws_their_request_by_themselves(
    client: httpx2.AsyncClient, organisation: Organisation, request_to_withdraw: ServiceRequest
) -> None:
    """The page confirms it, a text confirms it, and the owner gets an e-mail."""
    request = request_to_withdraw
    tess = organisation.people.tess
    await organisation.run(
        make_promise, request, by=tess.actor, text="I call you.",
        due_at=request.opened_at.replace(year=request.opened_at.year + 1),
    )  # fmt: skip
    assert "/withdraw" in (await client.get(link(request))).text
    await verify_device(client, organisation, request, "withdraw")
    form = await client.get(f"{link(request)}/withdraw")
    assert "Yes, withdraw it" in read(form)
    data = {"do": "withdraw", "reason": "I found another card."}
    done = await client.post(f"{link(request)}/withdraw", data=data)
    assert (done.status_code, done.headers["Location"]) == (303, link(request))
    page = read(await client.get(link(request)))
    assert "You cancelled this request" in page
    assert "You withdrew it. I found another card." in page
    assert "We did not get to this" not in page
    phone, mailbox = FakeSmsGateway(), FakeEmailGateway()
    await deliver_due(organisation.operations, phone)
    await deliver_due(organisation.operations, mailbox)
    [text] = [body for body in phone.sent_bodies if "withdrew" in body]
    assert text.startswith(f"Acme Bank: Martin, you withdrew request {request.reference}.")
    assert any("withdrawn by the customer" in body for body in mailbox.sent_bodies)
    async with organisation.database.reading() as session:
        [event] = (await session.exec(select(Event).where(Event.kind == EventKind.CANCELLED))).all()
        assert event.actor_kind == "customer"
        [promise] = (await session.exec(select(Promise))).all()
        assert promise.state(event.at) == "withdrawn"
        notices = select(Message).where(col(Message.kind) == MessageKind.NOTICE)
        assert [m.to_address for m in (await session.exec(notices)).all()] == [tess.email]


async def test_withdrawing_needs_a_code(
    client: httpx2.AsyncClient, request_to_withdraw: ServiceRequest
) -> None:
    """A link may be passed on."""
    path = f"{link(request_to_withdraw)}/withdraw"
    to_code = f"{link(request_to_withdraw)}/code?to=withdraw"
    assert (await client.get(path)).headers["Location"] == to_code
    assert (await client.post(path)).headers["Location"] == to_code
    assert "Only you can withdraw this request" in read(await client.get(to_code))
    assert "has had it since" in read(await client.get(link(request_to_withdraw)))


async def test_second_press_finds_the_request_ended(
    client: httpx2.AsyncClient, organisation: Organisation, request_to_withdraw: ServiceRequest
) -> None:
    await verify_device(client, organisation, request_to_withdraw)
    path = f"{link(request_to_withdraw)}/withdraw"
    assert (await client.post(path)).status_code == 303
    again = await client.post(path)
    assert again.status_code == 409
    assert "There is nothing to withdraw." in read(again)


async def test_wish_goes_to_a_person_once_the_stage_is_reached(
    client: httpx2.AsyncClient, organisation: Organisation, request_to_withdraw: ServiceRequest
) -> None:
    request, people = request_to_withdraw, organisation.people
    await verify_device(client, organisation, request)
    await organisation.run(advance, request, by=people.tess.actor)
    assert "/withdraw" in (await client.get(link(request))).text  # it waits to be accepted
    await organisation.run(accept, request, by=people.uma.actor)
    assert "/withdraw" not in (await client.get(link(request))).text
    path = f"{link(request)}/withdraw"
    late = await client.post(path, data={"do": "withdraw"})
    assert late.status_code == 409
    assert "too far along" in read(late)
    assert "Ask to cancel it" in read(late)
    asked = await client.post(path, data={"do": "ask", "reason": "Too slow."})
    assert asked.status_code == 303
    page = read(await client.get(link(request)))
    assert "Please cancel this request. Too slow." in page
    assert "will answer you" in page


async def test_workflow_without_the_key_offers_no_withdrawal(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    assert "/withdraw" not in (await client.get(link(card_request))).text
    await verify_device(client, organisation, card_request)
    path = f"{link(card_request)}/withdraw"
    assert "Ask to cancel it" in read(await client.get(path))
    assert (await client.post(path, data={"do": "withdraw"})).status_code == 409
    long = await client.post(path, data={"do": "ask", "reason": "x" * 2_500})
    assert long.status_code == 422
