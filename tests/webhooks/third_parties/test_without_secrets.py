"""Without a secret there is no webhook."""

import pytest
from prometheus_client import REGISTRY

from portal.webhooks.third_parties.endpoint import PROVIDERS

pytestmark = pytest.mark.either_database


@pytest.fixture
def settings(settings):
    """As in a new installation."""
    empty = {"aftership_secrets": (), "easypost_secrets": (), "third_party_secrets": ()}
    return settings.model_copy(update=empty)


@pytest.mark.parametrize("provider", [provider.key for provider in PROVIDERS])
async def test_webhook_without_a_secret_is_not_there(client, provider):
    answer = await client.post(f"/hooks/third-party/{provider}", content=b"{}")
    assert answer.status_code == 404


def test_calls_are_counted_by_provider_and_outcome():
    names = {metric.name for metric in REGISTRY.collect()}
    assert "kept_third_party_calls" in names
