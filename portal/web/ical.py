"""Appointments as a calendar program takes them: an iCalendar file (RFC 5545), pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from unicodedata import category

MEDIA_TYPE = "text/calendar; charset=utf-8"
MAX_LINE_OCTETS = 75
"""Octets, without the line break; what is longer goes on in a line that begins with a space."""


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """One appointment, at an aware time.

    ``uid`` stays the same when the time is changed, and ``sequence`` grows: so a calendar that has
    it already moves it, rather than showing it twice.
    """

    uid: str
    sequence: int
    at: datetime
    title: str
    link: str


def to_ical(entries: Iterable[CalendarEntry], written_at: datetime) -> bytes:
    """The whole file. It has no METHOD: it is a copy to keep, not an invitation to answer."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Kept//Kept//EN"]
    for entry in entries:
        lines += _event(entry, written_at)
    lines.append("END:VCALENDAR")
    return b"".join(b"\r\n ".join(_folded(line)) + b"\r\n" for line in lines)


def _event(entry: CalendarEntry, written_at: datetime) -> list[str]:
    return [
        "BEGIN:VEVENT",
        f"UID:{_text(entry.uid)}",
        f"SEQUENCE:{entry.sequence}",
        f"DTSTAMP:{_moment(written_at)}",
        # How long it takes nobody has said; without an end it stands at its time.
        f"DTSTART:{_moment(entry.at)}",
        f"SUMMARY:{_text(entry.title)}",
        f"DESCRIPTION:{_text(entry.link)}",
        f"URL:{entry.link}",
        "END:VEVENT",
    ]


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(words: str) -> str:
    """A TEXT value: on one line, and what means something to the format escaped."""
    plain = "".join(" " if category(letter) == "Cc" else letter for letter in words)
    for special in "\\;,":
        plain = plain.replace(special, f"\\{special}")
    return plain


def _folded(line: str) -> Iterator[bytes]:
    """The line in pieces that are short enough; no letter is cut in two."""
    piece = b""
    room = MAX_LINE_OCTETS
    for letter in line:
        octets = letter.encode()
        if len(piece) + len(octets) > room:
            yield piece
            piece = b""
            room = MAX_LINE_OCTETS - 1  # the space before it
        piece += octets
    yield piece
