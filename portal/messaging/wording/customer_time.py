"""Adds the customer's own time to an hour that staff write, where their clocks differ."""

import re
from datetime import datetime, timedelta

from portal.business_time import BusinessCalendar, TimeWindow
from portal.messaging.intents.deadlines import DeadlineParser
from portal.messaging.wording.renderer import fill_template, product_text
from portal.messaging.wording.time_format import TimeFormatter
from portal.messaging.wording.time_windows import clock_text, hours_text

CLOCK = re.compile(
    r"\d{1,2}(?:[:.]\d{2})? ?[ap]\.?\s?m\b|\d{1,2}:\d{2}|\bat \d{1,2}\b|\ba las? \d|o.?clock|\b(?:noon|midday|mediodia)\b",
    re.IGNORECASE,
)
"""An hour of the clock, which is another one elsewhere; "in 2 hours" is the same everywhere."""
ZONE_FOLLOWS = re.compile(
    r"\W{0,2}(?:\(|(?:your|my|our|local|eastern|central|mountain|pacific|\w+ standard|new york|london) time"
    r"|(?:utc|gmt|bst|cest|[ecmp][sd]?t)\b|en su hora|hora (?:de|local))",
    re.IGNORECASE,
)
"""What says already whose hour it is."""
_END = r"(?:\d{1,2}(?:[:.]\d{2})?(?:\s?[ap]\.?\s?m\b\.?)?|noon|midday|mediod[i\u00ed]a)"
RANGE = re.compile(
    r"(?P<lead>\b(?:between|entre)\s(?:las?\s)?)?"
    r"\b(?:(?P<hour>\d{1,2})(?:[:.](?P<minute>\d{2}))?(?:\s?(?P<half>[ap])\.?\s?m\b\.?)?|noon|midday)"
    r"(?:\s?[-\u2013]\s?|\s(?:to|(?P<two>and|y)|until|till|a|hasta)(?:\sa)?(?:\slas?)?\s)"
    rf"{_END}(?=\D*$)",
    re.IGNORECASE,
)
"""Two hours of which the second ends the text: "between 2 and 4 pm", "10-noon", "2 and 4 pm"."""
MAX_RANGE_LENGTH = 24
"""Letters of a range before the words that its end stands in."""


def with_customer_time(
    body: str, calendar: BusinessCalendar, times: TimeFormatter, now: datetime
) -> str:
    """The text with "(noon your time)" after each hour that is another one for the customer.

    The hour is read on the clock of ``calendar``. Where the day differs too, it stands there. Of a
    range both ends are given, or none where its beginning is not plain.
    """
    ours = TimeFormatter(times.locale, calendar.zone.key, now)
    template = f"({product_text('your_time', times.locale)})"
    found = DeadlineParser(calendar, now).find(body)
    said_from = len(body)
    for deadline in reversed(found):
        is_same = ours.clock(deadline.at) == times.clock(deadline.at)
        said, rest = body[deadline.start : deadline.end], body[deadline.end :]
        is_aside = body[: deadline.start].rstrip().endswith("(")
        is_said = deadline.end > said_from or ZONE_FOLLOWS.match(rest) is not None
        if is_same or is_aside or is_said or not CLOCK.search(said):
            continue
        window = TimeWindow(deadline.at, deadline.at)
        first = max(0, deadline.start - MAX_RANGE_LENGTH)
        if hours := RANGE.search(body[first : deadline.end]):
            begins = first + hours.start("hour" if hours["hour"] else 0)
            earlier = [each for each in found if each.start <= begins < each.end <= deadline.start]
            if not hours["two"] or hours["lead"]:
                said_from = begins
                window = _range(hours, deadline.at, earlier[-1].at if earlier else None, calendar)
            elif not earlier:
                continue  # "2 and 4 pm": only the second hour is known to be one.
        if window.start < window.end or window.start == deadline.at:
            at = _text(ours, times, window)
            body = f"{body[: deadline.end]} {fill_template(template, {'at': at})}{rest}"
    return body


def _text(ours: TimeFormatter, times: TimeFormatter, window: TimeWindow) -> str:
    """The hour or the hours on the customer's clock, with the date where it is another one."""
    is_range = window.start < window.end
    text = hours_text(times, window) if is_range else clock_text(times, window.start)
    if ours.date_of(window.start) != times.date_of(window.start):
        text = f"{times.date_of(window.start)}, {text}"
    return text


def _range(
    said: re.Match[str], end: datetime, named: datetime | None, calendar: BusinessCalendar
) -> TimeWindow:
    """The window that was said; one that ends before it begins where its beginning is not plain.

    ``named`` is its beginning where that was read; else it is the last such hour before the end.
    """
    local_end = end.astimezone(calendar.zone)
    if named is not None:
        local_start = named.astimezone(calendar.zone)
        # One of the two was said with its day; the other was read as the next such hour.
        day = max(local_start.date(), local_end.date())
        start, end = (
            datetime.combine(day, at.time(), calendar.zone) for at in (local_start, local_end)
        )
        return TimeWindow(start, end)
    hour, minute = int(said["hour"] or 12), int(said["minute"] or 0)
    halves = {"a": (0,), "p": (12,)}.get((said["half"] or "").lower(), (0, 12))
    hours = [hour] if hour > 12 else [hour % 12 + half for half in halves]
    if said["hour"] is None:
        hours = [12]
    starts = (
        local_end.replace(hour=each, minute=minute, second=0, microsecond=0)
        for each in hours
        if each < 24 and minute < 60
    )
    after = end + timedelta(minutes=1)
    return TimeWindow(max((start for start in starts if start < local_end), default=after), end)
