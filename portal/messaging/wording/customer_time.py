"""Adds the customer's own time to an hour that staff write, where their clocks differ."""

import re
from datetime import datetime

from portal.business_time import BusinessCalendar
from portal.messaging.intents.deadlines import DeadlineParser
from portal.messaging.wording.renderer import fill_template, product_text
from portal.messaging.wording.time_format import TimeFormatter
from portal.messaging.wording.time_windows import clock_text

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


def with_customer_time(
    body: str, calendar: BusinessCalendar, times: TimeFormatter, now: datetime
) -> str:
    """The text with "(noon your time)" after each hour that is another one for the customer.

    The hour is read on the clock of ``calendar``. Where the day differs too, it stands there.
    """
    for deadline in reversed(DeadlineParser(calendar, now).find(body)):
        ours = TimeFormatter(times.locale, calendar.zone.key, now)
        is_same = ours.clock(deadline.at) == times.clock(deadline.at)
        said, rest = body[deadline.start : deadline.end], body[deadline.end :]
        is_aside = body[: deadline.start].rstrip().endswith("(")
        if is_same or is_aside or not CLOCK.search(said) or ZONE_FOLLOWS.match(rest):
            continue
        at = clock_text(times, deadline.at)
        if ours.date_of(deadline.at) != times.date_of(deadline.at):
            at = f"{times.date_of(deadline.at)}, {at}"
        theirs = fill_template(product_text("your_time", times.locale), {"at": at})
        body = f"{body[: deadline.end]} ({theirs}){rest}"
    return body
