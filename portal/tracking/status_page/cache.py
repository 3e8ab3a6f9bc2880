"""Each status page is rendered once and cached as sent, until it changes or a time on it passes."""

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
from portal.queries.status_page.reader import PageVersion, create_status_page_reader
from portal.queries.status_page.rows import StatusPageRow
from portal.settings import Settings
from portal.tracking.status_page.presenter import Organisation, present_status_page
from portal.tracking.status_page.redaction import LINK_ONLY, Visibility, redact
from portal.tracking.status_page.view_models import StatusPage
from portal.web import templating
from portal.workflows import WorkflowDefinition

MAX_CACHE_BYTES = 64 * 1024 * 1024
"""Bytes of pages that one process caches; the least recently viewed page is evicted first."""
TOKEN = re.compile(r"[\w-]{1,64}", re.ASCII)
GZIP_LEVEL = 5
"""Of 9: a higher level saves less than one percent of the bytes and takes half the time again."""


@dataclass(frozen=True, slots=True)
class CachedPage:
    """A page as it is sent, plain and gzipped, each with its response headers."""

    version: PageVersion
    valid_until: datetime
    plain: bytes
    gzipped: bytes
    plain_start: dict[str, Any]
    gzipped_start: dict[str, Any]

    @property
    def size(self) -> int:
        """Bytes that it takes in memory, approximately."""
        return len(self.plain) + len(self.gzipped)


class _CacheKey(NamedTuple):
    """What a page is cached by: its link, and what the browser may see."""

    token: str
    visibility: Visibility


class StatusPageCache:
    """The pages behind the links, for one process.

    A page is cached under the version that was read in the same statement as its content. It is
    cached once for everybody who has only the link, once for trusted browsers, and once for each
    set of messages that a browser has sent within the last hour, which that browser may see.
    """

    def __init__(
        self, settings: Settings, database: Database, max_bytes: int = MAX_CACHE_BYTES
    ) -> None:
        self.render_count = 0
        self._verify_for = settings.verify_for
        self._organisation = Organisation(
            settings.brand,
            settings.support_contact,
            settings.theme,
            settings.all_carriers,
            settings.twilio_from_number,
        )
        self._reader = create_status_page_reader(database.engine)
        self._definitions: dict[int, WorkflowDefinition] = {}
        self._max_bytes = max_bytes
        self._bytes = 0
        self._pages: OrderedDict[_CacheKey, CachedPage] = OrderedDict()
        self._keys_by_token: dict[str, set[_CacheKey]] = {}
        self._locks: WeakValueDictionary[_CacheKey, asyncio.Lock] = WeakValueDictionary()

    async def find_version(self, token: str) -> PageVersion | None:
        """The request of this link and its version, by one indexed read; None for an unknown or revoked link."""
        return await self._reader.find_version(token if TOKEN.fullmatch(token) else "")

    async def get_page(self, token: str, visibility: Visibility = LINK_ONLY) -> CachedPage | None:
        """The current page for such a browser; rendered only where the cache has no valid one.

        None for an unknown or revoked link.
        """
        key = _CacheKey(token, visibility)
        version = await self.find_version(token)
        if version is None:
            self._evict_link(token)
            return None
        cached = self._valid(key, version)
        if cached is not None:
            return cached
        # All open pages load a change at the same time: the first call renders for all of them.
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:
            return self._valid(key, version) or await self._render(key)

    async def build_page(self, token: str, visibility: Visibility = LINK_ONLY) -> StatusPage | None:
        """The view model of the page, not rendered and not cached; None as for `get_page`."""
        snapshot = await self._reader.find_page_row(token if TOKEN.fullmatch(token) else "")
        return await self._build(_CacheKey(token, visibility), snapshot) if snapshot else None

    async def close(self) -> None:
        """Close the database connections."""
        await self._reader.close()

    def _valid(self, key: _CacheKey, version: PageVersion) -> CachedPage | None:
        cached = self._pages.get(key)
        if cached is None or cached.version != version or business_time.now() >= cached.valid_until:
            return None
        self._pages.move_to_end(key)
        return cached

    async def _render(self, key: _CacheKey) -> CachedPage | None:
        snapshot = await self._reader.find_page_row(key.token)
        if snapshot is None:
            return None
        page = await self._build(key, snapshot)
        self.render_count += 1
        plain = templating.render("tracking/status_page/status.html", page.context()).encode()
        gzipped = gzip.compress(plain, GZIP_LEVEL, mtime=0)
        version = PageVersion(snapshot.request_id, snapshot.page_version, snapshot.locale)
        cached = CachedPage(
            version, page.valid_until, plain, gzipped,
            _response_start(page.theme, plain),
            _response_start(page.theme, gzipped, (b"content-encoding", b"gzip")),
        )  # fmt: skip
        self._store(key, cached)
        return cached

    async def _build(self, key: _CacheKey, snapshot: StatusPageRow) -> StatusPage:
        definition = self._definitions.get(snapshot.workflow_id)
        if definition is None:
            document = await self._reader.get_workflow(snapshot.workflow_id)
            definition = WorkflowDefinition.from_json(document)
            self._definitions[snapshot.workflow_id] = definition
        page = present_status_page(
            snapshot, definition, self._organisation, token=key.token, now=business_time.now()
        )
        return redact(page, self._verify_for, key.visibility)

    def _store(self, key: _CacheKey, page: CachedPage) -> None:
        self._evict(key)
        self._pages[key] = page
        self._keys_by_token.setdefault(key.token, set()).add(key)
        self._bytes += page.size
        while self._bytes > self._max_bytes:
            self._evict(next(iter(self._pages)))  # the one that was asked for longest ago

    def _evict(self, key: _CacheKey) -> None:
        evicted = self._pages.pop(key, None)
        if evicted is None:
            return
        self._bytes -= evicted.size
        self._keys_by_token[key.token].discard(key)
        if not self._keys_by_token[key.token]:
            del self._keys_by_token[key.token]

    def _evict_link(self, token: str) -> None:
        """Evict the pages of a link for every browser: nothing of an erased person stays in memory."""
        for key in list(self._keys_by_token.get(token, ())):
            self._evict(key)


def _response_start(theme: Theme, body: bytes, *more: tuple[bytes, bytes]) -> dict[str, Any]:
    headers = [
        (name.lower().encode(), value.encode()) for name, value in templating.headers(theme).items()
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
