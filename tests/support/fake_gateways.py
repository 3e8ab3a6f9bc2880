"""The carrier and the mail server in the process of the test."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from typing import cast

from portal import business_time
from portal.demo.fake_providers import CarrierConfig, Fault, FaultKind
from portal.demo.fake_providers.account import Account
from portal.demo.fake_providers.errors import CarrierError
from portal.demo.fake_providers.faults import ANSWER_FAULTS
from portal.demo.fake_providers.sms import Text
from portal.messaging.send_errors import FailureRule, OutcomeUnknown, Refused, Throttled
from portal.messaging.sms import twilio_codes
from portal.messaging.sms.sender_address import channel_address
from portal.messaging.sms.twilio_client import (
    Accepted,
    TwilioClient,
    TwilioMessage,
    WhatsAppContent,
)
from portal.models import Channel, MessageStatus, Transport
from portal.operations import Operations
from tests.support.factories import ORIGIN
from workers.delivery.deliver import ChannelSender
from workers.delivery.gateways import Gateway, SmsGateway
from workers.delivery.stored_claims import OutgoingMessage

SENDER = "+15005550006"


@dataclass
class InProcessCarrier:
    """Answers as ``TwilioClient`` does, from a fake carrier's account.

    ``on_accepted`` is called with each text that the carrier has accepted.
    """

    account: Account
    on_accepted: Callable[[Text], None]

    @property
    def sender(self) -> str:
        """Our number at the carrier."""
        return self.account.config.from_number

    @property
    def sends_by_service(self) -> bool:
        """Whether the account has a messaging service."""
        return self.account.config.messaging_service_sid is not None

    async def send(
        self,
        to: str,
        body: str,
        status_callback: str,
        validity_seconds: int | None = None,
        *,
        whatsapp: WhatsAppContent | None = None,
    ) -> Accepted:
        """See ``TwilioClient.send``."""
        del validity_seconds
        verdict = twilio_codes.whatsapp_verdict if whatsapp else twilio_codes.verdict
        fault = self.account.faults.take(ANSWER_FAULTS, to=to)
        if fault is not None and not fault.accepts:
            raise _problem(fault, verdict)
        form = {"To": to, "From": self.sender, "Body": body, "StatusCallback": status_callback}
        if self.sends_by_service:
            form["MessagingServiceSid"] = self.account.config.messaging_service_sid or ""
        if whatsapp is not None:
            form["To"] = channel_address(to, Transport.WHATSAPP)
            form["ContentSid"] = whatsapp.content_sid
            form["ContentVariables"] = whatsapp.content_variables
        try:
            text = self.account.accept(form)
        except CarrierError as refusal:
            raise Refused(refusal.code, verdict(refusal.code)) from None
        self.on_accepted(text)
        if fault is not None:
            raise _problem(fault, verdict)
        segments = 0 if whatsapp else text.segments
        return Accepted(text.sid, twilio_codes.status(text.status), segments)

    async def probe(self) -> None:
        """See ``TwilioClient.probe``."""
        fault = self.account.faults.take(ANSWER_FAULTS, to="")
        if fault is not None:
            raise _problem(fault)

    async def fetch(self, sid: str) -> TwilioMessage | None:
        """See ``TwilioClient.fetch``."""
        text = self.account.find(sid)
        return _sent(text) if text else None

    async def find_sent(
        self, to: str | None, since: datetime, until: datetime
    ) -> list[TwilioMessage]:
        """See ``TwilioClient.find_sent``."""
        texts = self.account.texts() if to is None else self.account.thread(to)
        return [_sent(text) for text in texts if since <= text.created_at < until]

    async def close(self) -> None:
        """Close nothing: no connection is open."""


def _problem(
    fault: Fault, verdict: Callable[[int], FailureRule] = twilio_codes.verdict
) -> OutcomeUnknown | Refused | Throttled:
    """The error that the product's gateway makes of a spoiled answer."""
    if fault.do is FaultKind.STATUS_429:
        return Throttled("Twilio asks us to slow down.")
    if fault.do is FaultKind.ERROR:
        return Refused(fault.code or 0, verdict(fault.code or 0))
    if fault.do is FaultKind.STATUS_500:
        return OutcomeUnknown("Twilio answered with HTTP 500.", outage="Twilio answers 500")
    if fault.do is FaultKind.DROP_CONNECTION_BEFORE:
        return OutcomeUnknown("No sure answer from Twilio.", outage="Twilio does not answer")
    return OutcomeUnknown("No sure answer from Twilio: the connection was lost.")


