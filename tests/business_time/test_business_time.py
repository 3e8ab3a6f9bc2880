"""Business time: durations, hours, holidays and daylight saving time."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from hypothesis import example, given, settings
from hypothesis import strategies as st

from portal import business_time
from portal.business_time import ALWAYS_OPEN, Duration, OpeningHours, business_calendar
from tests.business_time.oracle import MINUTE, calendars, open_minutes, starts

NEW_YORK = business_calendar("Mon-Fri 09:00-17:30", "America/New_York", "US")


def moment(text: str, zone: str = "America/New_York") -> datetime:
    """A moment by its local time."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def test_now_is_aware_utc_and_tests_can_set_it() -> None:
    with time_machine.travel(datetime(2026, 11, 24, 14, 5, tzinfo=UTC), tick=False):
        assert business_time.now() == datetime(2026, 11, 24, 14, 5, tzinfo=UTC)
        assert business_time.now().tzinfo is UTC


@pytest.mark.parametrize("text", ["90s", "15m", "4h", "2d", "4bh", "2bd", "0s"])
def test_duration_prints_as_it_was_written(text: str) -> None:
    assert str(Duration.parse(text)) == text


@pytest.mark.parametrize("text", ["", "4", "bh", "-4h", "1.5h", "4 h", "4hours", "1h30m", "٤h"])
def test_invalid_duration_is_rejected_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a duration\. Write a whole number and a unit"):
        Duration.parse(text)


def test_duration_over_ten_years_is_rejected() -> None:
    with pytest.raises(ValueError, match="longer than ten years"):
        Duration.parse("999999999bd")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "names no hours"),
        ("Mon-Fri", "names no hours"),
        ("09:00-17:00", "has no day before it"),
        ("Mon-Fry 09:00-17:00", "is not a day"),
        ("Mon-Wed-Fri 09:00-17:00", "is not a range of days"),
        ("Mon 9-5", "is not a range of hours"),
        ("Mon 09:00-25:00", "no clock shows"),
        ("Mon 09:00-17:60", "no clock shows"),
        ("Mon 09:00-09:00", "no time at all"),
        ("Mon 09:00-12:00, 11:00-15:00", "overlap"),
        ("Sun 22:00-06:00; Mon 05:00-09:00", "overlap"),
    ],
)
def test_invalid_opening_hours_are_rejected_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        OpeningHours.parse(text)


def test_opening_hours_accept_breaks_day_lists_and_long_names() -> None:
    assert OpeningHours.parse("Mon-Tue 09:00-12:00, 13:00-17:30; Sat 10:00-14:00").week == (
        ((540, 720), (780, 1050)),
        ((540, 720), (780, 1050)),
        (),
        (),
        (),
        ((600, 840),),
        (),
    )
    assert OpeningHours.parse("mon, wednesday 09:00-12:00") == OpeningHours.parse(
        "Wed 9:00-12:00; Mon 9:00-12:00"
    )
    assert OpeningHours.parse("Sat-Mon 22:00-06:00").week[0] == ((1320, 1800),)
    assert OpeningHours.parse(None).is_always_open
    assert OpeningHours.parse("always") == OpeningHours.parse("Mon-Sun 00:00-24:00")


@pytest.mark.parametrize("name", ["", "Nowhere/Land", "../etc/passwd", "America", "a\0b"])
def test_unknown_time_zone_is_rejected(name: str) -> None:
    with pytest.raises(ValueError, match="is not a time zone"):
        business_calendar(None, name)


