"""Photos that came by text lie with Twilio, behind our account's sign-in, until they are fetched.

Source: Twilio's Media resource. It answers with a redirect to a store elsewhere, which must not
see our sign-in.
"""

import asyncio
import base64
from urllib.parse import urljoin, urlsplit

import aiohttp

from portal.attachments.stored_file import file_too_large
from portal.i18n.lazy_string import LazyString

TWILIO = "https://api.twilio.com"
MAX_REDIRECTS = 3
REDIRECTS = (301, 302, 303, 307, 308)
TIMEOUT = 30.0
"""Seconds for one file, all told."""
CHUNK_BYTES = 64 * 1024


class MediaUnavailable(Exception):
    """It could not be had this time; another try may bring it."""


class MediaRefused(Exception):
    """It must not be had: its address is not the provider's, or it is too large.

    The words go on after "it could not be taken:".
    """


class TwilioMediaClient:
    """Fetches what was texted to us. It belongs to one event loop; ``close`` ends its connections.

    ``api_url`` stands in for Twilio's own address; only that origin is ever given our sign-in.
    """

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        *,
        api_url: str | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        word = base64.b64encode(f"{account_sid}:{auth_token}".encode()).decode()
        self._signed_in = {"Authorization": f"Basic {word}"}
        self._origin = _origin(api_url or TWILIO)
        self._timeout = timeout
        self._opened: aiohttp.ClientSession | None = None

    async def fetch(self, url: str, most: int) -> bytes:
        """The file's bytes, at most ``most`` of them.

        Raises MediaUnavailable where another try may help, and MediaRefused where none would.
        """
        if not self._is_providers(url):
            raise MediaRefused(LazyString("its address is not the phone company's"))
        try:
            async with asyncio.timeout(self._timeout):
                return await self._follow(url, most)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise MediaUnavailable(f"{type(error).__name__}") from error

    async def close(self) -> None:
        """End the connections; a later call opens new ones."""
        if self._opened is not None:
            await self._opened.close()
            self._opened = None

    async def _follow(self, url: str, most: int) -> bytes:
        # Only the first call is signed: wherever it sends us, the address itself is the key.
        headers = self._signed_in
        for _ in range(MAX_REDIRECTS + 1):
            async with self._session().get(url, headers=headers, allow_redirects=False) as answer:
                if answer.status in REDIRECTS:
                    url, headers = urljoin(url, answer.headers.get("Location", "")), {}
                    if not (url.startswith("https://") or self._is_providers(url)):
                        raise MediaRefused(LazyString("its address is not a safe one"))
                    continue
                if answer.status != 200:
                    raise MediaUnavailable(f"HTTP {answer.status}")
                return await _read(answer, most)
        raise MediaUnavailable("It was sent on too often.")

    def _session(self) -> aiohttp.ClientSession:
        """Opened at the first call: it needs the running loop."""
        if self._opened is None:
            self._opened = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        return self._opened

    def _is_providers(self, url: str) -> bool:
        return _origin(url) == self._origin


async def _read(answer: aiohttp.ClientResponse, most: int) -> bytes:
    """The body, cut off as soon as it is too long, whatever length was announced."""
    read = bytearray()
    async for piece in answer.content.iter_chunked(CHUNK_BYTES):
        read += piece
        if len(read) > most:
            raise MediaRefused(file_too_large(most).detail)
    return bytes(read)


def _origin(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.netloc.lower()
    except ValueError:
        return "", ""
