"""A call of a provider that somebody repeats later is the same event."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.webhooks.third_parties.conftest import SECRETS, payload, sign, third_party_events

pytestmark = pytest.mark.either_database


@pytest.mark.parametrize("is_timed", [True, False])
@pytest.mark.parametrize("provider", ["aftership", "easypost"])
async def test_repeated_old_call_changes_nothing(
    client, clock, organisation, parcel, provider, is_timed
):
    """These providers sign no time, so it is known by its event; a time that others add is ignored."""
    document = payload(provider)
    if not is_timed:
        document = json.loads(
            re.sub(
                r'"(checkpoint_time|ts|datetime|updated_at)": [^,}]+',
                r'"\1": null',
                json.dumps(document),
            )
        )
    body = json.dumps(document).encode()
    headers = sign(provider, body, SECRETS[provider])
    for minutes in (0, 30, 600):
        clock.shift(timedelta(minutes=minutes))
        added = {"Kept-Signature": f"t={int(datetime.now(UTC).timestamp())},v1=00"}
        answer = await client.post(
            f"/hooks/third-party/{provider}", content=body, headers=headers | added
        )
        assert answer.status_code == 204
    assert len(await third_party_events(organisation, parcel)) == 2, "with the first update"
