"""A new number for a known e-mail address moves nothing until staff have settled it."""

import re
from dataclasses import replace

import pytest
from sqlmodel import col, select

from portal.models import SYSTEM_ACTOR, Channel, DroppedBall, DroppedBallKind
from portal.operations import write_to_customer
from portal.queries.consent import may_write
from tests.support.desk_client import hidden_fields, visible_text
from tests.support.factories import MARTIN

pytestmark = pytest.mark.either_database

OTHER_PHONE = "+14155550199"


@pytest.fixture
async def other(organisation, card_request):
    """A second request for Martin's name and e-mail address, with another number."""
    customer = replace(MARTIN, phone=OTHER_PHONE)
    return await organisation.open("repair", customer, by=organisation.people.ben.actor)


async def number_of(organisation, request):
    """The number that a text about this request goes to."""
    await organisation.run(
        write_to_customer, request, "Hello.", channels=[Channel.SMS], by=SYSTEM_ACTOR
    )
    return (await organisation.outbound_messages(request))[-1].to_address


async def open_balls(organisation):
    query = select(DroppedBall).where(
        col(DroppedBall.kind) == DroppedBallKind.SAME_PERSON, col(DroppedBall.resolved_at).is_(None)
    )
    async with organisation.database.reading() as session:
        return (await session.exec(query)).all()


async def settle(desk, answer):
    """Press one of the two buttons at the desk; gives the HTTP status."""
    page = (await desk.get("/desk/balls")).text
    action = re.search(r'action="(/desk/balls/\d+/same-person)"', page)[1]
    fields = hidden_fields(page, action)
    return (await desk.client.post(action, data={**fields, "answer": answer})).status_code


async def test_new_number_for_a_known_address_redirects_nothing(organisation, card_request, other):
    assert other.customer_id != card_request.customer_id
    assert await number_of(organisation, card_request) == MARTIN.phone
    assert await number_of(organisation, other) == OTHER_PHONE


async def test_desk_asks_whether_it_is_the_same_person(
    organisation, card_request, other, desk_clients
):
    ben = await desk_clients("ben")
    page = visible_text((await ben.get("/desk/balls")).text)
    assert "Same person?" in page
    assert f"{card_request.reference} has the same name and address" in page
    assert await settle(ben, "perhaps") == 422
    assert await settle(ben, "different") == 303
    assert await open_balls(organisation) == []
    assert await number_of(organisation, card_request) == MARTIN.phone


async def test_same_person_is_reached_at_the_new_number_for_all(
    organisation, card_request, other, desk_clients
):
    assert await settle(await desk_clients("ben"), "same") == 303
    joined = await organisation.reload(other)
    assert joined.customer_id == card_request.customer_id
    assert await number_of(organisation, card_request) == OTHER_PHONE
    assert await number_of(organisation, other) == OTHER_PHONE
    assert await open_balls(organisation) == []
    again = await organisation.open("repair", replace(MARTIN, phone=OTHER_PHONE), by=SYSTEM_ACTOR)
    assert again.customer_id == card_request.customer_id
    assert await open_balls(organisation) == []


async def test_joining_keeps_a_stop_of_the_old_number(
    organisation, card_request, other, desk_clients, texts
):
    await texts("STOP")
    assert await settle(await desk_clients("ben"), "same") == 303
    async with organisation.database.reading() as session:
        assert not await may_write(session, Channel.SMS, MARTIN.phone, card_request.id)
        assert await may_write(session, Channel.SMS, OTHER_PHONE, other.id)


async def test_family_shares_a_phone_without_a_question(organisation, card_request):
    mary = replace(MARTIN, name="Mary Miller")
    opened = await organisation.open("repair", mary, by=SYSTEM_ACTOR)
    assert opened.customer_id != card_request.customer_id
    assert await open_balls(organisation) == []


async def test_same_addresses_join_without_a_question(organisation, card_request):
    opened = await organisation.open("repair", by=SYSTEM_ACTOR)
    assert opened.customer_id == card_request.customer_id
    assert await open_balls(organisation) == []
