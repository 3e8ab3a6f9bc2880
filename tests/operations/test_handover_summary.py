"""The handover summary, notes that stay internal, and returns."""

from datetime import timedelta

import pytest

from portal.errors import BadInput
from portal.models import SYSTEM_ACTOR, ContactChannel, ContactReason
from portal.operations import (
    accept,
    advance,
    assign,
    log_contact,
    make_promise,
    receive_web_message,
    refuse,
    reopen,
    send_back,
    set_customer_note,
    write_to_customer,
)
from portal.queries.desk.handover_summary import load_handover_summary

pytestmark = pytest.mark.either_database


async def test_return_records_the_department(organisation, handed_off):
    people = organisation.people
    refused = await organisation.run(refuse, handed_off, reason="No income.", by=people.uma.actor)
    under = refused.handoffs[0].to_department_id
    assert [run.returned_by_id for run in refused.runs] == [None, None, under]
    await organisation.run(advance, handed_off, by=people.tess.actor)
    await organisation.run(accept, handed_off, by=people.uma.actor)
    sent = await organisation.run(
        send_back, handed_off, stage="received", reason="Which address?", by=people.uma.actor
    )
    assert sent.runs[-1].returned_by_id == under
    async with organisation.database.reading() as session:
        story = await load_handover_summary(session, sent)
    assert [return_.reason for return_ in story.returns] == ["No income.", "Which address?"]


async def test_reopening_and_moves_within_a_department_are_no_returns(organisation, card_request):
    people = organisation.people
    for taker in (people.uma, people.paul, people.carl):
        await organisation.run(advance, card_request, by=SYSTEM_ACTOR)
        await organisation.run(accept, card_request, by=taker.actor)
    await organisation.run(advance, card_request, by=people.carl.actor)
    await organisation.run(
        send_back, card_request, stage="courier", reason="Gone.", by=people.carl.actor
    )
    await organisation.run(advance, card_request, by=people.carl.actor)
    await organisation.run(advance, card_request, by=people.carl.actor)
    await organisation.run(
        advance, card_request, note="He told us on the phone.", by=people.carl.actor
    )
    opened = await organisation.run(
        reopen, card_request, reason="Lost.", stage="made", by=people.mona.actor
    )
    assert not any(run.returned_by_id for run in opened.runs)


async def test_handoff_includes_the_summary(clock, organisation, card_request):
    """What was promised and said, why they came, what they mind about, and the sender's words."""
    tess, due_at = organisation.people.tess.actor, card_request.opened_at + timedelta(hours=30)
    async with organisation.database.reading() as session:
        assert (await load_handover_summary(session, card_request)).is_empty
    await organisation.run(
        make_promise, card_request, text="Call about the limit", due_at=due_at, by=tess
    )
    await organisation.run(receive_web_message, card_request, "Is 5000 possible?", by=SYSTEM_ACTOR)
    await organisation.run(write_to_customer, card_request, "We ask Underwriting.", by=tess)
    for reason in (ContactReason.WHERE_IS_IT, ContactReason.COMPLAINT, ContactReason.WHERE_IS_IT):
        await organisation.run(
            log_contact, card_request, channel=ContactChannel.CALL, reason=reason, by=tess
        )
    await organisation.run(
        set_customer_note, card_request, "Works nights:\ncall after 4 pm", by=tess
    )
    await organisation.run(advance, card_request, handover="He hopes for 5000.", by=tess)
    passed = await organisation.run(
        assign,
        card_request,
        owner="pia@acme.example",
        note="You know him.",
        by=organisation.people.mona.actor,
    )
    assert passed.owner_id == organisation.people.pia.id
    assert passed.handoffs[0].note == "He hopes for 5000."
    async with organisation.database.reading() as session:
        story = await load_handover_summary(session, passed)
    assert story.customer_note == "Works nights: call after 4 pm"
    assert "Call about the limit" in [promise.text for promise in story.promises]
    assert (story.last_customer_message.body, story.last_reply.body) == (
        "Is 5000 possible?", "Tess at Acme Bank: We ask Underwriting.",
    )  # fmt: skip
    assert story.contacts[0] == (ContactReason.WHERE_IS_IT, 2)
    assert [(handover.words, handover.by) for handover in story.handovers] == [
        ("You know him.", "Mona Manager"), ("He hopes for 5000.", "Tess Sales"),
    ]  # fmt: skip


async def test_internal_notes_are_never_shown_to_customers(client, organisation, card_request):
    await organisation.run(
        set_customer_note, card_request, "secret one", by=organisation.people.tess.actor
    )
    await organisation.run(
        advance, card_request, handover="secret two", by=organisation.people.tess.actor
    )
    sent = await organisation.run(
        assign,
        card_request,
        owner="tom@acme.example",
        note="secret three",
        by=organisation.people.mona.actor,
    )
    page = (await client.get(f"/r/{sent.live_link.token}")).text
    assert "Underwriting" in page
    assert "secret" not in page
    assert not any(
        "secret" in message.body for message in await organisation.outbound_messages(sent)
    )


async def test_customer_note_does_not_make_a_form_stale(organisation, card_request):
    noted = await organisation.run(
        set_customer_note, card_request, "Dogs", by=organisation.people.tess.actor
    )
    assert (noted.version, noted.page_version) == (card_request.version, card_request.page_version)
    with pytest.raises(BadInput, match="one line"):
        await organisation.run(
            set_customer_note, card_request, "x" * 301, by=organisation.people.tess.actor
        )


async def test_only_involved_staff_can_act(api, organisation, handed_off):
    """The sender's and the receiver's people, whoever was given it by name, and the key itself."""
    path = f"/requests/{handed_off.reference}"

    async def move(verb, by, **body):
        body |= {"by": f"{by}@acme.example"} if by else {}
        return (await api.post(f"{path}/{verb}", json=body)).status_code

    await organisation.run(accept, handed_off, by=organisation.people.uma.actor)
    for verb, body in (
        ("advance", {}),
        ("hold", {"reason": "Papers."}),
        ("send-back", {"stage": "received", "reason": "No."}),
    ):
        assert await move(verb, "zoe", **body) == 403
    assert await move("hold", "uma", reason="Papers.") == 200
    assert await move("resume", "zoe") == 403
    assert await move("resume", "mona") == 200
    assert await move("assign", "mona", owner="zoe@acme.example", note="You know the bank.") == 200
    assert await move("hold", "zoe", reason="I ask them.") == 200
    assert await move("resume", None) == 200


async def test_api_returns_the_handover_summary(api, organisation, handed_off):
    path = f"/requests/{handed_off.reference}"
    await api.post(f"{path}/minds", json={"text": "His name is pronounced Mar-TEEN."})
    body = {"reason": "No income is given.", "by": "uma@acme.example"}
    await api.post(f"{path}/handoff/refuse", json=body)
    await api.post(f"{path}/advance", json={"handover": "It is on page 2."})
    told = (await api.get(f"{path}/story")).json()
    assert told["minds_about"] == "His name is pronounced Mar-TEEN."
    [back] = told["returns"]
    assert (back["department"], back["reason"]) == ("underwriting", "No income is given.")
    assert told["handovers"][0]["words"] == "It is on page 2."
    request = (await api.get(path)).json()
    assert request["handoffs"][-1]["note"] == "It is on page 2."
    recalled = (await api.post(f"{path}/handoff/recall")).json()
    assert recalled["handoffs"][-1]["state"] == "recalled"
    states = {stage["key"]: stage["state"] for stage in recalled["stages"]}
    assert (states["received"], states["decision"]) == ("open", "upcoming")
