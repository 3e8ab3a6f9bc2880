"""Formats windows of time as a customer reads them: "Wed 2 Dec, 10 am-noon"."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from portal.business_time import TimeWindow
from portal.i18n.languages import language_of
from portal.messaging.wording.renderer import fill_template, product_text
from portal.messaging.wording.time_format import TimeFormatter

NOON = {"en": "noon"}
"""What is said for 12 pm, which many read as midnight; others count to 24, or say it."""


def window_text(times: TimeFormatter, window: TimeWindow) -> str:
    """A window with its weekday and date: "Wed 2 Dec, 10 am-noon"."""
    comma = "،" if times.direction == "rtl" else ","
    return f"{times.date_of(window.start)}{comma} {hours_text(times, window)}"


def hours_text(times: TimeFormatter, window: TimeWindow) -> str:
    """The hours of a window: "8-10 am", "10 am-noon", "14:00-16:00"."""
    start, end = clock_text(times, window.start), clock_text(times, window.end)
    hour, _, half = start.partition(" ")
    # "8-10 am" is shorter than "8 am-10 am", and says the same.
    if half and end.endswith(f" {half}"):
        start = hour
    return f"{start}-{end}"


def clock_text(times: TimeFormatter, at: datetime) -> str:
    """The time of day, with noon named."""
    language = language_of(times.locale).code
    text = times.clock(at)
    return NOON.get(language, text) if text == "12 pm" else text


def choices_text(times: TimeFormatter, windows: Sequence[TimeWindow]) -> str:
    """Windows to choose from by number: "1 Wed 2 Dec, 8-10 am, 2 noon-2 pm"."""
    is_mirrored = times.direction == "rtl"
    choices: list[str] = []
    day = ""
    for number, window in enumerate(windows, start=1):
        date = times.date_of(window.start)
        text = hours_text(times, window) if date == day else window_text(times, window)
        day = date
        choices.append(f"{number}) {text}")
    # From right to left a number would seem to belong to the window before it: a line for each.
    return "".join(f"\n{choice}" for choice in choices) if is_mirrored else " ".join(choices)


def zone_name(times: TimeFormatter, timezone: str, at: datetime) -> str:
    """The zone of ``times`` as its reader calls it: "London time".

    Empty where the clocks of ``timezone``, the reader's own zone, show the same hour then.
    """
    offsets = {at.astimezone(ZoneInfo(zone)).utcoffset() for zone in (times.timezone, timezone)}
    if len(offsets) == 1:
        return ""
    return fill_template(product_text("visit_zone", times.locale), {"zone": times.place})


def with_zone(text: str, times: TimeFormatter, timezone: str, at: datetime) -> str:
    """The text with the zone behind it where that is not clear: "2-4 pm (London time)"."""
    zone = zone_name(times, timezone, at)
    return f"{text} ({zone})" if zone else text
