"""The free windows of a visit, by day, as a form offers them."""

from collections.abc import Iterable
from itertools import groupby
from zoneinfo import ZoneInfo

from portal.business_time import TimeWindow
from portal.messaging.wording.time_format import TimeFormatter
from portal.messaging.wording.time_windows import hours_text
from portal.tracking.status_page.appointment_view import VisitDay


def visit_days(times: TimeFormatter, windows: Iterable[TimeWindow]) -> tuple[VisitDay, ...]:
    """The windows in order, those of one day at the place visited together."""
    zone = ZoneInfo(times.timezone)
    by_day = groupby(windows, key=lambda window: window.start.astimezone(zone).date())
    days = []
    for _, group in by_day:
        on_day = list(group)
        choices = tuple(
            (f"{window.start.astimezone(zone):%Y-%m-%dT%H:%M}", hours_text(times, window))
            for window in on_day
        )
        days.append(VisitDay(times.date_of(on_day[0].start), choices))
    return tuple(days)
