"""A promise that a request has outlived, as the status page shows it."""

from datetime import timedelta

import httpx2
import pytest
import time_machine

from portal.models import ServiceRequest
from portal.operations import cancel, make_promise
from tests.support.factories import Organisation
from tests.tracking.page_requests import link, read

pytestmark = pytest.mark.either_database


@pytest.mark.parametrize(
    ("wait", "sentence"),
    [
        (timedelta(hours=1), "Tess: I will call you. No longer needed."),
        (timedelta(days=2), "Tess: I will call you. We did not get to this, and are sorry."),
    ],
)
async def test_promise_not_due_at_the_end_is_no_longer_needed(
    clock: time_machine.Traveller,
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    wait: timedelta,
    sentence: str,
) -> None:
    tess = organisation.people.tess.actor
    await organisation.run(
        make_promise, card_request, text="I will call you.",
        due_at=card_request.opened_at + timedelta(days=1), by=tess,
    )  # fmt: skip
    clock.shift(wait)
    await organisation.run(cancel, card_request, reason="They asked.", by=tess)
    assert sentence in read(await client.get(link(card_request)))
