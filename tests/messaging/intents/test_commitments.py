"""Commitments in a message of staff: the text, the deadline, and sentences that are none."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from portal.business_time import business_calendar
from portal.messaging.intents.commitments import extract_commitments, parse_promise_line
from portal.messaging.intents.deadlines import DeadlineParser

NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2025, 6, 3, 14, 0, tzinfo=UTC)
"""A Tuesday; in New York it is 10 in the morning."""
OFFICE = DeadlineParser(business_calendar("Mon-Fri 09:00-17:30", "America/New_York"), NOW)


def said(at: datetime | None) -> str | None:
    return f"{at.astimezone(NEW_YORK):%a %d %b %H:%M}" if at else None


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("tomorrow 3pm", "Wed 04 Jun 15:00"),
        ("by Friday", "Fri 06 Jun 17:30"),
        ("within 2 hours", "Tue 03 Jun 12:00"),
        ("mon 10", "Mon 09 Jun 10:00"),
        ("in half an hour", "Tue 03 Jun 10:30"),
        ("within 2 working days", "Thu 05 Jun 10:00"),
        ("by the end of the day", "Tue 03 Jun 17:30"),
        ("by eod tomorrow", "Wed 04 Jun 17:30"),
        ("tomorrow morning", "Wed 04 Jun 12:00"),
        ("friday morning at 9", "Fri 06 Jun 09:00"),
        ("this afternoon", "Tue 03 Jun 17:30"),
        ("tonight at 8", "Tue 03 Jun 20:00"),
        ("before 4 pm", "Tue 03 Jun 16:00"),
        ("by 3:30 p.m. on Friday", "Fri 06 Jun 15:30"),
        ("tomorrow between 2 and 4", "Wed 04 Jun 16:00"),
        ("by 9", "Wed 04 Jun 09:00"),
        ("by the end of next week", "Fri 13 Jun 17:30"),
        ("at 3 today about Friday's delivery", "Tue 03 Jun 15:00"),
        ("mañana a las 3", "Wed 04 Jun 15:00"),
        ("antes del viernes", "Fri 06 Jun 17:30"),
        ("dentro de media hora", "Tue 03 Jun 10:30"),
        ("esta tarde", "Tue 03 Jun 17:30"),
        ("today 9am", "Tue 03 Jun 09:00"),
        ("soon", None),
        ("about 5 forms", None),
        ("after 3", None),
        ("tomorrow or Friday", None),
        ("Tuesday or Friday", None),
        ("tomorrow at 25:99", None),
        ("your letter of Friday", None),
        ("9" * 2_000, None),
        ("by " * 600, None),
    ],
)
def test_deadline_in_staff_text_is_parsed(text: str, at: str | None) -> None:
    """On the department's clocks; a day ends when the department does; one that has been is read."""
    found = OFFICE.read(text)
    assert said(found.at if found else None) == at


def test_end_of_day_for_always_open_department() -> None:
    always = business_calendar(None, "America/New_York")
    for hour, at in ((14, "Tue 03 Jun 17:00"), (22, "Tue 03 Jun 23:59")):
        found = DeadlineParser(always, NOW.replace(hour=hour)).read("by today")
        assert found is not None
        assert said(found.at) == at


@pytest.mark.parametrize(
    ("line", "does", "kind", "told"),
    [
        ("call back tomorrow 3pm", "Call back", "call", "I will call back"),
        ("call her mon 10", "Call her", "call", "I will call you"),
        ("send the form by Friday", "Send the form", "other", "I will send the form"),
        ("answer within 2 hours", "Answer", "answer", "I will answer"),
        ("I'll get back to them by eod", "Get back to them", "answer", "I will get back to you"),
        ("send him the form on Friday", "Send him the form", "other", "I will send you the form"),
        ("send her card by Friday", "Send her card", "other", "I will send her card"),
        ("check the fee and call her back by 5pm", "Check the fee and call her back", "call",
         "I will check the fee and call you back"),
        ("llamar mañana a las 3", "Llamar", "call", "Voy a llamar"),
        ("A new card by Friday", "A new card", "other", "A new card"),
    ],
)  # fmt: skip
def test_promise_line_yields_text_and_deadline(line: str, does: str, kind: str, told: str) -> None:
    """To staff in their own words, to the customer in the first person."""
    promised, shown = parse_promise_line(line, OFFICE)
    assert (shown, promised.kind, promised.text) == (does, kind, told)
    assert promised.at


