"""Bytes of the status page: the first view in each state and language, and its files."""

import gzip
import re
from dataclasses import replace
from typing import Any

from portal.tracking.status_page.cache import GZIP_LEVEL
from portal.web import templating
from portal.web.app_icon import app_icon
from portal.web.static_files import static_files
from tests.bench.runner import settings_for, table
from tests.support.status_page.states import STATES

LANGUAGES = ("en", "es", "ar")
FIRST_VIEW = 6_144
"""Bytes, packed: what arrives in the first round trip of a new connection."""
ALL = 45_000


def run(options: Any) -> None:
    """Print what is sent, packed as it is sent."""
    del options  # bytes are the same on any machine and database
    rows = [[state, *(_weigh(state, language) for language in LANGUAGES)] for state in STATES]
    heaviest = max(weight for row in rows for weight in row[1:])
    table("The first view, bytes packed: whole without any other file", ["state", *LANGUAGES], rows)
    page = _html("in work", "en")
    styles = len(gzip.compress(page.partition("<style>")[2].partition("</style>")[0].encode()))
    print(f"\nThe heaviest is {heaviest:,} of {FIRST_VIEW:,}. The styles alone: {styles:,}.")

    asked_for = re.findall(r'(?:src|href)="/static/([^?"]+)', page)
    look = app_icon(settings_for("sqlite+aiosqlite:///none"))
    files = [(name, len(static_files()[name].gzipped)) for name in asked_for]
    table(
        "What the page then asks for, bytes packed, kept by the browser", ["file", "bytes"], files
    )
    total = heaviest + sum(size for _, size in files)
    print(f"\nHeaviest page and files: {total:,} of {ALL:,}, in {1 + len(files)} requests.")
    print(f"On a home screen besides: an icon of {len(look.png(192)):,} bytes.\n")


def _weigh(state: str, language: str) -> int:
    return len(gzip.compress(_html(state, language).encode(), GZIP_LEVEL, mtime=0))


def _html(state: str, language: str) -> str:
    page = replace(STATES[state], locale=language)
    return templating.render("tracking/status_page/status.html", page.context())
