"""Times and durations in the words of each language."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.messaging.wording.time_format import TimeFormatter

NOW = datetime(2026, 11, 24, 20, 30, tzinfo=UTC)
"""Tuesday afternoon, half past three in New York."""
WORDS = TimeFormatter("en", "America/New_York", NOW)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (WORDS.since(NOW - timedelta(days=1)), "yesterday, 3:30 pm"),
        (WORDS.since(NOW - timedelta(days=5)), "Thursday, 3:30 pm"),
        (WORDS.since(NOW - timedelta(days=7)), "Tue 17 Nov, 3:30 pm"),
        (WORDS.on(NOW - timedelta(days=5)), "on Thursday, 3:30 pm"),
        (WORDS.by(NOW + timedelta(hours=8)), "11:30 pm"),
        (WORDS.by(NOW + timedelta(hours=17, minutes=30)), "tomorrow, 9 am"),
        (WORDS.day(NOW + timedelta(days=60)), "23 Jan 2027"),
        (WORDS.stamp(NOW - timedelta(days=30)), "25 Oct"),
        (WORDS.length(timedelta(seconds=3)), "1 minute"),
        (WORDS.length(timedelta(hours=24)), "1 day"),
        (WORDS.clock(datetime(2026, 11, 24, 5, 0, tzinfo=UTC)), "midnight"),
        (WORDS.by(datetime(2026, 11, 25, 17, tzinfo=UTC)), "tomorrow, noon"),
        (TimeFormatter("es", "Europe/Madrid", NOW).since(NOW), "hoy a las 21:30"),
        (
            TimeFormatter("en", "Asia/Tokyo", NOW).since(NOW - timedelta(hours=10)),
            "yesterday, 7:30 pm",
        ),
    ],
)
def test_times_are_written_in_plain_words(said: str, words: str) -> None:
    assert said == words


@pytest.mark.parametrize(
    ("locale", "days", "words"),
    [
        ("en", 0.2, "1 day"),
        ("en", 8.5, "9 days"),
        ("en", 29, "5 weeks"),
        ("es", 6, "6 días"),
        ("es", 29, "5 semanas"),
        ("ar", 6, "6 أيام"),
        ("ar", 14, "أسبوعان"),
    ],
)
def test_long_durations_are_rounded_up(locale: str, days: float, words: str) -> None:
    assert TimeFormatter(locale, "UTC", NOW).about(timedelta(days=days)) == words


def test_midnight_is_correct_across_clock_changes() -> None:
    """On 1 November 2026 New York's day has 25 hours."""
    noon = datetime(2026, 11, 1, 17, 0, tzinfo=UTC)
    midnight = TimeFormatter("en", "America/New_York", noon).next_midnight()
    assert midnight == datetime(2026, 11, 2, 5, 0, tzinfo=UTC)
