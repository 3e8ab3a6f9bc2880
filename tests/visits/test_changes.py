"""A booked visit is moved, cancelled, reminded of and put into a calendar."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.messaging.sms.segments import count_segments
from portal.models import SYSTEM_ACTOR, EventKind, MessageKind
from portal.operations import run_due_follow_ups
from tests.support.factories import ORIGIN
from tests.support.fake_gateways import FakeSmsGateway, deliver_due
from tests.tracking.page_requests import link, read
from tests.tracking.test_exports_and_outage import read_calendar

pytestmark = pytest.mark.either_database

FROM_PAGE = {"Origin": ORIGIN}
THU_10 = datetime(2025, 6, 5, 14, tzinfo=UTC)


@pytest.fixture
async def visit(line, texts):
    """Martin's visit is on Thu 5 June, from 10 to noon."""
    await texts("Thursday at 10")
    return line


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("can we make it Friday 2 pm instead?", datetime(2025, 6, 6, 18, tzinfo=UTC)),
        ("Sorry, can we make it Friday 2 pm instead?", datetime(2025, 6, 6, 18, tzinfo=UTC)),
        ("Could you move it to tomorrow between 2 and 4", datetime(2025, 6, 4, 18, tzinfo=UTC)),
        ("I need to reschedule to Friday at 10", datetime(2025, 6, 6, 14, tzinfo=UTC)),
        ("\u00bfPodemos cambiarla al viernes a las 10?", datetime(2025, 6, 6, 14, tzinfo=UTC)),
    ],
)
async def test_text_moves_the_visit(visit, texts, said, booked, organisation, text, start):
    """One text confirms it, nobody owes an answer, and what follows is due at its new end."""
    before = len(await said(visit))
    await texts(text)
    assert (await booked(visit)).answer_at == start
    [reply] = (await said(visit))[before:]
    assert f"Changed, Martin: {start:%a} {start.day} Jun, " in reply
    assert count_segments(reply).segments == 1
    reloaded = await organisation.reload(visit)
    assert reloaded.promises == []
    assert reloaded.open_runs[0].due_at == start + timedelta(hours=2)


async def test_change_without_a_time_offers_free_windows(visit, texts, said, booked):
    await texts("I need another time for the appointment")
    text = (await said(visit))[-1]
    assert "We can come 1) Wed 4 Jun" in text
    assert "Your visit stays Thu 5 Jun, 10 am-noon until then." in text
    await texts("2")
    assert (await booked(visit)).answer_at == datetime(2025, 6, 4, 16, tzinfo=UTC)


async def test_text_cancels_the_visit_and_asks_for_another_time(
    visit, texts, said, booked, organisation, desk_clients
):
    before = len(await said(visit))
    await texts("I need to cancel the appointment")
    assert await booked(visit) is None
    [reply] = (await said(visit))[before:]
    assert "Your visit is cancelled. When instead? 1) Wed 4 Jun, 10 am-noon" in reply
    reloaded = await organisation.reload(visit)
    assert [run.stage_key for run in reloaded.open_runs] == ["date"]
    desk = await (await desk_clients("ben")).get(f"/desk/requests/{visit.reference}")
    assert "The customer cancelled the visit" in desk.text
    await texts("1")
    assert (await booked(visit)).answer_at == datetime(2025, 6, 4, 14, tzinfo=UTC)


async def test_same_words_cancel_the_visit_that_was_booked_again(
    visit, texts, said, booked, clock, organisation
):
    """A person repeats a sentence, within seconds after texts of ours."""
    for number in range(3):
        await deliver_due(organisation.operations, FakeSmsGateway())
        clock.shift(timedelta(seconds=5))
        before = len(await said(visit))
        await texts("I need to cancel the appointment")
        assert await booked(visit) is None, number
        assert "Your visit is cancelled." in (await said(visit))[before]
        await texts(f"{number + 1}")
        assert await booked(visit) is not None


@pytest.mark.parametrize(
    "text",
    [
        "Please don't cancel the appointment", "Did you cancel my appointment?", "cancel my order",
        "How do I cancel the appointment?", "Can I cancel the visit?", "What if I cancel the visit",
        "I want to cancel the appointment if the router arrives first", "¿Cómo cancelo la cita?",
        "Cancel the appointment and refund me",
    ],
)  # fmt: skip
async def test_other_words_about_cancelling_cancel_no_visit(
    visit, texts, booked, organisation, text
):
    await texts(text)
    assert (await booked(visit)).answer_at == THU_10
    assert (await organisation.reload(visit)).promises, "a person reads it"


