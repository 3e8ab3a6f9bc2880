"""A request of a customer without an e-mail address."""

import pytest

from portal.models import ServiceRequest
from tests.desk.failed_messages.lost_texts import PHONE_ONLY
from tests.support.factories import Organisation


@pytest.fixture
async def card(organisation: Organisation) -> ServiceRequest:
    """A card of a Martin who has no e-mail: what fails by text fails."""
    return await organisation.open(customer=PHONE_ONLY, by=organisation.people.tess.actor)
