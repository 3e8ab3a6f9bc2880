"""The handover summary at the desk: who sees it, and the forms that add to it."""

import pytest

from portal.models import ContactChannel, ContactReason
from portal.operations import advance, log_contact, refuse, set_customer_note
from tests.support.desk_client import visible_text

pytestmark = pytest.mark.either_database

UNFOLDED = '<section class="story" aria-labelledby="h-story">\n<details open>'


async def test_receiver_sees_the_handover_summary(desk_clients, organisation, card_request):
    tess = organisation.people.tess.actor
    await organisation.run(set_customer_note, card_request, "No calls before noon", by=tess)
    for reason in (ContactReason.WHERE_IS_IT, ContactReason.WHERE_IS_IT, ContactReason.COMPLAINT):
        await organisation.run(
            log_contact, card_request, channel=ContactChannel.CALL, reason=reason, by=tess
        )
    await organisation.run(advance, card_request, by=tess)
    await organisation.run(
        refuse, card_request, reason="No income is given.", by=organisation.people.uma.actor
    )
    await (await desk_clients("tess")).submit(card_request, "advance", handover="It is on page 2.")
    page = await (await desk_clients("uma")).page(card_request)
    assert UNFOLDED in page
    story = visible_text(page.split('class="story"')[1].split("</section>")[0])
    assert "Customer note No calls before noon" in story
    assert "Handover note It is on page 2. Tess Sales, " in story
    assert "Contacts 3 times: status question (2) and complaint" in story
    assert "Returned once No income is given. Underwriting, " in story


async def test_handover_summary_is_collapsed_for_others(desk_clients, organisation, card_request):
    page = await (await desk_clients("tom")).page(card_request)
    assert 'class="story"' in page
    assert UNFOLDED not in page
    assert "Nothing to summarize yet." in page


async def test_customer_note_is_saved_and_edited(desk_clients, organisation, card_request):
    tess = await desk_clients("tess")
    answer = await tess.submit(card_request, "minds", text="Dogs", htmx=True)
    assert (answer.status_code, "Saved, for colleagues only." in answer.text) == (200, True)
    assert (await organisation.reload(card_request)).customer_note == "Dogs"
    answer = await tess.submit(card_request, "minds", text="x" * 301)
    assert answer.status_code == 422
    assert "one line of 300 letters" in answer.text
    answer = await tess.submit(card_request, "minds", text="")
    assert answer.status_code == 303
    assert (await organisation.reload(card_request)).customer_note == ""


async def test_sender_recalls_a_waiting_handoff(desk_clients, organisation, card_request):
    tess, uma = await desk_clients("tess"), await desk_clients("uma")
    await tess.submit(card_request, "advance")
    assert "Recall handoff" in visible_text(await tess.page(card_request))
    assert "Recall handoff" not in visible_text(await uma.page(card_request))
    older = await tess.page(card_request)
    answer = await tess.submit(card_request, "handoff/recall")
    assert answer.status_code == 303
    assert "Telesales has Martin's request" in visible_text(await tess.page(card_request))
    await tess.submit(card_request, "advance")
    answer = await tess.submit(card_request, "handoff/recall", page=older)
    assert answer.status_code == 409, "a page from before decides nothing"
    await uma.submit(card_request, "handoff/accept")
    assert "Recall handoff" not in visible_text(await tess.page(card_request))


async def test_request_is_reassigned_across_departments_with_a_note(
    desk_clients, organisation, card_request
):
    tess = await desk_clients("tess")
    await tess.submit(card_request, "assign", owner="zoe@acme.example", note="You know the house.")
    page = await (await desk_clients("zoe")).page(card_request)
    assert UNFOLDED in page
    assert "You know the house." in visible_text(page)
    assert "Complete and hand off to Underwriting" in visible_text(page)
    assert "You stay responsible until Underwriting accepts." in visible_text(page)
    others = visible_text(await tess.page(card_request))
    assert "You stay" not in others, "only the assignee is addressed"


async def test_third_party_update_is_recorded_at_its_stage(desk_clients, organisation):
    await organisation.load(
        'key = "parcel"\nname = "Parcel"\n[[stages]]\nkey = "sent"\ndepartment = "courier"\n'
        'title = "On its way"\nexpected = "5d"\nthird_party = "DHL"\nsilent_after = "2d"\n'
    )
    parcel = await organisation.open("parcel", by=organisation.people.carl.actor)
    carl = await desk_clients("carl")
    page = await carl.page(parcel)
    assert "No update yet" in visible_text(page)
    answer = await carl.submit(parcel, "third-party", event="In the van", tracking_number="JD1")
    assert answer.status_code == 303
    told = visible_text(await carl.page(parcel))
    assert "In the van, " in told
    assert "Tracking number JD1" in told
    assert "Update from DHL" in told
    answer = await carl.submit(parcel, "third-party", event="", at="2025-01-01T10:00")
    assert answer.status_code == 422
    assert "Please say what they report: a code, a description, or both." in visible_text(
        answer.text
    )
