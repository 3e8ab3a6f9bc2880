"""The ground of the mail tests: a mailbox on loopback, and a mail server that talks to us."""

from collections.abc import Iterator

import httpx2
import pytest

from portal.demo.fake_providers import Simulator
from portal.operations import Relay
from portal.settings import Settings
from tests.messaging.email.mail_server import MailServer


@pytest.fixture(scope="module")
def box() -> Iterator[Simulator]:
    """A mailbox, empty at the beginning of each test."""
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def settings(settings: Settings, box: Simulator) -> Settings:
    """With mail."""
    box.mailbox.forget()
    told = {"smtp_url": box.smtp_url, "mail_from": "Acme Bank <desk@acme.example>"}
    return settings.model_copy(update=told)


@pytest.fixture
def server(client: httpx2.AsyncClient, relay: Relay, box: Simulator) -> MailServer:
    """What takes our mail, and brings us what customers send."""
    return MailServer(client, relay, box)
