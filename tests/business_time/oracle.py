"""A slow reference for business time, which checks every minute."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from hypothesis import strategies as st

from portal.business_time import BusinessCalendar, business_calendar

MINUTE = timedelta(minutes=1)
DAY = 24 * 60

WEEKS = [
    "Mon-Fri 09:00-17:30",
    "Mon-Fri 09:00-12:00, 13:00-17:30; Sat 10:00-14:00",
    "Mon-Sun 22:00-06:00",
    "Fri-Mon 00:30-02:15, 02:20-02:40, 03:10-05:00",
    "Sat 20:00-04:00; Sun 12:00-01:30",
]
ZONES = [
    "America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Casablanca",
]  # fmt: skip


@st.composite
def weeks(draw: st.DrawFn) -> str:
    """Any hours with a break, on any days, and shorter ones on another day."""
    opens, rests, goes_on, closes = sorted(
        draw(st.lists(st.integers(0, 24 * 12), min_size=4, max_size=4, unique=True))
    )
    days = draw(st.sampled_from(["Mon-Fri", "Tue, Thu", "Sun-Wed", "Mon, Wed-Fri"]))
    return (
        f"{days} {shown(opens)}-{shown(rests)}, {shown(goes_on)}-{shown(closes)};"
        f" Sat {shown(opens)}-{shown(rests)}"
    )


def shown(fives: int) -> str:
    """The time so many times five minutes after midnight."""
    return f"{fives // 12:02}:{fives % 12 * 5:02}"


calendars = st.builds(
    business_calendar,
    st.one_of(st.sampled_from(WEEKS), weeks()),
    st.sampled_from(ZONES),
    st.sampled_from([None, "US"]),
)


def minutes_after(start: datetime, days: int) -> st.SearchStrategy[datetime]:
    """Any whole minute of the days after `start`."""
    return st.integers(0, days * DAY).map(lambda minute: start + minute * MINUTE)


# Around the changes of the clocks in 2026 and Thanksgiving, and any other minute of the year.
starts = st.one_of(
    *(
        minutes_after(datetime(2026, month, day, tzinfo=UTC), days=4)
        for month, day in [
            (2, 13), (3, 6), (3, 20), (3, 27), (4, 3), (10, 2), (10, 23), (10, 30), (11, 24),
        ]
    ),
    minutes_after(datetime(2026, 1, 1, tzinfo=UTC), days=365),
)  # fmt: skip


def open_minutes(calendar: BusinessCalendar, start: datetime, minutes: int) -> list[bool]:
    """For each minute from `start` on, whether the department works in it."""
    midnight = start.replace(hour=0, minute=0)
    begun = int((start - midnight) / MINUTE)
    looked: list[bool] = []
    while len(looked) < begun + minutes:
        looked += open_minutes_of_day(calendar, midnight + len(looked) * MINUTE)
    return looked[begun : begun + minutes]


@lru_cache(maxsize=4096)
def open_minutes_of_day(calendar: BusinessCalendar, midnight: datetime) -> list[bool]:
    """Each minute of a day, by a wall clock that stops while daylight saving time ends."""
    held = datetime.min  # noqa: DTZ901 - on the wall
    answers = []
    for n in range(-180, DAY):
        wall = (midnight + n * MINUTE).astimezone(calendar.zone).replace(tzinfo=None)
        held = max(held, wall)
        if n >= 0:
            answers.append(
                is_working_minute(calendar, held.date(), held) or works_overnight(calendar, held)
            )
    return answers


def works_overnight(calendar: BusinessCalendar, held: datetime) -> bool:
    return is_working_minute(calendar, held.date() - timedelta(days=1), held)


def is_working_minute(calendar: BusinessCalendar, day: date, held: datetime) -> bool:
    if calendar.holidays and day in US_HOLIDAYS:
        return False
    minute = (held - datetime(day.year, day.month, day.day)) / MINUTE  # noqa: DTZ001 - on the wall
    return any(start <= minute < until for start, until in calendar.hours.week[day.weekday()])


US_HOLIDAYS = {
    date(2026, month, day)
    for month, day in [
        (1, 1), (1, 19), (2, 16), (5, 25), (6, 19), (7, 3), (7, 4), (9, 7), (10, 12), (11, 11),
        (11, 26), (12, 25),
    ]
} | {date(2027, 1, day) for day in (1, 18)}  # fmt: skip
