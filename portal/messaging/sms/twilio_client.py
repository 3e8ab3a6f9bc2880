"""The client of Twilio's REST API.

Twilio's Messages has no idempotency key, so each error says whether the customer may have the
text; see ``send_errors``.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import aiohttp
from twilio.base.exceptions import TwilioException
from twilio.rest import Client

from portal.messaging.send_errors import (
    FailureRule,
    NotSent,
    OutcomeUnknown,
    Refused,
    Throttled,
)
from portal.messaging.sms import twilio_codes
from portal.messaging.sms.sender_address import channel_address
from portal.messaging.sms.twilio_http import TwilioHttp, quiet_log, trace_config, wire
from portal.models.messages.message_status import MessageStatus
from portal.models.messages.transport import Transport

MAX_VALIDITY_SECONDS = 36_000
"""Seconds that Twilio will hold a text at most."""

PAGE_SIZE = 1_000
"""The largest page of a listing that Twilio returns."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """Twilio has the text. ``segments`` is 0 while a messaging service has not chosen a sender."""

    sid: str
    status: MessageStatus
    segments: int


@dataclass(frozen=True, slots=True)
class WhatsAppContent:
    """What goes by WhatsApp: the body as free text, or the template of this Content SID.

    ``content_variables`` is the JSON that fills its placeholders.
    """

    content_sid: str = ""
    content_variables: str = ""


@dataclass(frozen=True, slots=True)
class TwilioMessage:
    """A text as Twilio remembers it; times are aware UTC, addresses are Twilio's."""

    sid: str
    status: MessageStatus
    to: str
    sender: str
    body: str
    created_at: datetime | None
    error_code: int | None
    segments: int

    @property
    def code(self) -> str | None:
        """The error code as it is stored with a message."""
        return str(self.error_code) if self.error_code else None


