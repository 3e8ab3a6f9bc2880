"""Opening a request: the link is sent and the owner set in one transaction."""

import unicodedata
from dataclasses import replace
from datetime import datetime

import pytest
from sqlmodel import select

from portal.errors import BadInput, Conflict
from portal.messaging.sms.plain_names import plain_name
from portal.models import (
    SYSTEM_ACTOR,
    Channel,
    Consent,
    Customer,
    DeliveryReason,
    Department,
    EventKind,
    MessageKind,
    MessageStatus,
    RequestStatus,
    ServiceRequest,
)
from portal.operations import add_staff, load_workflow
from portal.workflows import read_workflow
from tests.support.factories import CARD, MARTHA, MARTIN, Organisation

pytestmark = pytest.mark.either_database


async def test_first_text_has_the_link_and_the_opt_out_hint(organisation, card_request):
    [text] = await organisation.outbound_messages(card_request)
    assert text.kind == MessageKind.MILESTONE
    assert (text.channel, text.to_address) == (Channel.SMS, "+14155550132")
    assert f"http://testserver/r/{card_request.live_link.token}" in text.body
    assert "Martin" in text.body
    assert "Miller" not in text.body
    assert text.body.endswith("STOP to end")
    assert text.status == MessageStatus.QUEUED


async def test_lead_of_the_first_department_owns_a_new_request(organisation, card_request):
    assert card_request.status == RequestStatus.OPEN
    assert card_request.owner_id == organisation.people.tess.id
    assert [run.assignee_id for run in card_request.open_runs] == [organisation.people.tess.id]


async def test_timeline_begins_with_the_opening(organisation, card_request):
    kinds = [event.kind for event in await organisation.events(card_request)]
    assert kinds == [EventKind.OPENED, EventKind.STAGE_REACHED]


async def test_link_is_sent_alone_where_the_first_stage_is_no_milestone(organisation):
    quiet = CARD.replace('key = "card"', 'key = "quiet"').replace(
        'key = "received"', 'key = "received"\nmilestone = false'
    )
    await organisation.load(quiet)
    opened = await organisation.open("quiet", by=SYSTEM_ACTOR)
    [text] = await organisation.outbound_messages(opened)
    assert text.kind == MessageKind.LINK
    assert opened.live_link.token in text.body


async def test_stages_without_dependencies_open_together_under_one_coordinator(
    organisation,
):
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
    await organisation.load(text)
    opened = await organisation.open("visit", by=SYSTEM_ACTOR)
    assert {run.stage_key for run in opened.open_runs} == {"survey", "consent"}
    assert opened.owner_id == opened.coordinator_id == organisation.people.pat.id


async def test_opening_without_any_staff_is_rejected_and_saves_nothing(operations, database):
    async with operations.begin(SYSTEM_ACTOR) as uow:
        await load_workflow(uow, read_workflow(CARD))
    empty = Organisation(operations, database, people=None)
    with pytest.raises(Conflict, match="Nobody works in Telesales yet"):
        await empty.open(by=SYSTEM_ACTOR)
    async with database.reading() as session:
        for noun in (ServiceRequest, Customer, Consent):
            assert not (await session.exec(select(noun))).all()
    assert not await empty.messages()


async def test_invited_staff_own_work_before_their_first_sign_in(operations, database):
    async with operations.begin(SYSTEM_ACTOR) as uow:
        await load_workflow(uow, read_workflow(CARD))
        tess, _ = await add_staff(
            uow, email="Tess@Acme.example", name="Tess", departments=["telesales"]
        )
    opened = await Organisation(operations, database, people=None).open(by=SYSTEM_ACTOR)
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
async def test_invalid_details_are_named_and_change_nothing(organisation, wrong, field):
    with pytest.raises(BadInput) as refusal:
        await organisation.open(customer=replace(MARTIN, **wrong), by=SYSTEM_ACTOR)
    assert set(refusal.value.fields) == {field}
    assert refusal.value.status == 422
    assert not await organisation.messages()


async def test_unknown_workflow_error_lists_the_known_ones(organisation):
    with pytest.raises(BadInput, match="card, permit, repair") as refusal:
        await organisation.open("loan", by=SYSTEM_ACTOR)
    assert "workflow" in refusal.value.fields


