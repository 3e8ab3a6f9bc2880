"""A visit is booked in a free window of the department's hours, by text and on the page."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from portal.messaging.sms.segments import count_segments
from portal.models import SYSTEM_ACTOR, MessageKind, RequestStatus
from portal.operations import cancel, run_due_follow_ups
from portal.tracking.status_page.view_models import StatusPage
from tests.support.factories import ORIGIN
from tests.tracking.page_requests import read
from tests.visits.conftest import ENGINEER, OTHER

pytestmark = pytest.mark.either_database

FROM_PAGE = {"Origin": ORIGIN}
WED_10 = datetime(2025, 6, 4, 14, tzinfo=UTC)


def link(request):
    return f"/r/{request.live_link.token}"


def form(request, at):
    return {"follow_up": str(request.open_question.id), "answer": "yes", "at": at}


async def test_question_by_text_offers_the_next_three_windows(line, said):
    text = (await said(line))[-1]
    assert "When may our engineer come? 1) Wed 4 Jun, 10 am-noon 2) noon-2 pm 3) 2-4 pm" in text
    assert "Reply 1, 2, 3 or a day." in text


@pytest.mark.parametrize(
    ("reply", "start"),
    [
        ("2", datetime(2025, 6, 4, 16, tzinfo=UTC)),
        ("Number 3 please", datetime(2025, 6, 4, 18, tzinfo=UTC)),
        ("tomorrow at 10", WED_10),
        ("Wed 11 am", WED_10),
        ("Thursday between 2 and 4", datetime(2025, 6, 5, 18, tzinfo=UTC)),
        ("Friday after 3", datetime(2025, 6, 6, 20, tzinfo=UTC)),
        ("el jueves a las 10", datetime(2025, 6, 5, 14, tzinfo=UTC)),
    ],
)
async def test_reply_books_the_window_that_it_names(line, texts, said, booked, reply, start):
    """One text confirms it, with the weekday, the date and the window."""
    before = len(await said(line))
    await texts(reply)
    visit = await booked(line)
    assert visit.answer_at == start
    [text] = (await said(line))[before:]
    day, hours = (
        f"{start:%a} {start.day} Jun",
        {14: "10 am-noon", 16: "noon-2 pm", 18: "2-4 pm", 20: "4-6 pm"},
    )
    assert f"Booked, Martin: {day}, {hours[start.hour]}." in text
    assert count_segments(text).segments == 1


@pytest.mark.parametrize(
    ("reply", "read_back"),
    [
        ("tomorrow 3 am", "Sorry, not Wed 4 Jun 3 am."),
        ("25 December 12:00", "Sorry, not Thu 25 Dec noon."),
        ("Sunday at 10", "Sorry, not Sun 8 Jun 10 am."),
        ("4 July 10 am", "Sorry, not Fri 4 Jul 10 am."),
        ("today at 4 pm", "Sorry, not Tue 3 Jun 4 pm."),
    ],
)
async def test_closed_hour_is_read_back_with_free_windows(
    line, texts, said, booked, reply, read_back
):
    """Night, a holiday, a Sunday, too soon or months away: nothing is booked."""
    await texts(reply)
    assert await booked(line) is None
    text = (await said(line))[-1]
    assert read_back in text
    assert "Free: 1)" in text
    assert count_segments(text).segments == 1


async def test_numbers_of_a_date_are_read_by_locale_and_read_back(asked, texts, said, booked):
    """12 March of the next year is no visit, and the reply says what was understood."""
    gwen = await asked(replace(OTHER, locale="en-GB"))
    await texts("12/3 at 10", sender=OTHER.phone)
    assert await booked(gwen) is None
    assert "Sorry, not 12 Mar 2026 10 am. Free: 1) Wed 4 Jun" in (await said(gwen))[-1]


async def test_offer_stands_until_its_window_begins(line, texts, said, booked, clock):
    """Whoever answers the next morning gets the window that the text offered them."""
    assert "1) Wed 4 Jun, 10 am-noon" in (await said(line))[-1]
    clock.move_to(datetime(2025, 6, 4, 12, tzinfo=UTC))
    await texts("2")
    assert (await booked(line)).answer_at == datetime(2025, 6, 4, 16, tzinfo=UTC)


async def test_day_alone_offers_the_windows_of_that_day(line, texts, said, booked):
    await texts("Friday")
    assert "1) Fri 6 Jun, 8-10 am 2) 10 am-noon 3) noon-2 pm" in (await said(line))[-1]
    await texts("2")
    assert (await booked(line)).answer_at == datetime(2025, 6, 6, 14, tzinfo=UTC)


async def test_full_window_is_offered_to_nobody_else(line, asked, texts, said, booked):
    """Another customer reads of the next windows, and a cancelled request frees its own."""
    await texts("1")
    gwen = await asked(OTHER)
    assert "1) Wed 4 Jun, noon-2 pm" in (await said(gwen))[-1]
    await texts("Wed 10 am", sender=OTHER.phone)
    assert await booked(gwen) is None
    assert "Sorry, not Wed 4 Jun 10 am. Free: 1) Wed 4 Jun, noon-2 pm" in (await said(gwen))[-1]


async def test_cancelled_request_frees_its_window(line, asked, organisation, texts, said):
    await texts("1")
    await organisation.run(cancel, line, reason="Moved away", by=SYSTEM_ACTOR)
    gwen = await asked(OTHER)
    assert "1) Wed 4 Jun, 10 am-noon" in (await said(gwen))[-1]


async def test_page_offers_days_with_free_windows(line, client, see, organisation, said):
    page: StatusPage = await see(line)
    assert page.question is not None
    assert [day.day for day in page.question.windows][:3] == ["Wed 4 Jun", "Thu 5 Jun", "Fri 6 Jun"]
    text = (await client.get(link(line))).text
    assert '<optgroup label="Wed 4 Jun"><option value="2025-06-04T10:00">' in text
    assert "datetime-local" not in text
    given = await client.post(
        f"{link(line)}/answers", data=form(line, "2025-06-04T14:00"), headers=FROM_PAGE
    )
    assert given.status_code == 303
    assert "Booked, Martin: Wed 4 Jun, 2-4 pm." in (await said(line))[-1]
    text = (await client.get(link(line))).text
    assert "Engineer visit: " in text
    assert "Wed 4 Jun, 2-4 pm" in text
    assert "Your home" in text
    assert "Please clear the hall." in text
    reloaded = await organisation.reload(line)
    assert (reloaded.status, reloaded.open_runs[0].due_at) == (
        RequestStatus.OPEN,
        datetime(2025, 6, 4, 20, tzinfo=UTC),
    )


@pytest.mark.parametrize("at", ["2025-06-04T03:00", "2025-12-25T12:00", "2025-06-03T15:00"])
async def test_page_books_no_closed_hour(line, client, booked, at):
    answer = await client.post(f"{link(line)}/answers", data=form(line, at), headers=FROM_PAGE)
    assert answer.status_code == 409
    assert await booked(line) is None


async def test_unclear_time_is_offered_free_windows_once(line, texts, said, organisation):
    """The second time a person reads it."""
    await texts("Friday or Saturday")
    assert "We can come 1) Wed 4 Jun" in (await said(line))[-1]
    await texts("Saturday or Sunday")
    assert (await organisation.reload(line)).promises


async def test_refused_windows_are_not_offered_again(
    line, texts, said, booked, organisation, clock
):
    """The next ones are, also where it is said twice; nobody owes an answer meanwhile."""
    assert "1) Wed 4 Jun, 10 am-noon 2) noon-2 pm 3) 2-4 pm" in (await said(line))[-1]
    await texts("None of these work for me")
    text = (await said(line))[-1]
    assert "We can come 1) Wed 4 Jun, 4-6 pm 2) Thu 5 Jun, 8-10 am 3) 10 am-noon" in text
    assert "answers the rest" not in text
    clock.shift(timedelta(minutes=2))
    await texts("None of these work for me")
    assert "We can come 1) Thu 5 Jun, noon-2 pm 2) 2-4 pm 3) 4-6 pm" in (await said(line))[-1]
    await texts("Wednesday")
    assert "Sorry, not Wed 4 Jun. Free: 1) Thu 5 Jun, noon-2 pm" in (await said(line))[-1]
    assert (await organisation.reload(line)).promises == []
    await texts("2")
    assert (await booked(line)).answer_at == datetime(2025, 6, 5, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    "words", ["neither", "other times please", "Ninguno me viene bien", "لا يناسبني أي منها"]
)
async def test_refusal_is_read_in_each_language(line, texts, said, words):
    await texts(words)
    assert "We can come 1) Wed 4 Jun, 4-6 pm" in (await said(line))[-1]


async def test_person_agrees_a_time_where_every_window_is_refused(clock, organisation, texts, said):
    """A named colleague, by a time that the text says."""
    short = ENGINEER.replace('key = "engineer"', 'key = "short"')
    await organisation.load(short.replace("capacity = 1", 'capacity = 1\nlatest = "2bd"'))
    line = await organisation.open("short", by=SYSTEM_ACTOR)
    await organisation.run(run_due_follow_ups, line, by=SYSTEM_ACTOR)
    await texts("none of these")
    assert "We can come 1) " in (await said(line))[-1]
    clock.shift(timedelta(minutes=2))
    await texts("none of these")
    text = (await said(line))[-1]
    assert " at Field Engineers will agree a time with you by " in text
    assert count_segments(text).segments == 1
    [promise] = (await organisation.reload(line)).promises
    assert promise.is_open
    assert promise.owner_id


async def test_languages_offer_and_confirm(asked, texts, said, booked):
    """Spanish in one segment, Arabic in its own order."""
    luisa = await asked(replace(OTHER, locale="es-US"))
    assert "¿Cuando puede ir el técnico? 1) mié 4 jun, 10:00-12:00" in (await said(luisa))[-1]
    await texts("1", sender=OTHER.phone)
    text = (await said(luisa))[-1]
    assert "Reservado, Gwen: mié 4 jun, 10:00-12:00." in text
    assert count_segments(text).segments == 1


async def test_confirmation_says_who_and_where_while_it_fits(line, texts, organisation):
    await texts("1")
    [text] = [
        message.body
        for message in await organisation.outbound_messages(line)
        if message.kind == MessageKind.ANSWER
    ]
    assert " comes." in text
    assert text.count("Booked") == 1


@pytest.mark.parametrize(
    "reply",
    [
        "Friday I am busy between 9 and 12",
        "Friday after 3 doesn't work",
        "On Friday I work from 2 to 4",
        "Friday at 3 I'm at the dentist",
        "I waited for you on Friday from 2 to 4",
        "el viernes estoy ocupado de 2 a 4",
    ],
)
async def test_time_at_which_the_customer_is_not_free_is_not_booked(
    line, texts, booked, organisation, reply
):
    await texts(reply)
    assert await booked(line) is None
    assert (await organisation.reload(line)).promises, "a person reads it"


@pytest.mark.parametrize(
    "reply", ["I'm home Friday after 3", "Friday after 3 works for me, thank you!"]
)
async def test_window_is_booked_beside_words_that_say_it_suits(line, texts, booked, reply):
    await texts(reply)
    assert (await booked(line)).answer_at == datetime(2025, 6, 6, 20, tzinfo=UTC)


async def test_owner_is_named_where_no_window_is_free(line, texts, said, organisation, monkeypatch):
    """The one who owes the answer, not the department alone."""

    async def none_free(*_, **__):
        return []

    monkeypatch.setattr("portal.operations.visits.replies.free_windows", none_free)
    await texts("Friday at 10")
    [promise] = (await organisation.reload(line)).promises
    people = vars(organisation.people).values()
    [owner] = [person for person in people if getattr(person, "id", None) == promise.owner_id]
    assert (
        f"Got it, Martin. {owner.name.split()[0]} at Field Engineers will answer"
        in (await said(line))[-1]
    )
    assert (await organisation.reload(line)).unanswered_since is not None


async def test_booked_visit_stands_at_the_top_of_the_page(line, texts, client):
    await texts("1")
    words = read(await client.get(link(line)))
    visit = "Engineer visit: Wed 4 Jun, 10 am-noon"
    assert visit in words
    in_order = [
        visit,
        "comes.",
        "Your home",
        "Change or cancel",
        "Add to my calendar",
        "has had it",
    ]
    places = [words.index(text) for text in in_order]
    assert places == sorted(places)
    assert words.count("Add to my calendar") == 1


async def test_time_beside_other_words_is_booked_and_a_person_reads_the_rest(
    line, texts, said, booked, organisation
):
    before = len(await said(line))
    await texts("sorry can we make it friday at 10 instead? my mum is in hospital")
    assert (await booked(line)).answer_at == datetime(2025, 6, 6, 14, tzinfo=UTC)
    [text] = (await said(line))[before:]
    assert "Booked, Martin: Fri 6 Jun, 10 am-noon." in text
    reloaded = await organisation.reload(line)
    [promise] = reloaded.promises
    assert promise.owner_id == reloaded.owner_id


@pytest.mark.parametrize(
    "words",
    [
        "friday at 10, but only if he brings a ladder",
        "friday at 10, or monday",
        "i was in hospital on friday at 10",
        "tomorrow at 3, my name was wrong on it",
        "is friday at 7 in the evening open?",
    ],
)
async def test_time_under_a_condition_is_not_booked(line, texts, booked, words):
    await texts(words)
    assert await booked(line) is None


async def test_time_without_windows_is_confirmed_once(organisation, clock, texts, said):
    """The message of the next stage would say again that it is booked."""
    keys = ("slot", "capacity", "visit", "place", "prepare", "hours", "holidays")
    lines = [line for line in ENGINEER.splitlines() if not line.startswith(keys)]
    await organisation.load("\n".join(lines))
    line = await organisation.open("engineer", by=SYSTEM_ACTOR)
    line = await organisation.run(run_due_follow_ups, line, by=SYSTEM_ACTOR)
    before = len(await said(line))
    await texts("Thursday at 10")
    [text] = (await said(line))[before:]
    assert "Booked, Martin: " in text
