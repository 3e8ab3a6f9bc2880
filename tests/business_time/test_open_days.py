"""Dates in plain days end on a day on which the department is open."""

from datetime import UTC, datetime

import pytest

from portal.business_time import Duration, business_calendar

SHOP = business_calendar("Mon-Fri 09:00-17:00; Sat 10:00-13:00", "Europe/London", "GB-ENG")
NIGHT = business_calendar("Fri 22:00-06:00", "UTC")


def at(day: int, hour: int, month: int = 12) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "open_day"),
    [
        (at(4, 11), at(4, 11)),  # Friday
        (at(4, 23), at(4, 23)),  # late on Friday: that day is an open day
        (at(6, 11), at(7, 11)),  # Sunday
        (at(6, 3), at(7, 9)),  # Sunday night: not before the opening
        (at(6, 22), at(7, 17)),  # Sunday evening: not after the closing
        (at(25, 11), at(29, 11)),  # Christmas Day; Boxing Day's substitute is Monday
    ],
)
def test_moment_on_a_closed_day_moves_to_the_next_open_day(
    moment: datetime, open_day: datetime
) -> None:
    assert SHOP.on_open_day(moment) == open_day


def test_saturday_morning_belongs_to_an_overnight_period() -> None:
    assert NIGHT.on_open_day(at(5, 3)) == at(5, 3)
    assert NIGHT.on_open_day(at(5, 12)) == at(11, 22)


def test_calendar_that_never_closes_moves_nothing() -> None:
    assert business_calendar().on_open_day(at(6, 3)) == at(6, 3)


@pytest.mark.parametrize(
    ("duration", "end"), [("3d", at(7, 11)), ("2d", at(5, 11)), ("72h", at(6, 11))]
)
def test_only_plain_days_end_on_an_open_day(duration: str, end: datetime) -> None:
    assert SHOP.add_to_open_day(at(3, 11), Duration.parse(duration)) == end