@pytest.mark.parametrize("name", ["Zoë 🦊 O'Brien", "李小龍", "محمد", "X Æ A-12", "Ana\u0301"])
async def test_any_name_is_accepted(organisation, name):
    opened = await organisation.open(customer=replace(MARTIN, name=name), by=SYSTEM_ACTOR)
    assert opened.customer.name == name
    [text] = await organisation.outbound_messages(opened)
    plain = plain_name(unicodedata.normalize("NFC", name)).split()[0]
    assert plain in text.body or not text.body.isascii()


async def test_line_breaks_in_a_name_are_removed(organisation):
    opened = await organisation.open(
        customer=replace(MARTIN, name="Martin\r\n\x07 Miller"), by=SYSTEM_ACTOR
    )
    assert opened.customer.name == "Martin Miller"


async def test_repeated_external_id_opens_one_request(organisation):
    await organisation.open(by=SYSTEM_ACTOR, external_id="crm-7")
    with pytest.raises(Conflict, match="crm-7"):
        await organisation.open(by=SYSTEM_ACTOR, external_id="crm-7")
    assert len(await organisation.messages()) == 1


async def test_same_name_and_number_is_one_customer(organisation):
    first = await organisation.open(customer=replace(MARTIN, email=None), by=SYSTEM_ACTOR)
    second = await organisation.open(
        customer=replace(MARTIN, name="martin MILLER", email="mm@example.org"), by=SYSTEM_ACTOR
    )
    assert second.customer_id == first.customer_id
    assert {point.address for point in second.customer.contact_points} == {
        "+14155550132", "mm@example.org",
    }  # fmt: skip


async def test_two_names_at_one_number_are_two_customers(organisation, card_request):
    hers = await organisation.open(customer=MARTHA, by=SYSTEM_ACTOR)
    assert hers.customer_id != card_request.customer_id


async def test_message_to_a_customer_without_an_address_records_the_reason(organisation):
    opened = await organisation.open(
        customer=replace(MARTIN, phone=None, email=None), by=SYSTEM_ACTOR
    )
    [text] = await organisation.outbound_messages(opened)
    assert text.status == MessageStatus.SUPPRESSED
    assert text.reason == DeliveryReason.NO_ADDRESS


async def test_customer_without_a_phone_gets_an_email(organisation):
    opened = await organisation.open(customer=replace(MARTIN, phone=None), by=SYSTEM_ACTOR)
    [mail] = await organisation.outbound_messages(opened)
    assert (mail.channel, mail.to_address) == (Channel.EMAIL, "martin@example.com")


async def test_running_requests_keep_their_workflow_version(organisation, operations, card_request):
    changed = CARD.replace("We have your application", "Your application is here")
    async with operations.begin(SYSTEM_ACTOR) as uow:
        newest = await load_workflow(uow, read_workflow(changed))
        again = await load_workflow(uow, read_workflow(changed))
    assert (newest.version, again.id) == (2, newest.id)
    assert (await organisation.reload(card_request)).workflow.version == 1
    assert (await organisation.open(by=SYSTEM_ACTOR)).workflow.version == 2


@pytest.mark.parametrize(
    ("zone", "opened", "due"),
    [
        ("Africa/Cairo", "2026-04-22T15:00+02:00", "2026-04-24T15:00+03:00"),
        ("Asia/Beirut", "2026-03-27T15:00+02:00", "2026-03-29T15:00+03:00"),
        ("America/Santiago", "2026-09-04T23:30-04:00", "2026-09-06T23:30-03:00"),
        ("Australia/Lord_Howe", "2026-10-02T09:15+10:30", "2026-10-04T09:15+11:00"),
        ("Asia/Kathmandu", "2026-04-22T15:00+05:45", "2026-04-24T15:00+05:45"),
    ],
)
async def test_stage_over_a_missing_hour_is_due_at_the_same_local_time(
    organisation, clock, zone, opened, due
):
    """In a department that never closes; nothing is sent or due twice."""
    clock.move_to(datetime.fromisoformat(opened))
    round_the_clock = (
        CARD.replace('key = "card"', 'key = "clock"')
        .replace('timezone = "America/New_York"', f'timezone = "{zone}"')
        .replace('expected = "4h"', 'expected = "2bd"')
    )
    await organisation.load(round_the_clock)
    async with organisation.database.transaction() as session:
        query = select(Department).where(Department.key == "telesales")
        department = (await session.exec(query)).one()
        department.hours, department.timezone = "Mon-Sun 00:00-23:59", zone
    request = await organisation.open("clock", by=SYSTEM_ACTOR)
    assert request.open_runs[0].due_at == datetime.fromisoformat(due)
    assert len(await organisation.outbound_messages(request)) == 1
