"""A waiting handoff, and promises to the customer and to staff."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.operations import advance, make_promise
from tests.operations.promises import SOON


@pytest.fixture
async def handed_off(clock, organisation, card_request):
    """Tess has finished after an hour; Underwriting has not taken it up yet."""
    clock.shift(timedelta(hours=1))
    return await organisation.run(advance, card_request, by=organisation.people.tess.actor)


@pytest.fixture
async def promised(clock, organisation):
    """Tess has promised Martin a call in three hours."""
    card = await organisation.open(by=organisation.people.tess.actor)
    return await organisation.run(
        make_promise, card, text="I will call you about the limit",
        due_at=datetime.now(UTC) + SOON, by=organisation.people.tess.actor,
    )  # fmt: skip


@pytest.fixture
def quietly(organisation):
    """Makes a promise that the customer does not know of."""

    async def make(request, **words):
        due_at = datetime.now(UTC) + SOON
        return await organisation.run(
            make_promise, request, text="Ask the bank", due_at=due_at, tell=False,
            by=organisation.people.tess.actor, **words,
        )  # fmt: skip

    return make