@pytest.mark.parametrize("place", ["", "XX", "us", "US-XX", "GB-"])
def test_unknown_holiday_region_is_rejected(place: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        business_calendar(None, "UTC", place)


def test_naive_datetime_is_rejected() -> None:
    with pytest.raises(ValueError, match="without a time zone"):
        NEW_YORK.is_open(datetime(2026, 11, 24, 12, 0))  # noqa: DTZ001 - refused


@pytest.mark.parametrize(
    ("start", "duration", "end"),
    [
        ("2026-11-24 10:00", "4bh", "2026-11-24 14:00"),
        ("2026-11-24 16:00", "4bh", "2026-11-25 11:30"),  # overnight
        ("2026-11-24 16:30", "1bh", "2026-11-24 17:30"),  # to the minute of closing
        ("2026-11-25 16:00", "4bh", "2026-11-27 11:30"),  # Thanksgiving is no working day
        ("2026-11-21 12:00", "1bh", "2026-11-23 10:00"),  # begun on a Saturday
        ("2026-11-24 10:15", "1bd", "2026-11-25 10:15"),
        ("2026-11-25 10:15", "1bd", "2026-11-27 10:15"),  # Thanksgiving again
        ("2026-11-24 10:15", "3bd", "2026-11-30 10:15"),
        ("2026-11-20 18:00", "1bd", "2026-11-24 09:00"),  # from Monday's opening
        ("2026-11-24 18:00", "2d", "2026-11-26 18:00"),  # days always run
        ("2026-11-21 12:00", "0bh", "2026-11-21 12:00"),
        ("2026-11-21 12:00", "0bd", "2026-11-21 12:00"),
        ("2026-03-06 16:30", "2bh", "2026-03-09 10:00"),  # over the night that skips an hour
        ("2026-03-06 10:00", "1bd", "2026-03-09 10:00"),
        ("2026-03-07 10:00", "1d", "2026-03-08 11:00"),  # 24 hours are 24 hours
    ],
)
def test_durations_end_at_the_expected_business_time(start: str, duration: str, end: str) -> None:
    assert NEW_YORK.add(moment(start), Duration.parse(duration)) == moment(end)


def test_business_day_on_a_shorter_day_ends_at_closing_time() -> None:
    shop = business_calendar("Mon-Fri 09:00-18:00; Sat 10:00-14:00")
    friday = datetime(2026, 11, 27, tzinfo=UTC)
    day = Duration.parse("1bd")
    assert shop.add(friday + hours(16), day) == friday + hours(24 + 14)
    assert shop.add(friday + hours(9), day) == friday + hours(24 + 10)


def test_business_day_of_a_night_shift_ends_the_next_night() -> None:
    bakery = business_calendar("Mon-Fri 22:00-06:00")
    saturday_morning = datetime(2026, 11, 28, 2, tzinfo=UTC)
    assert bakery.is_open(saturday_morning)
    assert bakery.add(saturday_morning, Duration.parse("1bd")) == datetime(
        2026, 12, 1, 2, tzinfo=UTC
    )


def test_business_day_without_closing_time_is_24_hours() -> None:
    start = moment("2026-11-21 12:00")
    assert ALWAYS_OPEN.add(start, Duration.parse("2bd")) == start + timedelta(days=2)
    assert ALWAYS_OPEN.add(start, Duration.parse("3bh")) == start + hours(3)
    assert ALWAYS_OPEN.is_open(start)
    assert ALWAYS_OPEN.elapsed(start, start + hours(30)) == hours(30)


@pytest.mark.parametrize(
    ("zone", "start", "end"),
    [
        ("Africa/Cairo", "2026-04-22 15:00", "2026-04-24 15:00"),  # no midnight on the 24th
        ("Africa/Cairo", "2026-04-22 00:30", "2026-04-24 01:00"),
        ("Asia/Beirut", "2026-03-27 15:00", "2026-03-29 15:00"),
        ("America/Santiago", "2026-09-04 23:30", "2026-09-06 23:30"),
        ("America/Santiago", "2026-04-03 23:30", "2026-04-05 23:30"),
        ("Australia/Lord_Howe", "2026-10-02 09:15", "2026-10-04 09:15"),  # half an hour
        ("Asia/Kathmandu", "2026-04-22 15:00", "2026-04-24 15:00"),  # 5:45 from UTC
    ],
)
@pytest.mark.parametrize("hours_of_day", ["Mon-Sun 00:00-24:00", "Mon-Sun 00:00-23:59", "always"])
def test_business_days_around_the_clock_end_at_the_same_local_time(
    hours_of_day: str, zone: str, start: str, end: str
) -> None:
    """Also over a midnight that is skipped, or that is there twice."""
    calendar = business_calendar(hours_of_day, zone)
    assert calendar.add(moment(start, zone), Duration.parse("2bd")) == moment(end, zone)
    assert calendar.next_open(moment(end, zone)) == moment(end, zone)


@pytest.mark.parametrize("text", ["Mon-Sun 00:00-23:59", "Mon-Sun 00:00-12:00, 12:00-23:59"])
def test_last_minute_of_the_day_is_not_lost(text: str) -> None:
    calendar = business_calendar(text, "America/New_York")
    start = moment("2026-11-24 10:00")
    assert calendar.is_always_open
    assert calendar.elapsed(start, start + hours(24 * 7)) == hours(24 * 7)
    assert str(calendar.hours) == text
    weekdays = business_calendar("Mon-Fri 08:00-23:59", "America/New_York")
    assert weekdays.elapsed(start, start + hours(24)) == hours(14 + 2)


def test_always_open_calendar_closes_on_holidays() -> None:
    hotline = business_calendar("always", "Europe/London", "GB")
    christmas = moment("2026-12-25 12:00", "Europe/London")
    assert not hotline.is_open(christmas)
    assert hotline.next_open(christmas) == moment("2026-12-27 00:00", "Europe/London")
    assert hotline.elapsed(christmas - hours(13), christmas + hours(37)) == hours(2)


def test_regions_have_their_own_holidays() -> None:
    scotland = business_calendar("Mon-Fri 09:00-17:00", "Europe/London", "GB-SCT")
    england = business_calendar("Mon-Fri 09:00-17:00", "Europe/London", "GB-ENG")
    second_of_january = datetime(2026, 1, 2, 12, tzinfo=UTC)
    assert england.is_open(second_of_january)
    assert not scotland.is_open(second_of_january)


def test_opening_and_closing_time_of_a_day() -> None:
    assert NEW_YORK.is_open(moment("2026-11-24 09:00"))
    assert not NEW_YORK.is_open(moment("2026-11-24 17:30"))
    assert NEW_YORK.next_open(moment("2026-11-24 17:30")) == moment("2026-11-25 09:00")
    assert NEW_YORK.next_open(moment("2026-11-24 12:00")) == moment("2026-11-24 12:00")


def test_skipped_hour_is_not_counted_and_repeated_hour_counts_twice() -> None:
    night = business_calendar("Mon-Sun 01:00-04:00", "America/New_York")
    spring, autumn = moment("2026-03-08 00:00"), moment("2026-11-01 00:00")
    assert night.elapsed(spring, spring + hours(8)) == hours(2)
    assert night.elapsed(autumn, autumn + hours(8)) == hours(4)
    in_the_gap = business_calendar("Sun 02:10-02:50", "America/New_York")
    assert in_the_gap.elapsed(spring, spring + hours(8)) == hours(0)


def test_skipped_calendar_day_has_no_working_time() -> None:
    """Samoa went from 29 to 31 December 2011."""
    samoa = business_calendar("Mon-Sun 00:00-24:00", "Pacific/Apia", "WS")
    start = moment("2011-12-29 00:00", "Pacific/Apia")
    assert samoa.elapsed(start, moment("2011-12-31 12:00", "Pacific/Apia")) == hours(36)


def test_opening_hours_that_never_occur_are_rejected() -> None:
    never = business_time.BusinessCalendar(
        OpeningHours(week=((),) * 7, text="never"), ZoneInfo("UTC")
    )
    with pytest.raises(ValueError, match="no working day in a year"):
        never.next_open(business_time.now())


def test_business_time_resumes_where_it_paused() -> None:
    """A pause: due minus now is stored before it, and added after it."""
    opened, due = moment("2026-11-24 10:00"), moment("2026-11-25 12:00")
    paused, resumed = moment("2026-11-24 15:00"), moment("2026-11-28 08:00")
    left = NEW_YORK.elapsed(paused, due)
    new_due = NEW_YORK.add_open_time(resumed, left)
    assert new_due == moment("2026-11-30 14:30")
    worked = NEW_YORK.elapsed(opened, paused) + NEW_YORK.elapsed(resumed, new_due)
    assert worked == NEW_YORK.elapsed(opened, due)


def test_calendar_that_never_closes_counts_days() -> None:
    assert NEW_YORK.calendar_for(Duration.parse("2d")) is ALWAYS_OPEN
    assert NEW_YORK.calendar_for(Duration.parse("2bd")) is NEW_YORK


def test_adding_negative_time_is_rejected() -> None:
    with pytest.raises(ValueError, match="backwards"):
        NEW_YORK.add_open_time(business_time.now(), -MINUTE)
    assert NEW_YORK.elapsed(moment("2026-11-24 12:00"), moment("2026-11-24 11:00")) == hours(0)


# Against a slow reference: a colleague who looks up every minute (tests/business_time/oracle.py).


@settings(max_examples=120, deadline=None)
@given(calendars, starts, st.integers(0, 3 * 24 * 60))
@example(NEW_YORK, moment("2026-11-25 17:00"), 2 * 24 * 60)
def test_elapsed_and_next_open_match_the_minute_oracle(
    calendar: business_time.BusinessCalendar, start: datetime, minutes: int
) -> None:
    looked = open_minutes(calendar, start, minutes)
    assert calendar.elapsed(start, start + minutes * MINUTE) == sum(looked) * MINUTE
    for n in range(0, minutes, 97):
        assert calendar.is_open(start + n * MINUTE) is looked[n]
    first = calendar.next_open(start)
    if True in looked:
        assert first == start + looked.index(True) * MINUTE
    else:
        assert first >= start + minutes * MINUTE


@settings(max_examples=300, deadline=None)
@given(calendars, starts, st.timedeltas(timedelta(0), timedelta(days=20)))
def test_added_business_time_equals_elapsed_business_time(
    calendar: business_time.BusinessCalendar, start: datetime, open_duration: timedelta
) -> None:
    end = calendar.add_open_time(start, open_duration)
    assert calendar.elapsed(start, end) == open_duration
    if open_duration:
        assert calendar.elapsed(start, end - timedelta(microseconds=1)) < open_duration


@settings(max_examples=200, deadline=None)
@given(calendars, starts, st.integers(1, 15))
def test_business_days_add_one_by_one_and_end_in_opening_hours(
    calendar: business_time.BusinessCalendar, start: datetime, days: int
) -> None:
    earlier, later = (calendar.add(start, Duration(count, "bd")) for count in (days, days + 1))
    assert start < earlier < later
    assert calendar.elapsed(earlier, later) > timedelta(0)
    assert calendar.next_open(start) < earlier
