"""A mailbox on loopback, and the mail server of the tests."""

from collections.abc import Iterator

import httpx2
import pytest

from portal.demo.fake_providers import FakeProviders
from portal.operations import Operations
from portal.settings import Settings
from tests.messaging.email.mail_server import MailServer


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