@pytest.mark.parametrize(
    "text",
    [
        "Can you please cancel my appointment?", "Hi, cancel the visit please",
        "Quiero cancelar la cita, gracias", "أريد إلغاء الموعد من فضلك",
    ],
)  # fmt: skip
async def test_plain_request_cancels_the_visit(visit, texts, booked, text):
    await texts(text)
    assert await booked(visit) is None


@pytest.mark.parametrize(
    "text",
    [
        "I can't make it on Friday at 2", "Can you do me a favour, Friday at 2 my sister visits",
        "Please don't move my appointment to Friday at 2", "I make it to the office Friday at 2",
        "The shop delivers my desk on Friday at 2",
        "My neighbour will be there instead on Friday at 2",
        "Can I have 2 keys, I am home Friday at 2 pm",
    ],
)  # fmt: skip
async def test_other_words_with_a_time_move_no_visit(visit, texts, booked, organisation, text):
    """Also after windows were offered for another time."""
    await texts("I need another time for the appointment")
    await texts(text)
    assert (await booked(visit)).answer_at == THU_10
    assert (await organisation.reload(visit)).promises, "a person reads it"


@pytest.mark.parametrize(
    "text",
    [
        "Anything but Friday at 10",
        "I start work at 9 on Friday",
        "I need to leave at 3 on Friday",
        "tengo cita el viernes a las 10",
    ],
)
async def test_time_beside_other_words_is_not_booked(line, texts, booked, text):
    await texts(text)
    assert await booked(line) is None


async def test_matter_beside_a_change_has_an_owner(visit, texts, booked, organisation, said):
    await texts("Could you move it to Friday at 2 pm? My router is broken")
    assert (await booked(visit)).answer_at == datetime(2025, 6, 6, 18, tzinfo=UTC)
    assert "answers the rest by" in (await said(visit))[-1]
    assert (await organisation.reload(visit)).promises


async def test_buttons_on_the_page_move_and_cancel(visit, client, said, booked):
    """Both are confirmed by text; the forms work without JavaScript."""
    assert f'href="{link(visit)}/visit"' in (await client.get(link(visit))).text
    page = await client.get(f"{link(visit)}/visit")
    assert "Thu 5 Jun, 10 am-noon" in read(page)
    assert 'value="2025-06-06T14:00"' in page.text
    assert "<script" not in page.text.split("<body>")[1]
    moved = await client.post(
        f"{link(visit)}/visit", data={"do": "book", "at": "2025-06-06T14:00"}, headers=FROM_PAGE
    )
    assert moved.status_code == 303
    assert (await booked(visit)).answer_at == datetime(2025, 6, 6, 18, tzinfo=UTC)
    assert "Changed, Martin: Fri 6 Jun, 2-4 pm." in (await said(visit))[-1]
    night = await client.post(
        f"{link(visit)}/visit", data={"do": "book", "at": "2025-06-06T03:00"}, headers=FROM_PAGE
    )
    assert night.status_code == 409
    assert "not free any more" in night.text
    off = await client.post(f"{link(visit)}/visit", data={"do": "cancel"}, headers=FROM_PAGE)
    assert off.status_code == 303
    assert await booked(visit) is None
    assert "Your visit is cancelled." in (await said(visit))[-1]
    again = await client.post(f"{link(visit)}/visit", data={"do": "cancel"}, headers=FROM_PAGE)
    assert again.status_code == 409


async def test_time_of_the_visit_booked_twice_changes_nothing(visit, client, said, organisation):
    """A second press, or a reload of the form: one text, one event, the same window."""
    form = {"do": "book", "at": "2025-06-06T14:00"}
    for _ in range(2):
        answer = await client.post(f"{link(visit)}/visit", data=form, headers=FROM_PAGE)
        assert answer.status_code == 303
    assert [text for text in await said(visit) if "Changed, Martin" in text][1:] == []
    kinds = [event.kind for event in await organisation.events(visit)]
    assert kinds.count(EventKind.VISIT_MOVED) == 1


async def test_form_of_the_question_pressed_twice_books_once(line, client, said, organisation):
    form = {"do": "book", "at": "2025-06-06T14:00"}
    for _ in range(2):
        answer = await client.post(f"{link(line)}/visit", data=form, headers=FROM_PAGE)
        assert answer.status_code == 303
    assert len([text for text in await said(line) if "Booked, Martin" in text]) == 1
    kinds = [event.kind for event in await organisation.events(line)]
    assert EventKind.VISIT_MOVED not in kinds


