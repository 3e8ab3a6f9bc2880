"""Each status page is drawn once and kept as it is sent, until it changes or its words grow old."""

import asyncio
import gzip
import re
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

from portal import business_time
from portal.branding.theme import Theme
from portal.database import Database
from portal.queries.status_page.rows import StatusPageRow
from portal.queries.status_page.status_page import PageVersion, create_status_page_reader
from portal.settings import Settings
from portal.tracking.status_page.builder import Organisation, build_status_page
from portal.tracking.status_page.redaction import LINK_ONLY, Visibility, redact
from portal.tracking.status_page.view_models import StatusPage
from portal.web import templating
from portal.workflows import WorkflowDefinition

MAX_CACHE_BYTES = 64 * 1024 * 1024
"""Of pages kept by one process; what was not looked at for longest goes first."""
TOKEN = re.compile(r"[\w-]{1,64}", re.ASCII)
GZIP_LEVEL = 5
"""Of 9: what more would save is less than a hundredth, for half the time again."""


@dataclass(frozen=True, slots=True)
class CachedPage:
    """A page as it goes over the wire, plain and packed, each with its head."""

    version: PageVersion
    valid_until: datetime
    plain: bytes
    gzipped: bytes
    plain_start: dict[str, Any]
    gzipped_start: dict[str, Any]

    @property
    def size(self) -> int:
        """Bytes held, near enough."""
        return len(self.plain) + len(self.gzipped)


class _Drawing(NamedTuple):
    """What a page is kept by: its link is part of it, and so is what the browser may see."""

    token: str
    visibility: Visibility


class StatusPageCache:
    """The pages behind the links, for one process.

    A page is kept under the version that was read in the same statement as its content. It is one
    for whoever has the link, and another for browsers that may see more of it.
    """

    def __init__(
        self, settings: Settings, database: Database, max_bytes: int = MAX_CACHE_BYTES
    ) -> None:
        self.render_count = 0
        self._code_for = settings.verify_for
        self._house = Organisation(settings.brand, settings.support_contact, settings.theme)
        self._reader = create_status_page_reader(database.engine)
        self._definitions: dict[int, WorkflowDefinition] = {}
        self._most_bytes = max_bytes
        self._bytes = 0
        self._kept: OrderedDict[_Drawing, CachedPage] = OrderedDict()
        self._drawing: WeakValueDictionary[_Drawing, asyncio.Lock] = WeakValueDictionary()

    async def find_version(self, token: str) -> PageVersion | None:
        """What this link opens: one indexed read; None for an unknown or a revoked link."""
        return await self._reader.find_version(token if TOKEN.fullmatch(token) else "")

    async def find_cached(
        self, token: str, visibility: Visibility = LINK_ONLY
    ) -> CachedPage | None:
        """The page as it stands now for such a browser, drawn anew only where it has to be."""
        drawing_of = _Drawing(token, visibility)
        version = await self.find_version(token)
        if version is None:
            return None
        kept = self._still_true(drawing_of, version)
        if kept is not None:
            return kept
        # A change is told to all who watch at once: the first to come draws for all of them.
        drawing = self._drawing.setdefault(drawing_of, asyncio.Lock())
        async with drawing:
            return self._still_true(drawing_of, version) or await self._draw(drawing_of)

    async def find_page(self, token: str, visibility: Visibility = LINK_ONLY) -> StatusPage | None:
        """The page's facts, for one that is drawn once and not kept."""
        snapshot = await self._reader.find_page_row(token if TOKEN.fullmatch(token) else "")
        return await self._build(_Drawing(token, visibility), snapshot) if snapshot else None

    async def close(self) -> None:
        """Give the database's connections back."""
        await self._reader.close()

    def _still_true(self, drawing: "_Drawing", version: PageVersion) -> CachedPage | None:
        kept = self._kept.get(drawing)
        if kept is None or kept.version != version or business_time.now() >= kept.valid_until:
            return None
        self._kept.move_to_end(drawing)
        return kept

    async def _draw(self, drawing: "_Drawing") -> CachedPage | None:
        snapshot = await self._reader.find_page_row(drawing.token)
        if snapshot is None:
            return None
        page = await self._build(drawing, snapshot)
        self.render_count += 1
        plain = templating.render("tracking/status.html", page.context()).encode()
        gzipped = gzip.compress(plain, GZIP_LEVEL, mtime=0)
        version = PageVersion(snapshot.request_id, snapshot.page_version, snapshot.locale)
        kept = CachedPage(
            version, page.valid_until, plain, gzipped,
            _head(page.theme, plain),
            _head(page.theme, gzipped, (b"content-encoding", b"gzip")),
        )  # fmt: skip
        self._keep(drawing, kept)
        return kept

    async def _build(self, drawing: "_Drawing", snapshot: StatusPageRow) -> StatusPage:
        definition = self._definitions.get(snapshot.workflow_id)
        if definition is None:
            document = await self._reader.get_workflow(snapshot.workflow_id)
            definition = WorkflowDefinition.from_json(document)
            self._definitions[snapshot.workflow_id] = definition
        page = build_status_page(
            snapshot, definition, self._house, token=drawing.token, now=business_time.now()
        )
        return redact(page, self._code_for, drawing.visibility)

    def _keep(self, drawing: "_Drawing", page: CachedPage) -> None:
        replaced = self._kept.pop(drawing, None)
        self._kept[drawing] = page
        self._bytes += page.size - (replaced.size if replaced else 0)
        while self._bytes > self._most_bytes:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= oldest.size


def _head(theme: Theme, body: bytes, *more: tuple[bytes, bytes]) -> dict[str, Any]:
    headers = [
        (name.lower().encode(), told.encode()) for name, told in templating.headers(theme).items()
    ]
    return {
        "type": "http.response.start",
        "status": 200,
        "headers": [
            *headers,
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            (b"vary", b"Accept-Encoding"),
            *more,
        ],
    }
