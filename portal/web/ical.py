"""Appointments as a calendar program takes them: an iCalendar file (RFC 5545), pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from unicodedata import category

from icalendar import Calendar, Event

MEDIA_TYPE = "text/calendar; charset=utf-8"


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """One appointment, at an aware time.

    ``uid`` stays the same when the time is changed, and ``sequence`` grows: so a calendar that has
    it already moves it, rather than showing it twice. ``description`` has no secret: calendars are
    shared.
    """

    uid: str
    sequence: int
    at: datetime
    title: str
    description: str


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
    # The duration is unknown: without an end it is shown at its start.
    event.add("dtstart", entry.at.astimezone(UTC))
    event.add("summary", _on_one_line(entry.title))
    event.add("description", _on_one_line(entry.description))
    return event


def _on_one_line(title: str) -> str:
    """RFC 5545 allows no control character in a text."""
    return "".join(" " if category(letter) == "Cc" else letter for letter in title)
