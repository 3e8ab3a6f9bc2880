"""A visit or a call ahead as the status page shows it, and the days on which one is free."""

from dataclasses import dataclass, replace
from datetime import datetime

from portal.business_time import TimeWindow
from portal.messaging.wording.time_format import TimeFormatter
from portal.messaging.wording.time_windows import window_text, with_zone


@dataclass(frozen=True, slots=True)
class Appointment:
    """A future time at which our staff come, or call (`is_call`, without a title).

    `key` stays the same when the time changes. A visit has an end (`until`), and what the workflow
    says of it; `on_the_way` names whoever is on the way, `photo` is the digest of their photo, and
    `timezone` is that of the place.
    """

    key: str
    title: str
    at: datetime
    is_call: bool = False
    until: datetime | None = None
    who: str = ""
    place: str = ""
    prepare: str = ""
    on_the_way: str = ""
    timezone: str = ""
    photo: str = ""

    def text(self, times: TimeFormatter) -> str:
        """The window of a visit with its date: "Wed 2 Dec, 10 am-noon".

        With its zone where the reader's clock, that of ``times``, shows another hour.
        """
        local = replace(times, timezone=self.timezone or times.timezone)
        window = window_text(local, TimeWindow(self.at, self.until or self.at))
        return with_zone(window, local, times.timezone, self.at)


@dataclass(frozen=True, slots=True)
class VisitDay:
    """The free windows of one day, each with its value in a form: a local time."""

    day: str
    windows: tuple[tuple[str, str], ...]
