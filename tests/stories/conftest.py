"""A request with three parallel stages."""

import pytest

from portal.models import ServiceRequest
from portal.operations import accept, advance
from tests.support.factories import Organisation


@pytest.fixture
async def reviews(organisation: Organisation) -> ServiceRequest:
    """A permit in three reviews at once, which Cora of the counter coordinates."""
    people = organisation.people
    permit = await organisation.open("permit", by=people.cora.actor)
    await organisation.run(advance, permit, by=people.cora.actor)
    return await organisation.run(accept, permit, by=people.finn.actor)
