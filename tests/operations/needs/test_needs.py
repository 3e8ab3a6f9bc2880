"""What is needed from the customer: sent, checked, accepted or to be corrected, never asked twice."""

import re
from datetime import timedelta

import pytest

from portal.attachments.refusals import FileRefusal, FileRefusalCode
from portal.models import SYSTEM_ACTOR, NeedState, RequestStatus
from portal.operations import (
    CustomerDetails,
    accept_item,
    advance,
    ask_correction,
    recall,
    receive_text,
    send_back,
)
from portal.operations.conversation.attachments import IncomingMedia, reject_fetched
from portal.workflows import shipped_workflow_files
from tests.operations.needs.items import REASON, at_drawings, send_plans
from tests.support.customer_device import verify_device
from tests.support.desk_client import visible_text
from tests.support.workflows import DRAWINGS, ITEM, SECOND_ITEM
from tests.tracking.page_requests import link, read

pytestmark = pytest.mark.either_database


@pytest.fixture
async def permit(clock, organisation):
    """Martin's garage, for which the counter waits for his plans."""
    return await at_drawings(organisation)


async def test_page_lists_what_is_needed_with_a_form_for_each(client, permit):
    assert permit.status == RequestStatus.WAITING_ON_CUSTOMER
    page = await client.get(link(permit))
    words = read(page)
    assert "What we need from you Floor plans, PDF All floors, with sizes." in words
    assert 'name="need" value="plans"' in page.text


async def test_file_counts_for_its_item_and_is_not_asked_for_again(
    client, organisation, permit, api
):
    words = await send_plans(client, permit, need="plans")
    assert "We have what you sent, Martin" in words
    assert "Cora checks it by" in words
    assert "Send more" in words
    assert "waiting for your drawings" not in words.partition("Your timeline")[0]
    assert "nothing else that you need to do" not in words
    permit = await organisation.reload(permit)
    assert permit.status == RequestStatus.OPEN
    [need] = permit.needs
    [promise] = permit.promises
    assert (need.state, need.promise_id) == (NeedState.SENT, promise.id)
    assert promise.due_at == need.sent_at + timedelta(hours=4)
    [item] = (await api.get(f"/requests/{permit.reference}/needs")).json()["items"]
    assert (item["state"], item["owner"]["name"]) == ("sent", "Cora Counter")
    assert item["due_at"]


async def test_stage_whose_items_have_all_come_waits_for_none(
    client, organisation, permit, texts, desk_clients
):
    """Neither while they are checked nor once they are accepted, at the desk and in texts too."""
    waiting = "We are waiting for your drawings"
    assert waiting in read(await client.get(link(permit)))
    await client.post(f"{link(permit)}/share", data={"do": "make"})
    shared = re.findall(r"/s/[\w-]{22}", (await client.get(f"{link(permit)}/share")).text)[0]
    words = await send_plans(client, permit, need="plans")
    cora = await desk_clients("cora")
    desk = (await cora.page(permit)).partition('<ol class="relay">')[2].partition("</ol>")[0]
    for page in (words.partition("Conversation")[0], read(await client.get(shared)), desk):
        assert "We are checking what you sent" in page
        assert waiting not in page
    await organisation.run(accept_item, permit, "plans", by=organisation.people.cora.actor)
    words = read(await client.get(link(permit))).partition("Conversation")[0]
    assert "We have what you sent now" in words
    assert waiting not in words
    told = (await organisation.outbound_messages(permit))[-1].body
    assert "Accepted: Floor plans, PDF. Next: Fire safety is being reviewed. http" in told
    await texts("Where is it?")
    assert "We have what you sent" in (await organisation.outbound_messages(permit))[-1].body


async def test_file_name_is_shown_to_a_verified_browser_alone(client, organisation, permit):
    assert "plans.pdf, sent" not in await send_plans(client, permit)
    client.cookies.clear()
    await verify_device(client, organisation, permit)
    assert "plans.pdf, sent" in read(await client.get(link(permit)))


async def test_picture_by_text_counts_for_the_only_item(organisation, permit, texts):
    media = [IncomingMedia("https://api.twilio.com/1", "application/pdf")]
    await organisation.run_unbound(
        receive_text, sid="MM1", sender="+14155550132", to="+15005550006", body="", media=media,
        by=SYSTEM_ACTOR,
    )  # fmt: skip
    permit = await organisation.reload(permit)
    assert [need.state for need in permit.needs] == [NeedState.SENT]
    [*_, reply] = await organisation.outbound_messages(permit)
    assert "Thank you, Martin, we have it. Cora checks it by" in reply.body


