"""A request of a customer who reads Arabic."""

from dataclasses import replace

import pytest

from portal.models import ServiceRequest
from tests.support.factories import MARTIN, Organisation


@pytest.fixture
async def arabs(organisation: Organisation) -> ServiceRequest:
    """A request of somebody who reads Arabic."""
    return await organisation.open(
        customer=replace(MARTIN, locale="ar"), by=organisation.people.tess.actor
    )
