"""A mailbox on loopback, and the mail server of the tests."""

from collections.abc import Iterator

import httpx2
import pytest

from portal.demo.fake_providers import FakeProviders
from portal.models import Channel, ServiceRequest
from portal.operations import Operations, write_to_customer
from portal.settings import Settings
from tests.messaging.email.mail_server import MailServer
from tests.support.factories import Organisation


@pytest.fixture(scope="module")
def mailbox() -> Iterator[FakeProviders]:
    """A mailbox, empty at the beginning of each test."""
    with FakeProviders() as simulator:
        yield simulator


@pytest.fixture
def settings(settings: Settings, mailbox: FakeProviders) -> Settings:
    """With mail."""
    mailbox.mailbox.forget()
    told = {"smtp_url": mailbox.smtp_url, "mail_from": "Acme Bank <desk@acme.example>"}
    return settings.model_copy(update=told)


@pytest.fixture
def server(
    client: httpx2.AsyncClient, operations: Operations, mailbox: FakeProviders
) -> MailServer:
    """What takes our mail, and brings us what customers send."""
    return MailServer(client, operations, mailbox)


@pytest.fixture
async def mailed(
    organisation: Organisation, card_request: ServiceRequest, server: MailServer
) -> ServiceRequest:
    """Tess has written to Martin by mail, and it has gone out."""
    by_mail = {"channels": [Channel.EMAIL], "by": organisation.people.tess.actor}
    request = await organisation.run(
        write_to_customer, card_request, body="Please call us.", **by_mail
    )
    await server.deliver()
    return request
