"""Appointments as a calendar program takes them: an iCalendar file (RFC 5545), pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from unicodedata import category

from icalendar import Alarm, Calendar, Event

MEDIA_TYPE = "text/calendar; charset=utf-8"


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """One appointment, at an aware time.

    ``uid`` stays the same when the time is changed, and ``sequence`` grows: so a calendar that has
    it already moves it, rather than showing it twice. ``description`` has no secret: calendars are
    shared. Without an ``until`` the duration is unknown. At ``remind_at`` the calendar reminds.
    """

    uid: str
    sequence: int
    at: datetime
    title: str
    description: str
    until: datetime | None = None
    place: str = ""
    remind_at: datetime | None = None


def to_ical(entries: Iterable[CalendarEntry], written_at: datetime) -> bytes:
    """The file. It has no METHOD, because it is no invitation to answer."""
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//Kept//Kept//EN")
    for entry in entries:
        calendar.add_component(_event(entry, written_at))
    data: bytes = calendar.to_ical()
    return data


def _event(entry: CalendarEntry, written_at: datetime) -> Event:
    event = Event()
    event.add("uid", entry.uid)
    event.add("sequence", entry.sequence)
    event.add("dtstamp", written_at.astimezone(UTC))
    event.add("dtstart", entry.at.astimezone(UTC))
    if entry.until is not None:
        event.add("dtend", entry.until.astimezone(UTC))
    if entry.place:
        event.add("location", _on_one_line(entry.place))
    event.add("summary", _on_one_line(entry.title))
    event.add("description", _on_one_line(entry.description))
    if entry.remind_at is not None:
        event.add_component(_alarm(entry, entry.remind_at))
    return event


def _alarm(entry: CalendarEntry, remind_at: datetime) -> Alarm:
    """A display alarm (RFC 5545, 3.6.6), relative to the start: it moves with the event."""
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", _on_one_line(entry.title))
    alarm.add("trigger", min(remind_at - entry.at, timedelta()))
    return alarm


def _on_one_line(title: str) -> str:
    """RFC 5545 allows no control character in a text."""
    return "".join(" " if category(letter) == "Cc" else letter for letter in title)
