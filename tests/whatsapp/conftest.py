"""A messaging service with a WhatsApp sender, and a customer's WhatsApp that talks to it."""

import pytest
import time_machine

from portal.demo.fake_providers import SIMULATED_SID, CarrierConfig, Text
from portal.demo.fake_providers.account import delivery_steps
from portal.demo.fake_providers.webhooks import inbound_parameters, status_parameters
from portal.models import SYSTEM_ACTOR, Direction, Message, ServiceRequest
from portal.operations import accept, advance
from portal.settings import Settings
from portal.whatsapp import WhatsAppTemplate, WhatsAppTemplates
from tests.support.factories import Organisation
from tests.support.fake_gateways import SENDER, FakeSmsGateway, deliver_due
from tests.support.twilio_client import INBOUND, PHONE, TwilioClient

SERVICE = "MG" + "0" * 32
WHATSAPP_NUMBER = "+14155550199"
BY_WHATSAPP = f"whatsapp:{PHONE}"
TEMPLATE_SID = "HX" + "a" * 32
TEMPLATE_BODY = "Acme Bank about {{1}}: {{2}} All of it: {{3}} Reply STOP to end."
TEMPLATES = WhatsAppTemplates(
    {("milestone", "en"): WhatsAppTemplate(TEMPLATE_SID, {"1": "title", "2": "text", "3": "link"})}
)


class WhatsAppStory:
    """The carrier, a worker, and Martin's phone with WhatsApp; receipts come when asked for."""

    def __init__(self, twilio: TwilioClient, organisation: Organisation) -> None:
        self._twilio, self._organisation = twilio, organisation
        self.phone = FakeSmsGateway(
            config=CarrierConfig(
                from_number=SENDER,
                messaging_service_sid=SERVICE,
                whatsapp_number=WHATSAPP_NUMBER,
                templates={TEMPLATE_SID: TEMPLATE_BODY},
                rcs_agent="acme_agent",
                reads_messages=True,
            )
        )
        self.account = self.phone.account
        self._reported: set[str] = set()

    async def write(self, body: str, sender: str = BY_WHATSAPP) -> None:
        """Martin writes; Twilio announces it."""
        text, keyword = self.account.receive_from_phone(sender, body)
        assert (
            await self._twilio.post(INBOUND, inbound_parameters(SIMULATED_SID, text, keyword))
            == 200
        )

    async def deliver(self) -> None:
        """Send what is due, and report each text's statuses to its end; again for what follows."""
        for _ in range(3):
            await deliver_due(self._organisation.operations, self.phone)
            for text in self.sent():
                await self._report(text)

    async def _report(self, text: Text) -> None:
        if text.sid in self._reported or not text.status_callback:
            return
        self._reported.add(text.sid)
        path = text.status_callback.removeprefix("http://testserver")
        for step in delivery_steps(text.faults, 0, 0, is_read=":" in text.to):
            self.account.move(text, step.status, step.error_code)
            form = status_parameters(SIMULATED_SID, text, step.status, step.error_code)
            assert await self._twilio.post(path, form) == 204

    def sent(self) -> list[Text]:
        """What the carrier has accepted, oldest first."""
        return [text for text in self.account.texts() if not text.is_inbound]

    def ways(self) -> list[str]:
        """The recipients of what the carrier has accepted, as Twilio addresses them."""
        return [text.to for text in self.sent()]

    async def messages(self) -> list[Message]:
        """Our messages by text, oldest first."""
        return [
            message
            for message in await self._organisation.messages()
            if message.direction == Direction.OUT
        ]


async def next_stage(organisation: Organisation, request: ServiceRequest) -> None:
    """The card passes to Underwriting, which the customer is told."""
    await organisation.run(advance, request, by=SYSTEM_ACTOR)
    await organisation.run(accept, request, by=organisation.people.uma.actor)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings with WhatsApp on, and a template for milestones in English."""
    return settings.model_copy(
        update={
            "twilio_from_number": None,
            "twilio_messaging_service_sid": SERVICE,
            "whatsapp": True,
            "whatsapp_templates": TEMPLATES,
            # Twilio answers keywords, but none that comes by WhatsApp.
            "twilio_answers_keywords": True,
        }
    )


@pytest.fixture
def story(
    clock: time_machine.Traveller, twilio: TwilioClient, organisation: Organisation
) -> WhatsAppStory:
    return WhatsAppStory(twilio, organisation)