async def test_words_alone_count_for_nothing_and_reach_a_person(client, organisation, permit):
    await client.post(f"{link(permit)}/messages", data={"body": "Which sizes do you need?"})
    words = read(await client.get(link(permit)))
    assert "What we need from you" in words
    assert "nothing else that you need to do" not in words
    permit = await organisation.reload(permit)
    assert [need.state for need in permit.needs] == [NeedState.NEEDED]
    assert permit.unanswered_since is not None


async def test_form_without_a_file_is_refused_kindly(client, organisation, permit):
    answer = await client.post(f"{link(permit)}/messages", data={"need": "plans"})
    assert answer.status_code == 422
    assert "Please choose a file first." in read(answer)
    assert (await organisation.reload(permit)).version == permit.version


async def test_of_several_items_only_the_one_named_by_its_form_is_sent(client, organisation):
    permit = await at_drawings(organisation, ITEM + SECOND_ITEM)
    await send_plans(client, permit)
    permit = await organisation.reload(permit)
    assert [need.state for need in permit.needs] == [NeedState.NEEDED, NeedState.NEEDED]
    assert permit.unanswered_since is not None, "a person says which it is"
    words = await send_plans(client, permit, need="deed")
    permit = await organisation.reload(permit)
    assert [need.state for need in permit.needs] == [NeedState.NEEDED, NeedState.SENT]
    assert permit.status == RequestStatus.WAITING_ON_CUSTOMER
    assert "It is being checked" not in words


async def test_correction_is_the_headline_of_page_text_and_mail(client, organisation, permit, api):
    await send_plans(client, permit, need="plans")
    answer = await api.post(
        f"/requests/{permit.reference}/needs/plans/correct",
        json={"reason": REASON, "by": "cora@acme.example"},
    )
    assert answer.status_code == 200, answer.text
    assert (answer.json()["state"], answer.json()["reason"]) == ("correction", REASON)
    page = await client.get(link(permit))
    words = read(page)
    assert f"{REASON} Cora asks you to correct this. What we need from you" in words
    assert "Send again" in words
    assert REASON not in page.text.split("<body>")[0], "a preview shows no reason"
    permit = await organisation.reload(permit)
    assert permit.status == RequestStatus.WAITING_ON_CUSTOMER
    [*_, text] = await organisation.outbound_messages(permit)
    assert "Martin, one thing to correct: Floor plans, PDF. What and how: http" in text.body
    assert text.segments == 1
    assert not [promise for promise in permit.promises if promise.is_open]


async def test_mail_about_a_correction_says_all_of_it(client, organisation, api):
    await organisation.load(DRAWINGS.format(items=ITEM))
    walter = CustomerDetails(name="Walter Wall", email="walter@example.com")
    cora = organisation.people.cora.actor
    permit = await organisation.open("garage", walter, by=cora)
    permit = await organisation.run(advance, permit, by=cora)
    await send_plans(client, permit)
    body = {"reason": REASON, "by": "cora@acme.example"}
    await api.post(f"/requests/{permit.reference}/needs/plans/correct", json=body)
    [*_, mail] = await organisation.outbound_messages(permit)
    assert mail.channel == "email"
    assert mail.subject == "Please correct: Floor plans, PDF"
    assert f"Cora asks you to correct this: {REASON}" in mail.body


async def test_short_reason_stands_in_the_text_itself(client, organisation, permit):
    await send_plans(client, permit, need="plans")
    await organisation.run(
        ask_correction, permit, "plans", reason="Sheet A-2 is blank.",
        by=organisation.people.cora.actor,
    )  # fmt: skip
    [*_, text] = await organisation.outbound_messages(permit)
    assert "Martin, Cora asks you to correct this: Sheet A-2 is blank. http" in text.body


async def test_return_to_the_customer_shows_its_reason_in_the_same_way(
    client, organisation, permit
):
    people = organisation.people
    await send_plans(client, permit, need="plans")
    permit = await organisation.run(advance, permit, by=people.cora.actor)
    assert [need.state for need in permit.needs] == [NeedState.CHECKING]
    permit = await organisation.run(
        send_back, permit, stage="drawings", reason=REASON, by=people.finn.actor
    )
    words = read(await client.get(link(permit)))
    assert f"{REASON} Finn asks you to correct this." in words
    [*_, text] = await organisation.outbound_messages(permit)
    assert "one thing to correct" in text.body
    words = await send_plans(client, permit, need="plans")
    assert "asks you to correct this" not in words
    permit = await organisation.reload(permit)
    assert permit.status == RequestStatus.OPEN


