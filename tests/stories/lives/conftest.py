"""Makes lives: customers with the settings of an organisation that texts, mails and keeps nights quiet."""

from collections.abc import Callable
from datetime import time

import httpx2
import pytest
import time_machine

from portal.operations import CustomerDetails, Operations
from portal.settings import Settings
from portal.settings.types import QuietHours
from tests.stories.lives.life import Edges, Life
from tests.support.twilio_client import TwilioClient

NewLife = Callable[[CustomerDetails, str], Life]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(
        update={
            "brand": "Acme",
            "mail_from": "Acme <care@acme.example>",
            "quiet_hours": QuietHours(time(21), time(8)),
        }
    )


@pytest.fixture
def new_life(
    clock: time_machine.Traveller,
    operations: Operations,
    api: httpx2.AsyncClient,
    client: httpx2.AsyncClient,
    twilio: TwilioClient,
) -> NewLife:
    """Makes the life of a customer, with the title of its transcript."""
    edges = Edges(operations, clock, api, client, twilio)
    return lambda customer, title: Life(edges, customer, title)
