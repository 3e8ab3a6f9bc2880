"""A transcript: everything that one customer reads and does, in order, as plain text.

Each transcript is a file beside the tests. Where it differs, the test fails with the difference as
a unified diff. Write the files anew, read them as the customer would, and commit them::

    KEPT_WRITE_TRANSCRIPTS=1 bin/test tests/stories/lives
"""

import difflib
import os
import re
from datetime import datetime
from email.message import EmailMessage
from html import unescape
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

WRITE = "KEPT_WRITE_TRANSCRIPTS"
FOLDER = Path(__file__).parent


class Transcript:
    """The entries of one life, each with the customer's time, who acts, and what is read or said.

    ``stands_for`` has what is random in a run, such as a link, by what the transcript has instead.
    """

    def __init__(self, title: str, zone: ZoneInfo) -> None:
        self._zone = zone
        self._entries = [f"{title}\n{'=' * len(title)}\n"]
        self._last_page: list[str] = []
        self.stands_for: dict[str, str] = {}

    def add(self, at: datetime, what: str, *lines: str) -> None:
        """Add an entry; its lines stand below its time and heading."""
        local = at.astimezone(self._zone)
        heading = f"{local:%a} {local.day} {local:%b %H:%M}  {what}"
        below = [f"    {part}" for line in lines for part in line.splitlines() if part.strip()]
        self._entries.append("\n".join([heading, *below]) + "\n")

    def add_mail(self, at: datetime, to: str, mail: EmailMessage) -> None:
        """Add a mail: its subject and its text, without what stands below the signature."""
        part = mail.get_body(("plain",))
        assert part is not None
        text, _, _ = part.get_content().partition("\n-- \n")
        self.add(at, f"MAIL to {to}", f"Subject: {mail['Subject']}", text)

    def add_page(self, at: datetime, markup: str) -> None:
        """Add the page as it is read above the timeline, where that has changed."""
        lines = lines_above_timeline(markup)
        if lines != self._last_page:
            self._last_page = lines
            self.add(at, "PAGE", *lines)

    def text(self) -> str:
        """The whole transcript."""
        text = "\n".join(self._entries)
        for name, found in self.stands_for.items():
            text = text.replace(found, name)
        return text

    def check(self, name: str) -> None:
        """Fail with a unified diff where the file of that name says something else.

        With `KEPT_WRITE_TRANSCRIPTS` the file is written instead, and the test is skipped: such a
        run proves nothing. CI never writes.
        """
        path, now = FOLDER / name, self.text()
        if os.environ.get(WRITE) and not os.environ.get("CI"):
            path.write_text(now, encoding="utf-8")
            pytest.skip(f"{name} is written anew")
        stored = path.read_text(encoding="utf-8") if path.exists() else ""
        if now != stored:
            difference = difflib.unified_diff(
                stored.splitlines(), now.splitlines(), name, "this run", lineterm=""
            )
            pytest.fail("\n".join(difference), pytrace=False)


REWRITES = (
    (r'<(\w+)[^>]*aria-hidden="true"[^>]*>.*?</\1>', " "),
    (r"<select.*?</select>", lambda found: f" ({_choices(found[0])}) "),
    (r"<button[^>]*>(.*?)</button>|<a [^>]*>(.*?)</a>", r"\n[\1\2]\n"),
    (r"</dt>\s*<dd>", ": "),
    (r"<br>|</?(?:p|h1|h2|dt|dd|li|div|form|label)\b[^>]*>", "\n"),
    (r"<[^>]+>", ""),
)
"""How the markup of the page becomes lines; a button or a link stands in brackets."""
MOST_CHOICES = 3


def lines_above_timeline(markup: str) -> list[str]:
    """What the status page says above the timeline: headline, who, when, next, what to do."""
    found = re.search(r'<section class="now-at".*?</section>', markup, re.DOTALL)
    assert found, "no status page"
    text = re.sub(r"\s+", " ", found[0])
    for pattern, instead in REWRITES:
        text = re.sub(pattern, instead, text)
    lines = (re.sub(r"\s+([.,;:])", r"\1", " ".join(line.split())) for line in text.split("\n"))
    return [unescape(line) for line in lines if line]


def _choices(select: str) -> str:
    options = re.findall(r"<option[^>]*>(.*?)</option>", select)
    more = [f"and {len(options) - MOST_CHOICES} more"] if len(options) > MOST_CHOICES else []
    return " · ".join([*options[:MOST_CHOICES], *more])
