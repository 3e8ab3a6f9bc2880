"""A time in a reply is read if it is unambiguous; otherwise the reply goes to staff."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from portal.messaging.intents.appointment_times import AppointmentTimeParser

NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2025, 6, 3, 14, 0, tzinfo=UTC)
"""A Tuesday; in New York it is 10 in the morning."""


def read(text: str, locale: str = "en", **more: bool) -> str | None:
    """The time on New York's clocks."""
    at = AppointmentTimeParser("America/New_York", locale, NOW).read(text, **more)
    return f"{at.astimezone(NEW_YORK):%Y-%m-%d %H:%M}" if at else None


@pytest.mark.parametrize(
    ("text", "locale", "at"),
    [
        ("tomorrow at 10", "en", "2025-06-04 10:00"),
        ("Tomorrow 10am", "en", "2025-06-04 10:00"),
        ("tmrw at 3pm please!", "en", "2025-06-04 15:00"),
        ("Wednesday at 2", "en", "2025-06-04 14:00"),
        ("yes, friday at 2:30 p.m.", "en", "2025-06-06 14:30"),
        ("friday at 8 pm", "en", "2025-06-06 20:00"),
        ("sat 11", "en", "2025-06-07 11:00"),
        ("half past 2 tomorrow", "en", "2025-06-04 14:30"),
        ("Wednesday at noon", "en", "2025-06-04 12:00"),
        ("the 24th at 10", "en", "2025-06-24 10:00"),
        ("Nov 24 2pm", "en", "2025-11-24 14:00"),
        ("24 November, 14:00", "en", "2025-11-24 14:00"),
        ("2025-11-24 14:00", "en", "2025-11-24 14:00"),
        ("May 5 at 3pm", "en", "2026-05-05 15:00"),
        ("today at 5", "en", "2025-06-03 17:00"),
        ("12/3 at 2pm", "en-US", "2025-12-03 14:00"),
        ("12/3 at 2pm", "en-GB", "2026-03-12 14:00"),
        ("13/6 at 9", "en", "2025-06-13 09:00"),
        ("next Tuesday at 2pm", "en", None),
        ("mañana a las 10", "es", "2025-06-04 10:00"),
        ("mañana a las 3 de la tarde", "es", "2025-06-04 15:00"),
        ("mañana a las 10 de la mañana", "es", "2025-06-04 10:00"),
        ("el viernes a las 3", "es", "2025-06-06 15:00"),
        ("pasado mañana a las 2 y media", "es", "2025-06-05 14:30"),
        ("el 24 de noviembre a las 10", "es", "2025-11-24 10:00"),
        ("hoy a las 5", "es", "2025-06-03 17:00"),
        ("miércoles al mediodía", "en", "2025-06-04 12:00"),
        ("el viernes a las 10 y 20", "es", "2025-06-06 10:20"),
        ("el viernes a las 10 y veinte", "es", "2025-06-06 10:20"),
        ("el viernes a las 5 menos 20", "es", "2025-06-06 16:40"),
        ("viernes tarde a las 8", "es", "2025-06-06 20:00"),
        ("viernes noche a las 8", "es", "2025-06-06 20:00"),
        ("tonight at 8", "en", "2025-06-03 20:00"),
        ("esta noche a las 9", "es", "2025-06-03 21:00"),
        ("esta tarde a las 5", "es", "2025-06-03 17:00"),
        ("friday night at 8", "en", "2025-06-06 20:00"),
    ],
)
def test_time_is_read_in_the_customers_time_zone(text: str, locale: str, at: str | None) -> None:
    """By English and Spanish words, whatever the customer's locale says."""
    assert read(text, locale) == at


@pytest.mark.parametrize(
    "text",
    [
        "12/3 at 2pm", "12/3", "tomorrow", "tomorrow morning", "Tuesday at 2pm", "at 3", "2",
        "thursday between 2 and 4", "Monday or Tuesday at 2", "after 5 tomorrow", "30 Feb at 2pm",
        "tomorrow at 25:99", "today at 9", "mañana por la mañana", "not tuesday at 2", "",
        "1/1/2024 at 2pm", "Friday the 5th at 2", "\x00", "9" * 2_000, "tomorrow at 10 2026-06-09",
        "tomorrow at 10 at 11", "Friday half 3", "Friday half ten", "Friday ten to 3", "Friday by 3",
        "Friday at 3 30", "Friday from 3", "Friday 3pm EST", "Friday at 3 for 2 hours",
        "Friday at 3 or so", "Friday morning at 2", "Friday late 8", "tomorrow at 10 and a half",
        "viernes 10 y media", "viernes a las 10 y tres cuartos", "viernes a las 12 de la noche",
        "viernes sobre las 3", "viernes a las 2 de la madrugada", "viernes a las 3 y pico",
        "viernes 12 de la noche", "Friday night at 2", "viernes noche a la 1", "Friday noon 30",
        "el viernes llego tarde, a las 9", "Friday 3pm ET", "Friday 3pm PT", "tonight at 2",
    ],
)  # fmt: skip
def test_ambiguous_or_impossible_time_goes_to_staff(text: str) -> None:
    assert read(text) is None


def test_hour_alone_means_its_next_occurrence() -> None:
    """Where only a moment is asked for: "call me at 3"."""
    assert read("call me at 3", day_needed=False) == "2025-06-03 15:00"
    assert read("call me at 9", day_needed=False) == "2025-06-04 09:00"
    assert read("call me", day_needed=False) is None