@pytest.mark.parametrize(
    ("body", "promises"),
    [
        ("I'll get right back to you.", ["answer"]),
        ("I will call you tomorrow at 3.", ["call Wed 04 Jun 15:00"]),
        ("We'll send it by Friday", ["other Fri 06 Jun 17:30"]),
        ("Thank you. I\u2019ll look into it and call you back by 5pm.", ["call Tue 03 Jun 17:00"]),
        ("We will get back to you within 2 hours.", ["answer Tue 03 Jun 12:00"]),
        ("I'll check and let you know today.", ["answer Tue 03 Jun 17:30"]),
        ("I'm going to call you this afternoon.", ["call Tue 03 Jun 17:30"]),
        ("Let me find out and get back to you.", ["answer"]),
        ("Will call you tomorrow morning.", ["call Wed 04 Jun 12:00"]),
        ("I'll be in touch on Friday.", ["answer Fri 06 Jun 17:30"]),
        ("I'll give you a call at 3 p.m. tomorrow. Best, Tess", ["call Wed 04 Jun 15:00"]),
        ("We'll refund you by Friday.", ["other Fri 06 Jun 17:30"]),
        ("I'll send you the form.", ["other"]),
        ("You will hear from me by noon tomorrow.", ["answer Wed 04 Jun 12:00"]),
        ("Ill call you back in 10 minutes", ["call Tue 03 Jun 10:10"]),
        ("I promise to write to you on Monday.", ["answer Mon 09 Jun 17:30"]),
        ("I'll call you as soon as I can.", ["call"]),
        ("I'll look into it. We'll send the form today and I'll call you tomorrow at 3.",
         ["other Tue 03 Jun 17:30", "call Wed 04 Jun 15:00"]),
        ("I'll call you. I'll call you at 3.", ["call Tue 03 Jun 15:00"]),
        ("Te llamo mañana a las 3.", ["call Wed 04 Jun 15:00"]),
        ("Le llamaré mañana.", ["call Wed 04 Jun 17:30"]),
        ("Voy a llamarle el viernes a las 10.", ["call Fri 06 Jun 10:00"]),
        ("Le responderemos hoy.", ["answer Tue 03 Jun 17:30"]),
        ("Me pondré en contacto con usted mañana.", ["answer Wed 04 Jun 17:30"]),
        ("Se lo enviamos antes del viernes.", ["other Fri 06 Jun 17:30"]),
    ],
)  # fmt: skip
def test_first_person_statements_are_commitments(body: str, promises: list[str]) -> None:
    """With the time that is named, and without one where none is."""
    found = extract_commitments(body, OFFICE)
    assert [f"{item.kind} {said(item.at) or ''}".strip() for item in found] == promises


@pytest.mark.parametrize(
    "body",
    [
        "You will receive your card on Friday.", "I called you yesterday.", "Will you call?",
        "Will you call me tomorrow?", "If you send it, I'll call you tomorrow.",
        "I'll call you if there is news.", "We will never call you to ask for your PIN.",
        "We'll not call you again.", "I won't call you tomorrow.",
        "I'll try to call you tomorrow.", "Can I call you tomorrow at 3?",
        "I could call you tomorrow.", "Your card will arrive by Friday.",
        "The courier will call you tomorrow.", 'He said "I will call you tomorrow".',
        "You said I will call you.", "Please call us tomorrow.",
        "I'll be out of the office until Monday.", "I'll be back on Monday.",
        "We will call you before delivery.", "We always call you back.",
        "Shall we call you tomorrow at 3?", "I'll be happy to help.",
        "I have sent it today.", "When it ships, we'll text you.",
        "I'll send you the link: https://kept.example.com/x", "We'll keep your card safe.",
        "I'll ask the courier to call you tomorrow.", "I'll call you when it is ready.",
        "We will not be able to call you tomorrow.", "I would call tomorrow at 3.",
        "We will wait for your call tomorrow.", "I will probably call you tomorrow.",
        "We'll send your card in the post.", "> I'll call you tomorrow at 3", "", "\x00",
        "No te llamaré mañana.", "Si quiere, le llamo mañana.", "¿Le llamo mañana a las 3?",
        "Su tarjeta llega el viernes.", "Le llamé ayer.", "Se lo envió el viernes.",
    ],
)  # fmt: skip
def test_questions_conditions_and_reports_are_no_commitments(body: str) -> None:
    assert extract_commitments(body, OFFICE) == []


@pytest.mark.parametrize(
    "word", ["I'll ", "call you ", "tomorrow ", "by 3 ", "“", "a.m. ", "9" * 10]
)
def test_long_input_is_parsed_quickly(word: str) -> None:
    """Whatever somebody sends through the API, a letter holds nobody up."""
    extract_commitments(word * (1_600 // len(word)), OFFICE)