@pytest.mark.parametrize(
    "text", ["can we make it Thursday at 10?", "can we make it Thursday between 10 and 12?"]
)
async def test_text_with_the_booked_time_says_when_the_visit_is(
    visit, texts, said, booked, organisation, text
):
    before = len(await said(visit))
    await texts(text)
    assert (await booked(visit)).answer_at == THU_10
    [reply] = (await said(visit))[before:]
    assert "Booked, Martin: Thu 5 Jun, 10 am-noon." in reply
    kinds = [event.kind for event in await organisation.events(visit)]
    assert EventKind.VISIT_MOVED not in kinds


async def test_reminder_goes_once_on_the_day_before(visit, organisation, clock, said):
    clock.move_to(datetime(2025, 6, 4, 14, 1, tzinfo=UTC))
    for _ in range(2):
        await organisation.run(run_due_follow_ups, visit, by=SYSTEM_ACTOR)
    reminders = [
        message.body
        for message in await organisation.outbound_messages(visit)
        if message.kind == MessageKind.VISIT
    ]
    assert len(reminders) == 1
    assert "Martin, see you tomorrow: Thu 5 Jun, 10 am-noon." in reminders[0]
    assert count_segments(reminders[0]).segments == 1


async def test_moved_visit_is_reminded_of_at_its_new_time_only(
    visit, texts, organisation, clock, said
):
    await texts("can we make it Friday 2 pm instead?")
    clock.move_to(datetime(2025, 6, 4, 14, 1, tzinfo=UTC))
    await organisation.run(run_due_follow_ups, visit, by=SYSTEM_ACTOR)
    assert not any("see you tomorrow" in text for text in await said(visit))
    clock.move_to(datetime(2025, 6, 5, 14, 1, tzinfo=UTC))
    await organisation.run(run_due_follow_ups, visit, by=SYSTEM_ACTOR)
    assert "see you tomorrow: Fri 6 Jun, 2-4 pm." in (await said(visit))[-1]


async def test_calendar_has_an_end_a_place_and_an_alarm(visit, client, texts):
    """A moved visit keeps its UID, and its SEQUENCE grows."""
    [event] = read_calendar((await client.get(f"{link(visit)}/appointment.ics")).content)
    assert (event["DTSTART"], event["DTEND"]) == ("20250605T140000Z", "20250605T160000Z")
    assert event["SUMMARY"] == "Engineer visit\\, Fibre line (Acme Bank)"
    assert event["LOCATION"] == "Your home"
    assert event["BEGIN"] == "VALARM"
    assert event["TRIGGER"] == "-PT16H"
    await texts("can we make it Friday 2 pm instead?")
    [moved] = read_calendar((await client.get(f"{link(visit)}/appointment.ics")).content)
    assert moved["DTSTART"] == "20250606T180000Z"
    assert moved["UID"] == event["UID"]
    assert int(moved["SEQUENCE"]) > int(event["SEQUENCE"])


async def test_events_of_a_visit_are_recorded(visit, texts, api):
    await texts("can we make it Friday 2 pm instead?")
    await texts("I need to cancel the appointment")
    answer = await api.get(f"/requests/{visit.reference}/timeline", params={"limit": 100})
    kinds = [event["kind"] for event in answer.json()["items"]]
    assert kinds.count(EventKind.VISIT_MOVED) == kinds.count(EventKind.VISIT_CANCELLED) == 1


async def test_weekday_of_today_is_that_of_next_week(visit, texts, said, booked):
    """Today is a Tuesday."""
    await texts("can we make it Tuesday 2 pm instead?")
    assert (await booked(visit)).answer_at == datetime(2025, 6, 10, 18, tzinfo=UTC)
    assert "Changed, Martin: Tue 10 Jun, 2-4 pm." in (await said(visit))[-1]


async def test_change_to_one_of_two_days_offers_free_windows(visit, texts, said, booked):
    await texts("can we make it Monday or Tuesday instead?")
    assert (await booked(visit)).answer_at == THU_10
    assert "We can come 1) " in (await said(visit))[-1]


@pytest.mark.parametrize(
    "words",
    [
        "on second thought i need to cancel the appointment",
        "Actually, I'm afraid I have to cancel the visit",
        "sorry, changed my mind, please cancel the appointment",
    ],
)
async def test_second_thought_cancels_the_visit(visit, texts, said, booked, words):
    await texts(words)
    assert await booked(visit) is None
    assert "Your visit is cancelled." in (await said(visit))[-1]