def _sent(text: Text) -> TwilioMessage:
    return TwilioMessage(
        text.sid, twilio_codes.status(text.status), text.to, text.from_, text.body,
        text.created_at, text.error_code, text.segments,
    )  # fmt: skip


@dataclass
class FakeMailer:
    """Accepts every mail, as ``SmtpClient`` does. A mail that comes twice is one mail to its reader.

    ``on_first`` is called with the Message-ID of each new one.
    """

    on_first: Callable[[str], None]
    times: Counter[str] = field(default_factory=Counter)
    """How often each Message-ID has come."""

    async def send(self, message: EmailMessage, envelope_from: str = "") -> None:
        """See ``SmtpClient.send``."""
        del envelope_from
        message_id = str(message["Message-ID"])
        self.times[message_id] += 1
        if self.times[message_id] == 1:
            self.on_first(message_id)


@dataclass
class FakeSmsGateway:
    """The customers' phones, as the worker's gateway for texts: what they show, in order.

    ``refuses`` is the error code with which the carrier refuses everything, if it does.
    """

    sender = SENDER
    channel = Channel.SMS
    max_concurrent = 100
    sent_bodies: list[str] = field(default_factory=list)
    reject_code: int | None = None
    config: CarrierConfig = field(default_factory=lambda: CarrierConfig(from_number=SENDER))

    def __post_init__(self) -> None:
        self.account = Account(self.config, now=business_time.now)
        self.faults = self.account.faults
        if self.reject_code is not None:
            self.faults.add(Fault(do=FaultKind.ERROR, code=self.reject_code))
        carrier = InProcessCarrier(self.account, lambda text: self.sent_bodies.append(text.body))
        self.gateway = SmsGateway(cast(TwilioClient, carrier), ORIGIN)

    async def probe(self) -> None:
        """See ``SmsGateway.probe``."""
        await self.gateway.probe()

    async def send(self, message: OutgoingMessage, check_claim: Callable[[], None]) -> Accepted:
        """See ``SmsGateway.send``."""
        return await self.gateway.send(message, check_claim)


@dataclass
class FakeEmailGateway:
    """The customers' mailboxes, as the worker's gateway for mails: the words, in order."""

    sender = SENDER
    channel = Channel.EMAIL
    max_concurrent = 100
    sent_bodies: list[str] = field(default_factory=list)

    async def send(self, message: OutgoingMessage, check_claim: Callable[[], None]) -> Accepted:
        """See ``SmtpGateway.send``."""
        check_claim()
        self.sent_bodies.append(message.body)
        return Accepted(message.provider_sid or "", MessageStatus.SENT, 0)

    async def probe(self) -> None:
        """See ``SmtpGateway.probe``."""


async def delivered_bodies(
    operations: Operations, phone: FakeSmsGateway | FakeEmailGateway
) -> list[str]:
    """Send all that is due, in one pass of a worker; gives what the phone shows after it."""
    await deliver_due(operations, phone)
    return phone.sent_bodies


async def deliver_due(operations: Operations, gateway: Gateway) -> None:
    """Send all that is due and may go by this gateway, in one pass of a worker."""
    channel_sender = ChannelSender(operations, gateway)
    while await channel_sender._deliver_batch():
        await channel_sender.finish(within=5)
