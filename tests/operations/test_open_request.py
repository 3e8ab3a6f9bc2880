"""Opening a request: the customer has a link within one transaction, and somebody has the work."""

from dataclasses import replace

import pytest
from sqlmodel import select

from portal.errors import BadInput, Conflict
from portal.models import (
    KEPT,
    Channel,
    Consent,
    Customer,
    EventKind,
    MessageKind,
    MessageStatus,
    RequestStatus,
    ServiceRequest,
)
from portal.operations import add_staff, load_workflow
from portal.workflows import read_workflow
from tests.support.factories import CARD, MARTHA, MARTIN, House

pytestmark = pytest.mark.either_database


async def test_the_first_text_has_the_link_and_says_how_to_stop(house, martins):
    [text] = await house.told(martins)
    assert text.kind == MessageKind.MILESTONE
    assert (text.channel, text.to_address) == (Channel.SMS, "+14155550132")
    assert f"http://testserver/r/{martins.live_link.token}" in text.body
    assert "Martin" in text.body
    assert "Miller" not in text.body
    assert text.body.endswith("STOP to end")
    assert text.status == MessageStatus.QUEUED


async def test_it_is_owned_by_the_lead_of_the_first_department(house, martins):
    assert martins.status == RequestStatus.OPEN
    assert martins.owner_id == house.people.tess.id
    assert [run.assignee_id for run in martins.open_runs] == [house.people.tess.id]


async def test_its_timeline_begins_with_the_opening(house, martins):
    kinds = [event.kind for event in await house.events(martins)]
    assert kinds == [EventKind.OPENED, EventKind.STAGE_REACHED]


async def test_where_the_first_stage_is_no_milestone_the_link_is_sent_by_itself(house):
    quiet = CARD.replace('key = "card"', 'key = "quiet"').replace(
        'key = "received"', 'key = "received"\nmilestone = false'
    )
    await house.load(quiet)
    opened = await house.open("quiet", by=KEPT)
    [text] = await house.told(opened)
    assert text.kind == MessageKind.LINK
    assert opened.live_link.token in text.body


async def test_several_stages_that_wait_for_nothing_open_at_once_under_one_coordinator(house):
    text = """
    key = "visit"
    name = "Visit"
    [[stages]]
    key = "survey"
    department = "plans"
    title = "We survey"
    expected = "1d"
    [[stages]]
    key = "consent"
    department = "zoning"
    title = "We ask the owner"
    expected = "1d"
    after = []
    """
    await house.load(text)
    opened = await house.open("visit", by=KEPT)
    assert {run.stage_key for run in opened.open_runs} == {"survey", "consent"}
    assert opened.owner_id == opened.coordinator_id == house.people.pat.id


async def test_with_nobody_at_all_it_is_refused_and_nothing_is_kept(relay, database):
    async with relay.turn(KEPT) as turn:
        await load_workflow(turn, read_workflow(CARD))
    empty = House(relay, database, people=None)
    with pytest.raises(Conflict, match="Nobody works in Telesales yet"):
        await empty.open(by=KEPT)
    async with database.reading() as session:
        for noun in (ServiceRequest, Customer, Consent):
            assert not (await session.exec(select(noun))).all()
    assert not await empty.messages()


async def test_a_person_owns_work_before_they_accept_their_invitation(relay, database):
    async with relay.turn(KEPT) as turn:
        await load_workflow(turn, read_workflow(CARD))
        tess, _ = await add_staff(
            turn, email="Tess@Acme.example", name="Tess", departments=["telesales"]
        )
    opened = await House(relay, database, people=None).open(by=KEPT)
    assert tess.password_hash is None
    assert opened.owner_id == tess.id


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"phone": "12"}, "customer.phone"),
        ({"phone": "call me"}, "customer.phone"),
        ({"phone": "9" * 500}, "customer.phone"),
        ({"email": "martin@"}, "customer.email"),
        ({"email": "martin\x00@example.com"}, "customer.email"),
        ({"name": "  "}, "customer.name"),
        ({"name": "\x00"}, "customer.name"),
        ({"name": "M" * 100_000}, "customer.name"),
        ({"timezone": "Mars/Olympus"}, "customer.timezone"),
        ({"timezone": "/etc/passwd"}, "customer.timezone"),
        ({"locale": "../../x"}, "customer.locale"),
    ],
)
async def test_details_that_cannot_be_used_are_named_and_change_nothing(house, wrong, field):
    with pytest.raises(BadInput) as refusal:
        await house.open(customer=replace(MARTIN, **wrong), by=KEPT)
    assert set(refusal.value.fields) == {field}
    assert refusal.value.status == 422
    assert not await house.messages()


async def test_an_unknown_workflow_is_answered_with_those_there_are(house):
    with pytest.raises(BadInput, match="card, permit, repair") as refusal:
        await house.open("loan", by=KEPT)
    assert "workflow" in refusal.value.fields


@pytest.mark.parametrize("name", ["Zoë 🦊 O'Brien", "李小龍", "محمد", "X Æ A-12", "Ana\u0301"])
async def test_a_name_may_be_any_name(house, name):
    opened = await house.open(customer=replace(MARTIN, name=name), by=KEPT)
    assert opened.customer.name == name
    [text] = await house.told(opened)
    assert name.split()[0] in text.body or not text.body.isascii()


async def test_line_breaks_in_a_name_cannot_shape_a_text(house):
    opened = await house.open(customer=replace(MARTIN, name="Martin\r\n\x07 Miller"), by=KEPT)
    assert opened.customer.name == "Martin Miller"


async def test_the_same_external_id_opens_once(house):
    await house.open(by=KEPT, external_id="crm-7")
    with pytest.raises(Conflict, match="crm-7"):
        await house.open(by=KEPT, external_id="crm-7")
    assert len(await house.messages()) == 1


async def test_the_same_person_at_the_same_number_is_one_customer(house, martins):
    second = await house.open(
        customer=replace(MARTIN, name="martin MILLER", email="mm@example.org"), by=KEPT
    )
    assert second.customer_id == martins.customer_id
    assert {point.address for point in second.customer.contact_points} == {
        "+14155550132", "martin@example.com", "mm@example.org",
    }  # fmt: skip


async def test_two_people_who_share_a_phone_are_two_customers(house, martins):
    hers = await house.open(customer=MARTHA, by=KEPT)
    assert hers.customer_id != martins.customer_id


async def test_a_customer_without_an_address_has_a_recorded_reason_for_the_silence(house):
    opened = await house.open(customer=replace(MARTIN, phone=None, email=None), by=KEPT)
    [text] = await house.told(opened)
    assert text.status == MessageStatus.SUPPRESSED
    assert "no phone number or e-mail" in text.reason


async def test_a_customer_without_a_phone_gets_a_mail(house):
    opened = await house.open(customer=replace(MARTIN, phone=None), by=KEPT)
    [mail] = await house.told(opened)
    assert (mail.channel, mail.to_address) == (Channel.EMAIL, "martin@example.com")


async def test_running_requests_keep_the_workflow_version_that_they_began_with(
    house, relay, martins
):
    changed = CARD.replace("We have your application", "Your application is here")
    async with relay.turn(KEPT) as turn:
        newest = await load_workflow(turn, read_workflow(changed))
        again = await load_workflow(turn, read_workflow(changed))
    assert (newest.version, again.id) == (2, newest.id)
    assert (await house.see(martins)).workflow.version == 1
    assert (await house.open(by=KEPT)).workflow.version == 2