async def test_recalled_handoff_asks_for_nothing_a_second_time(client, organisation):
    """Fire Review has not accepted it, so the counter has it again, with the plans."""
    await organisation.load(DRAWINGS.format(items=ITEM))
    people = organisation.people
    permit = await organisation.open("garage", by=people.cora.actor)
    permit = await organisation.run(advance, permit, by=people.cora.actor)
    await send_plans(client, permit, need="plans")
    permit = await organisation.run(advance, permit, by=people.cora.actor)
    permit = await organisation.run(recall, permit, by=people.cora.actor)
    assert permit.status == RequestStatus.OPEN
    words = read(await client.get(link(permit)))
    assert "Cora checks it by" in words
    assert "Send a photo or a PDF" not in words


async def test_desk_accepts_an_item_and_asks_for_a_correction(
    client, organisation, permit, desk_clients
):
    await send_plans(client, permit, need="plans")
    cora = await desk_clients("cora")
    page = await cora.page(permit)
    assert "Floor plans, PDF sent, came" in visible_text(page)
    [need] = (await organisation.reload(permit)).needs
    refused = await cora.submit(permit, f"needs/{need.id}/correct", reason=" ")
    assert refused.status_code == 422
    answer = await cora.submit(permit, f"needs/{need.id}/correct", reason=REASON)
    assert answer.status_code == 303
    assert REASON in read(await client.get(link(permit)))
    await send_plans(client, permit, need="plans")
    await cora.submit(permit, f"needs/{need.id}/accept")
    words = read(await client.get(link(permit)))
    assert "Accepted, thank you." in words
    permit = await organisation.reload(permit)
    assert [need.state for need in permit.needs] == [NeedState.ACCEPTED]
    assert not [promise for promise in permit.promises if promise.is_open]
    assert "Accepted “Floor plans, PDF”" in visible_text(await cora.page(permit))


@pytest.mark.parametrize(
    ("locale", "title"),
    [("es", "Planos de su edificio, en PDF"), ("ar", "مخططات البناء بصيغة PDF")],
)
async def test_shipped_permit_says_what_it_needs_in_each_language(
    client, organisation, locale, title
):
    permit = next(file for file in shipped_workflow_files() if "permit" in file.name)
    await organisation.load(permit.read_text(encoding="utf-8"))
    customer = CustomerDetails(name="Lucia Ruiz", phone="+14155550134", locale=locale)
    mona = organisation.people.mona.actor
    request = await organisation.open("building-permit", customer, by=mona)
    request = await organisation.run(advance, request, by=mona)
    assert title in read(await client.get(link(request)))


async def test_item_that_came_by_post_is_marked_at_the_desk(
    client, organisation, permit, desk_clients
):
    cora = await desk_clients("cora")
    [need] = permit.needs
    answer = await cora.submit(permit, f"needs/{need.id}/sent")
    assert answer.status_code == 303
    assert "Cora checks it by" in read(await client.get(link(permit)))


async def test_unchecked_item_is_never_without_its_owner(client, organisation, permit, api):
    """Its promise cannot be closed by hand, and is a dropped ball when it is late."""
    await send_plans(client, permit, need="plans")
    [promise] = (await organisation.reload(permit)).promises
    path = f"/requests/{permit.reference}/promises/{promise.id}"
    assert (await api.post(f"{path}/keep", json={})).status_code == 409
    assert (await api.post(f"{path}/withdraw", json={"reason": "Error"})).status_code == 409


async def test_unknown_item_and_early_correction_are_refused_kindly(api, organisation, permit):
    path = f"/requests/{permit.reference}/needs"
    unknown = await api.post(f"{path}/roof/accept", json={})
    assert unknown.status_code == 404
    assert "It needs plans." in unknown.json()["detail"]
    early = await api.post(f"{path}/plans/correct", json={"reason": "Blurred"})
    assert early.status_code == 409
    assert (await organisation.reload(permit)).version == permit.version


async def test_refused_picture_leaves_its_item_to_send(organisation, permit, texts):
    media = [IncomingMedia("https://api.twilio.com/1", "application/pdf")]
    await organisation.run_unbound(
        receive_text, sid="MM1", sender="+14155550132", to="+15005550006", body="", media=media,
        by=SYSTEM_ACTOR,
    )  # fmt: skip
    await organisation.run_unbound(
        reject_fetched, attachment_id=1, refusal=FileRefusal(FileRefusalCode.NOT_FETCHED),
        by=SYSTEM_ACTOR,
    )  # fmt: skip
    permit = await organisation.reload(permit)
    assert [need.state for need in permit.needs] == [NeedState.NEEDED]
    assert permit.status == RequestStatus.WAITING_ON_CUSTOMER
    assert not [promise for promise in permit.promises if promise.is_open]
