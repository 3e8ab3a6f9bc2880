"""Words the window in which a customer is called, and why they cannot be called then."""

from datetime import datetime

from portal.business_time import TimeWindow
from portal.messaging.wording.renderer import MessageRenderer, fill_template, product_text
from portal.messaging.wording.time_format import TimeFormatter
from portal.messaging.wording.time_windows import clock_text
from portal.rules.calls import CallRefusal


def call_window_text(times: TimeFormatter, kind: str, window: TimeWindow) -> str:
    """The window as it was named: "between 2 and 4 pm on Tue 1 Dec", "on Fri 4 Dec"."""
    begin, end = clock_text(times, window.start), clock_text(times, window.end)
    hour, _, half = begin.partition(" ")
    if half and end.endswith(f" {half}"):
        begin = hour
    fields = {"begin": begin, "end": end, "day": times.date_of(window.start)}
    if kind in ("after", "moment"):
        fields["begin"] = clock_text(times, window.start)
    return fill_template(product_text(f"window_{kind}", times.locale), fields)


def render_call_refusal(renderer: MessageRenderer, refusal: CallRefusal, department: str) -> str:
    """Why no call can be then, and when it can."""
    times = renderer.times
    return renderer.say(
        f"call_{refusal.why}",
        department=department,
        at=clock_text(times, refusal.at),
        day=_day_text(times, refusal.at),
        next=_day_text(times, refusal.day),
    )


def _day_text(times: TimeFormatter, at: datetime) -> str:
    """A day as it follows a verb: "today", "tomorrow", "on Thu 3 Dec"."""
    is_near = times.date_of(at) == times.date_of(times.now) or times.is_tomorrow(at)
    if is_near:
        return times.ahead(at)
    return fill_template(product_text("window_day", times.locale), {"day": times.date_of(at)})
