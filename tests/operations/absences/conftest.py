"""A fixture that marks staff as absent."""

import pytest

from portal.models import SYSTEM_ACTOR
from portal.operations import mark_absent


@pytest.fixture
async def away(clock, organisation):
    """Mark somebody of the cast as away; nobody has to stand in."""

    async def away(name, **words):
        await organisation.run_unbound(
            mark_absent, email=f"{name}@acme.example", by=SYSTEM_ACTOR, **words
        )

    return away
