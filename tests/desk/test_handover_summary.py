"""The story at the desk: who reads it, what it tells, and the forms that add to it."""

import pytest

from portal.models import ContactChannel, ContactReason
from portal.operations import advance, log_contact, note_minds, refuse
from tests.support.desk_client import read

pytestmark = pytest.mark.either_database

UNFOLDED = '<section class="story" aria-labelledby="h-story">\n<details open>'


async def test_whoever_is_to_take_it_up_reads_the_story(desks, house, martins):
    tess = house.people.tess.actor
    await house.do(note_minds, martins, "No calls before noon", by=tess)
    for reason in (ContactReason.WHERE_IS_IT, ContactReason.WHERE_IS_IT, ContactReason.COMPLAINT):
        await house.do(log_contact, martins, channel=ContactChannel.CALL, reason=reason, by=tess)
    await house.do(advance, martins, by=tess)
    await house.do(refuse, martins, reason="No income is given.", by=house.people.uma.actor)
    await (await desks("tess")).press(martins, "advance", handover="It is on page 2.")
    page = await (await desks("uma")).page(martins)
    assert UNFOLDED in page
    story = read(page.split('class="story"')[1].split("</section>")[0])
    assert "Minds about No calls before noon" in story
    assert "Handed over with It is on page 2. Tess Sales, " in story
    assert "They came to us 3 times: where it is (2) and a complaint" in story
    assert "Given back once No income is given. Underwriting, " in story


async def test_others_unfold_it_first(desks, house, martins):
    page = await (await desks("tom")).page(martins)
    assert 'class="story"' in page
    assert UNFOLDED not in page
    assert "Nothing was promised or asked yet." in page


async def test_what_they_mind_about_is_noted_and_put_right(desks, house, martins):
    tess = await desks("tess")
    answer = await tess.press(martins, "minds", text="Dogs", htmx=True)
    assert (answer.status_code, "Noted, for colleagues only." in answer.text) == (200, True)
    assert (await house.see(martins)).minds_about == "Dogs"
    answer = await tess.press(martins, "minds", text="x" * 301)
    assert answer.status_code == 422
    assert "one line of 300 letters" in answer.text
    answer = await tess.press(martins, "minds", text="")
    assert answer.status_code == 303
    assert (await house.see(martins)).minds_about == ""


async def test_the_sender_takes_it_back_with_one_button_while_it_waits(desks, house, martins):
    tess, uma = await desks("tess"), await desks("uma")
    await tess.press(martins, "advance")
    assert "Take it back" in read(await tess.page(martins))
    assert "Take it back" not in read(await uma.page(martins))
    older = await tess.page(martins)
    answer = await tess.press(martins, "handoff/recall")
    assert answer.status_code == 303
    assert "Telesales has Martin's request" in read(await tess.page(martins))
    await tess.press(martins, "advance")
    answer = await tess.press(martins, "handoff/recall", page=older)
    assert answer.status_code == 409, "a page from before decides nothing"
    await uma.press(martins, "handoff/accept")
    assert "Take it back" not in read(await tess.page(martins))


async def test_it_is_given_to_somebody_of_any_department_with_a_word(desks, house, martins):
    tess = await desks("tess")
    await tess.press(martins, "assign", owner="zoe@acme.example", note="You know the house.")
    page = await (await desks("zoe")).page(martins)
    assert UNFOLDED in page
    assert "You know the house." in read(page)
    assert "Complete it, pass to Underwriting" in read(page)


async def test_what_a_third_party_says_is_noted_where_it_works(desks, house):
    await house.load(
        'key = "parcel"\nname = "Parcel"\n[[stages]]\nkey = "sent"\ndepartment = "courier"\n'
        'title = "On its way"\nexpected = "5d"\nthird_party = "DHL"\nsilent_after = "2d"\n'
    )
    parcel = await house.open("parcel", by=house.people.carl.actor)
    carl = await desks("carl")
    page = await carl.page(parcel)
    assert "Nothing heard yet" in read(page)
    answer = await carl.press(parcel, "third-party", event="In the van", tracking_number="JD1")
    assert answer.status_code == 303
    told = read(await carl.page(parcel))
    assert "In the van, " in told
    assert "Number JD1" in told
    assert "Heard from DHL" in told
    answer = await carl.press(parcel, "third-party", event="", at="2025-01-01T10:00")
    assert answer.status_code == 422
    assert "Please say what they told us." in read(answer.text)
