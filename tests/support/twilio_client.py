"""Webhook calls of Twilio, signed by Twilio's library."""

from urllib.parse import urlencode

import httpx2
from twilio.request_validator import RequestValidator

from portal.demo.fake_providers import SIMULATED_SID, CarrierConfig
from portal.demo.fake_providers.account import Account
from portal.demo.fake_providers.webhooks import inbound_parameters
from portal.models import CUSTOMER_ACTOR, Direction, Message
from portal.operations import receive_text
from portal.settings import Settings
from tests.support.factories import MARTIN, Organisation
from tests.support.fake_gateways import SENDER

PHONE = MARTIN.phone or ""
INBOUND = "/hooks/twilio/inbound"


class TwilioClient:
    """Calls our webhooks as Twilio does, signed for the public address."""

    def __init__(self, client: httpx2.AsyncClient, settings: Settings) -> None:
        self._client = client
        self._origin = settings.public_url
        self._account = Account(CarrierConfig(from_number=SENDER))
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
        """Announce a customer's text."""
        text, _ = self._account.receive_from_phone(PHONE, body, sid=sid)
        form = inbound_parameters(SIMULATED_SID, text, None)
        return await self.post(INBOUND, {**form, "Body": body, **more})

    async def receipt(self, message: Message, word: str, sid: str = "SMout", **more: str) -> int:
        """Report a status of one of our texts."""
        return await self.post(
            f"/hooks/twilio/status?m={message.id}",
            {"MessageSid": sid, "MessageStatus": word, **more},
        )


class CustomerPhone:
    """A customer's phone, Martin's by default. Each text has a sid of its own."""

    def __init__(self, organisation: Organisation) -> None:
        self._house = organisation
        self._sent = 0

    async def __call__(self, body: str, sender: str = PHONE, sid: str | None = None) -> Message:
        """Send a text; gives the newest message, which may be our answer to it."""
        self._sent += 1
        await self._house.run_unbound(
            receive_text, sid=sid or f"SM{self._sent}", sender=sender, to=SENDER,
            body=body, by=CUSTOMER_ACTOR,
        )  # fmt: skip
        return (await self._house.messages())[-1]

    async def heard(self) -> list[Message]:
        """The messages that we have received, oldest first."""
        return [
            message for message in await self._house.messages() if message.direction == Direction.IN
        ]
