"""Twilio's side of the webhooks: what it tells us, signed as it signs."""

from urllib.parse import urlencode

import httpx2
from twilio.request_validator import RequestValidator

from portal.models import CUSTOMER_ACTOR, Direction, Message
from portal.operations import receive_text
from portal.settings import Settings
from tests.support.factories import Organisation

PHONE = "+14155550132"
INBOUND = "/hooks/twilio/inbound"


class TwilioClient:
    """Calls our webhooks as Twilio does, signed for the public address."""

    def __init__(self, client: httpx2.AsyncClient, settings: Settings) -> None:
        self._client = client
        self._origin = settings.public_url
        self._signer = RequestValidator(settings.twilio_auth_tokens[0].get_secret_value())

    async def post(
        self, path: str, form: dict[str, str], *, host: str | None = None, sign: bool = True
    ) -> int:
        """Post a form; gives the status."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if sign:
            headers["X-Twilio-Signature"] = self._signer.compute_signature(
                self._origin + path, form
            )
        if host is not None:
            headers["Host"] = host
        answer = await self._client.post(path, content=urlencode(form), headers=headers)
        return answer.status_code

    async def text(self, body: str, sid: str = "SM1", **more: str) -> int:
        """A customer's text."""
        form = {"MessageSid": sid, "From": PHONE, "To": "+15005550006", "Body": body, **more}
        return await self.post(INBOUND, form)

    async def receipt(self, message: Message, word: str, sid: str = "SMout", **more: str) -> int:
        """How far one of our texts has come."""
        return await self.post(
            f"/hooks/twilio/status?m={message.id}",
            {"MessageSid": sid, "MessageStatus": word, **more},
        )


class CustomerPhone:
    """A customer's phone, Martin's unless it is said: what it sends, each text with its own sid."""

    def __init__(self, organisation: Organisation) -> None:
        self._house = organisation
        self._sent = 0

    async def __call__(self, body: str, sender: str = PHONE, sid: str | None = None) -> Message:
        """Send a text; gives the newest message of the house, which may be our answer to it."""
        self._sent += 1
        await self._house.run_unbound(
            receive_text, sid=sid or f"SM{self._sent}", sender=sender, to="+15005550006",
            body=body, by=CUSTOMER_ACTOR,
        )  # fmt: skip
        return (await self._house.messages())[-1]

    async def heard(self) -> list[Message]:
        """What has come in, oldest first."""
        return [one for one in await self._house.messages() if one.direction == Direction.IN]
