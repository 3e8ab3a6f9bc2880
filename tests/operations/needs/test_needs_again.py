"""What is needed from the customer, after a recall, a return, a reopening and a refused file."""

import pytest

from portal.attachments.refusals import FileRefusal, FileRefusalCode
from portal.models import SYSTEM_ACTOR, NeedState, RequestStatus
from portal.operations import (
    accept,
    accept_item,
    advance,
    ask_correction,
    cancel,
    recall,
    receive_text,
    send_back,
)
from portal.operations.conversation.attachments import IncomingMedia, reject_fetched
from tests.operations.needs.items import REASON, at_drawings, send_plans
from tests.support.workflows import DRAWINGS, ITEM, SECOND_ITEM
from tests.tracking.page_requests import link, read

pytestmark = pytest.mark.either_database


@pytest.fixture
async def permit(clock, organisation):
    """Martin's garage, for which the counter waits for his plans."""
    return await at_drawings(organisation)


async def test_recalled_handoff_restores_every_item_as_it_was(client, organisation, api):
    """What was still to be sent is needed again; what had come has its owner and its time again."""
    permit = await at_drawings(organisation, ITEM + SECOND_ITEM)
    cora = organisation.people.cora.actor
    await send_plans(client, permit, need="plans")
    [before] = (await organisation.reload(permit)).promises
    await organisation.run(advance, permit, by=cora)
    permit = await organisation.run(recall, permit, by=cora)
    assert [need.state for need in permit.needs] == [NeedState.SENT, NeedState.NEEDED]
    [promise] = permit.promises
    assert (promise.is_open, promise.due_at, promise.closed_reason) == (True, before.due_at, "")
    assert permit.status == RequestStatus.WAITING_ON_CUSTOMER
    words = read(await client.get(link(permit)))
    assert "Proof of ownership" in words
    assert "Cora checks it by" in words
    accepted = await api.post(f"/requests/{permit.reference}/needs/deed/accept", json={})
    assert accepted.status_code == 200, accepted.text


async def test_recalled_handoff_asks_for_the_same_correction_again(client, organisation, permit):
    cora = organisation.people.cora.actor
    await send_plans(client, permit, need="plans")
    await organisation.run(ask_correction, permit, "plans", reason=REASON, by=cora)
    await organisation.run(advance, permit, by=cora)
    permit = await organisation.run(recall, permit, by=cora)
    assert [need.state for need in permit.needs] == [NeedState.CORRECTION]
    assert permit.status == RequestStatus.WAITING_ON_CUSTOMER
    assert REASON in read(await client.get(link(permit)))


async def test_recalled_return_asks_the_customer_for_nothing(client, organisation):
    """The window must accept the return, and has not: Fire has it again, with the plans."""
    accepting = DRAWINGS.replace("counter", "window").replace(
        'name = "Permit Counter"', 'name = "Window"\naccept_within = "4h"'
    )
    await organisation.load(accepting.format(items=ITEM))
    permit = await organisation.open("garage", by=SYSTEM_ACTOR)
    permit = await organisation.run(advance, permit, by=SYSTEM_ACTOR)
    await send_plans(client, permit, need="plans")
    for step in (advance, accept):
        await organisation.run(step, permit, by=SYSTEM_ACTOR)
    await organisation.run(send_back, permit, stage="drawings", reason=REASON, by=SYSTEM_ACTOR)
    permit = await organisation.run(recall, permit, by=SYSTEM_ACTOR)
    assert [run.stage_key for run in permit.open_runs] == ["fire-review"]
    assert [need.state for need in permit.needs] == [NeedState.CHECKING]
    assert REASON not in read(await client.get(link(permit)))


async def test_stage_that_runs_again_does_not_wait_for_what_is_accepted(
    client, organisation, permit, api
):
    cora = organisation.people.cora.actor
    await send_plans(client, permit, need="plans")
    await organisation.run(accept_item, permit, "plans", by=cora)
    await organisation.run(cancel, permit, reason="By mistake", by=SYSTEM_ACTOR)
    answer = await api.post(
        f"/requests/{permit.reference}/reopen", json={"stage": "drawings", "reason": "It goes on"}
    )
    assert answer.status_code == 200, answer.text
    permit = await organisation.reload(permit)
    assert permit.status == RequestStatus.OPEN
    assert not permit.open_runs[0].is_paused


async def test_return_of_several_items_waits_for_the_correction(client, organisation):
    permit = await at_drawings(organisation, ITEM + SECOND_ITEM)
    people = organisation.people
    for key in ("plans", "deed"):
        await send_plans(client, permit, need=key)
    await organisation.run(advance, permit, by=people.cora.actor)
    permit = await organisation.run(
        send_back, permit, stage="drawings", reason=REASON, by=people.finn.actor
    )
    assert permit.status == RequestStatus.WAITING_ON_CUSTOMER


async def text_file(organisation, number):
    media = [IncomingMedia(f"https://api.twilio.com/{number}", "application/pdf")]
    await organisation.run_unbound(
        receive_text, sid=f"MM{number}", sender="+14155550132", to="+15005550006", body="",
        media=media, by=SYSTEM_ACTOR,
    )  # fmt: skip


async def refuse_file(organisation, attachment_id):
    await organisation.run_unbound(
        reject_fetched, attachment_id=attachment_id,
        refusal=FileRefusal(FileRefusalCode.NOT_FETCHED), by=SYSTEM_ACTOR,
    )  # fmt: skip


async def test_refused_second_picture_leaves_the_item_with_the_first(client, organisation, permit):
    """The good file came from the page; it keeps its item and whoever checks it."""
    await send_plans(client, permit, need="plans")
    first = (await organisation.reload(permit)).needs[0].message_id
    await text_file(organisation, 1)
    await refuse_file(organisation, 2)
    permit = await organisation.reload(permit)
    assert [(need.state, need.message_id) for need in permit.needs] == [(NeedState.SENT, first)]
    assert [promise.is_open for promise in permit.promises] == [True]
    assert "Cora checks it by" in read(await client.get(link(permit)))


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
async def test_item_is_to_send_once_the_files_of_every_message_are_refused(
    organisation, permit, texts, order
):
    for number in (1, 2):
        await text_file(organisation, number)
    await refuse_file(organisation, order[0])
    permit = await organisation.reload(permit)
    assert [need.state for need in permit.needs] == [NeedState.SENT]
    await refuse_file(organisation, order[1])
    permit = await organisation.reload(permit)
    assert [need.state for need in permit.needs] == [NeedState.NEEDED]
    assert not [promise for promise in permit.promises if promise.is_open]
