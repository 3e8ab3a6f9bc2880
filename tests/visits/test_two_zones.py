"""An hour that staff write to a customer in another zone is read by both in the same way."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from portal.models import SYSTEM_ACTOR
from tests.support.factories import MARTIN
from tests.tracking.page_requests import link, read

pytestmark = pytest.mark.either_database


@pytest.fixture
async def theirs(loan, organisation):
    """A customer in Los Angeles, three hours behind the desk in New York."""
    far = replace(MARTIN, phone="+14155550199", email=None, timezone="America/Los_Angeles")
    return await organisation.open("loan", far, by=SYSTEM_ACTOR)


async def test_hour_is_followed_by_the_customers_own(theirs, api, client, organisation):
    """In the text, and on the page "at" stays "at"."""
    answer = await api.post(
        f"/requests/{theirs.reference}/messages", json={"body": "I'll call you tomorrow at 3 pm."}
    )
    assert answer.status_code == 201
    assert "I'll call you tomorrow at 3 pm (Noon your time)." in answer.json()["body"]
    [promise] = (await organisation.reload(theirs)).promises
    assert promise.due_at == promise.not_before_at == datetime(2025, 6, 4, 19, tzinfo=UTC)
    text = read(await client.get(link(theirs)))
    assert "I'll call you at noon on Wed 4 Jun." in text
    assert "by tomorrow" not in text


@pytest.mark.parametrize(
    "body",
    [
        "I'll call you tomorrow at 3 pm your time.",
        "I'll call you tomorrow at 3 pm (noon for you).",
        "I'll call you within 2 hours.",
        "I'll call you by Friday.",
        "The fee is 3 dollars.",
    ],
)
async def test_other_text_stays_as_it_is_written(theirs, api, body):
    answer = await api.post(f"/requests/{theirs.reference}/messages", json={"body": body})
    assert body in answer.json()["body"]


async def test_customer_in_the_same_zone_reads_one_hour(loan, api):
    answer = await api.post(
        f"/requests/{loan.reference}/messages", json={"body": "I'll call you tomorrow at 3 pm."}
    )
    assert "your time" not in answer.json()["body"]
