"""A delivered card, and the confirmation of its receipt."""

import pytest
import time_machine

from portal.models import SYSTEM_ACTOR
from portal.operations import accept, advance
from tests.operations.endings.receipts import Receipt
from tests.support.factories import Organisation
from tests.support.twilio_client import CustomerPhone


@pytest.fixture
async def delivered(clock, organisation):
    """Martin's card is with him, says the courier."""
    card = await organisation.open(by=organisation.people.tess.actor)
    for taker in (organisation.people.uma, organisation.people.pia, organisation.people.carl):
        await organisation.run(advance, card, by=SYSTEM_ACTOR)
        await organisation.run(accept, card, by=taker.actor)
    await organisation.run(advance, card, by=organisation.people.carl.actor)
    return await organisation.run(advance, card, by=organisation.people.carl.actor)


@pytest.fixture
async def receipt(
    clock: time_machine.Traveller, organisation: Organisation, texts: CustomerPhone
) -> Receipt:
    return Receipt(organisation, clock, texts)