class TwilioClient:
    """Sends texts by Twilio, and reads their status.

    ``sender`` is our number (E.164) or the sid of a messaging service (``MG…``). ``api_url``
    replaces Twilio's own address. ``timeout`` is a hard limit in seconds for one call.
    ``connections`` is the most calls in flight. A client belongs to one event loop; it opens its
    connections at the first call, and ``close`` ends them.
    """

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        sender: str,
        *,
        api_url: str | None = None,
        timeout: float = 10,
        connections: int = 20,
    ) -> None:
        self.account_sid = account_sid
        self.sender = sender
        self._auth_token = auth_token
        self._api_url = api_url.rstrip("/") if api_url else None
        self._timeout = timeout
        self._connections = connections
        self._opened: Any = None

    async def send(
        self,
        to: str,
        body: str,
        status_callback: str,
        validity_seconds: int | None = None,
        *,
        whatsapp: WhatsAppContent | None = None,
    ) -> Accepted:
        """Send one text to a number, in one attempt.

        ``validity_seconds``: Twilio drops it when undelivered for so long (1 to 36,000).
        ``whatsapp``: by WhatsApp, which has no segments; what else fails there asks for SMS.
        Raises ``NotSent`` or ``Throttled`` (it may be sent again), ``Refused``, or
        ``OutcomeUnknown`` (reconcile). After a cancellation the outcome is unknown.
        """
        parameters: dict[str, Any] = {"to": to, "body": body, "status_callback": status_callback}
        if whatsapp is not None:
            parameters["to"] = channel_address(to, Transport.WHATSAPP)
        if whatsapp is not None and whatsapp.content_sid:
            # Twilio refuses a body beside a template.
            parameters.pop("body")
            parameters["content_sid"] = whatsapp.content_sid
            if whatsapp.content_variables != "{}":
                parameters["content_variables"] = whatsapp.content_variables
        parameters["messaging_service_sid" if self.sends_by_service else "from_"] = self.sender
        if validity_seconds is not None:
            parameters["validity_period"] = min(max(int(validity_seconds), 1), MAX_VALIDITY_SECONDS)
        verdict = twilio_codes.verdict if whatsapp is None else twilio_codes.whatsapp_verdict
        async with self._call(verdict) as client:
            message = await client.messages.create_async(**parameters)
            if not message.sid:
                raise OutcomeUnknown("Twilio's answer named no message.")
            segments = _number(message.num_segments) if whatsapp is None else 0
            return Accepted(message.sid, twilio_codes.status(message.status), segments)

    async def probe(self) -> None:
        """Find out whether Twilio processes texts again, without sending one.

        A text without a recipient is refused (error 21604) by the service that takes texts, which
        may be down while the rest of the API answers. Raises as ``send`` does for anything else.
        """
        try:
            await self.send("", "", "")
        except Refused as refusal:
            if refusal.action == "pause_queue":
                raise

    async def fetch(self, sid: str) -> TwilioMessage | None:
        """Twilio's record of one text; None where it has none.

        Raises as ``send`` does; here an error only means that the record could not be read.
        """
        try:
            async with self._call() as client:
                return _sent(await client.messages(sid).fetch_async())
        except Refused as refusal:
            if refusal.code in (404, 20404):
                return None
            raise

    async def find_sent(
        self, to: str | None, since: datetime, until: datetime
    ) -> list[TwilioMessage]:
        """The texts that Twilio took from us between two moments (aware), oldest first.

        To one number, or with ``to=None`` to everybody: one listing then serves every message
        in doubt. Leave a margin: the times are by Twilio's clock, in whole seconds.
        """
        async with self._call() as client:
            if to is None:
                messages = await self._list_since(client, since)
            else:
                messages = await client.messages.list_async(
                    to=to, page_size=PAGE_SIZE, limit=PAGE_SIZE
                )
            texts = [_sent(text) for text in messages if self._is_ours(text)]
        return sorted(
            (text for text in texts if text.created_at is None or since <= text.created_at < until),
            key=lambda text: text.created_at or since,
        )

    async def _list_since(self, client: Any, since: datetime) -> list[Any]:
        """The listing of all texts, newest first, until a whole page is older.

        No filter of Twilio's helps: each is by the date of sending, which a text still waiting at
        Twilio does not have, and such a text would be sent twice.
        """
        texts: list[Any] = []
        page = await client.messages.page_async(page_size=PAGE_SIZE)
        while page is not None:
            messages = list(page)
            texts += messages
            if all(text.date_created and text.date_created < since for text in messages):
                break
            page = await page.next_page_async()
        return texts

    async def close(self) -> None:
        """End the connections; a later call opens new ones."""
        if self._opened is not None:
            opened, self._opened = self._opened, None
            await opened.http_client.close()

    @property
    def sends_by_service(self) -> bool:
        """Whether a messaging service sends, which chooses the sender and may have RCS."""
        return self.sender.startswith("MG")

    def _is_ours(self, text: Any) -> bool:
        """Whether it is from our sender, as far as Twilio says, and outgoing."""
        named = text.messaging_service_sid if self.sends_by_service else text.from_
        return named in (None, "", self.sender) and text.direction != "inbound"

    @asynccontextmanager
    async def _call(
        self, verdict: Callable[[int], FailureRule] = twilio_codes.verdict
    ) -> AsyncIterator[Any]:
        """One call within the time limit; each failure is raised as one of our errors."""
        written = SimpleNamespace(written=False)
        wire.set(written)
        try:
            async with asyncio.timeout(self._timeout):
                yield self._client()
        except OutcomeUnknown:
            raise
        except TwilioException as error:
            raise _converted_error(error, verdict) from error
        except Exception as error:
            if written.written:
                raise OutcomeUnknown(
                    f"No sure answer from Twilio: {error!r}", outage="Twilio does not answer"
                ) from error
            if isinstance(error, aiohttp.ClientError | OSError | TimeoutError):
                raise NotSent(
                    f"Twilio could not be reached: {error!r}", outage="Twilio cannot be reached"
                ) from error
            raise

    def _client(self) -> Any:
        """Twilio's client over our own session; both need the running loop to be built."""
        if self._opened is None:
            http = TwilioHttp(pool_connections=False, logger=quiet_log)
            http.session = aiohttp.ClientSession(
                # A kept-alive connection that the server closes just as we write is an unknown
                # outcome, so none is kept for long.
                connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=4),
                trace_configs=[trace_config()],
            )
            # The environment given is ours: a stray TWILIO_EDGE or _REGION would move the address.
            self._opened = Client(
                self.account_sid,
                self._auth_token,
                http_client=http,
                environment={"TWILIO_EDGE": "", "TWILIO_REGION": ""},
            )
            if self._api_url:
                self._opened.api.base_url = self._api_url
        return self._opened


def _converted_error(
    error: TwilioException, verdict: Callable[[int], FailureRule]
) -> NotSent | OutcomeUnknown | Refused:
    """Twilio answered, and not with success: 429 was never processed, 4xx is a no."""
    answer = error.args[1] if len(error.args) > 1 else None
    status = getattr(error, "status", None) or getattr(answer, "status_code", None) or 0
    code = getattr(error, "code", None) or status
    if status == 429 or code == 20429:
        return Throttled("Twilio asks us to slow down.")
    if 400 <= status < 500 and status != 408:
        return Refused(code, verdict(code), str(getattr(error, "msg", "")))
    return OutcomeUnknown(f"Twilio answered with HTTP {status}.", outage=f"Twilio answers {status}")


def _sent(text: Any) -> TwilioMessage:
    return TwilioMessage(
        sid=text.sid,
        status=twilio_codes.status(text.status),
        to=text.to or "",
        sender=text.from_ or text.messaging_service_sid or "",
        body=text.body or "",
        created_at=text.date_created,
        error_code=text.error_code or None,
        segments=_number(text.num_segments),
    )


def _number(word: Any) -> int:
    return int(word) if str(word).isdigit() else 0
