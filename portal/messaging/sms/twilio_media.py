"""Fetches photos that came by text from Twilio, which asks for our account's credentials.

Source: Twilio's Media resource. It answers with a redirect to another host, which must not see
the credentials.
"""

import asyncio
import base64
from urllib.parse import urljoin, urlsplit

import aiohttp

from portal.attachments.refusals import FileRefusal, FileRefusalCode

TWILIO = "https://api.twilio.com"
MAX_REDIRECTS = 3
REDIRECTS = (301, 302, 303, 307, 308)
TIMEOUT = 30.0
"""Seconds for one file, redirects included."""
CHUNK_BYTES = 64 * 1024


class MediaUnavailable(Exception):
    """The file could not be fetched; another attempt may succeed."""


class MediaRefused(Exception):
    """The file must not be fetched: its address is not the provider's, or it is too large."""

    def __init__(self, refusal: FileRefusal) -> None:
        super().__init__(refusal.text)
        self.refusal = refusal


class TwilioMediaClient:
    """Fetches the media of inbound texts. A client belongs to one event loop.

    ``api_url`` replaces Twilio's own address; only that origin is sent the credentials.
    ``timeout`` is in seconds for one file.
    """

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        *,
        api_url: str | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        credentials = base64.b64encode(f"{account_sid}:{auth_token}".encode()).decode()
        self._authorization = {"Authorization": f"Basic {credentials}"}
        self._origin = _origin(api_url or TWILIO)
        self._timeout = timeout
        self._opened: aiohttp.ClientSession | None = None

    async def fetch(self, url: str, max_bytes: int) -> bytes:
        """Fetch the file: at most ``max_bytes`` bytes.

        Raises MediaUnavailable where another attempt may help, and MediaRefused where none would.
        """
        if not self._is_providers(url):
            raise MediaRefused(FileRefusal(FileRefusalCode.FOREIGN_ADDRESS))
        try:
            async with asyncio.timeout(self._timeout):
                return await self._follow(url, max_bytes)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise MediaUnavailable(f"{type(error).__name__}") from error

    async def close(self) -> None:
        """Close the connections; a later call opens new ones."""
        if self._opened is not None:
            await self._opened.close()
            self._opened = None

    async def _follow(self, url: str, max_bytes: int) -> bytes:
        # Only the first request has credentials: the address in a redirect is signed by itself.
        headers = self._authorization
        for _ in range(MAX_REDIRECTS + 1):
            async with self._session().get(url, headers=headers, allow_redirects=False) as response:
                if response.status in REDIRECTS:
                    url, headers = urljoin(url, response.headers.get("Location", "")), {}
                    if not (url.startswith("https://") or self._is_providers(url)):
                        raise MediaRefused(FileRefusal(FileRefusalCode.UNSAFE_ADDRESS))
                    continue
                if response.status != 200:
                    raise MediaUnavailable(f"HTTP {response.status}")
                return await _read(response, max_bytes)
        raise MediaUnavailable("too many redirects")

    def _session(self) -> aiohttp.ClientSession:
        """The HTTP session, opened at the first call: it needs the running event loop."""
        if self._opened is None:
            self._opened = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        return self._opened

    def _is_providers(self, url: str) -> bool:
        return _origin(url) == self._origin


async def _read(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    """Read the body; refuse it as soon as it is too long, whatever its Content-Length is."""
    data = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK_BYTES):
        data += chunk
        if len(data) > max_bytes:
            raise MediaRefused(FileRefusal.too_large(max_bytes))
    return bytes(data)


def _origin(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.netloc.lower()
    except ValueError:
        return "", ""
