"""Providers that call about Martin's parcel, signed as each of them signs."""

import base64
import hashlib
import hmac
import json
import unicodedata
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
import time_machine
from pydantic import SecretStr

from portal.models import SYSTEM_ACTOR, Event, EventKind, ServiceRequest
from portal.operations import record_third_party_update
from portal.settings import Settings
from tests.operations.third_parties.conftest import PARCEL
from tests.support.factories import Organisation

PAYLOADS = Path(__file__).parent / "payloads"
NUMBER = "JD014600003512345678"
SECRETS = {"aftership": "the secret of AfterShip", "easypost": "sécret ﬁve", "generic": "our own"}
PROVIDERS = [*SECRETS]

Call = Callable[..., Awaitable[httpx2.Response]]

every_provider = pytest.mark.parametrize("provider", PROVIDERS)


def payload(provider: str) -> Any:
    """The recorded call of this provider, about a parcel that is out for delivery."""
    return json.loads((PAYLOADS / f"{provider}.json").read_text())


def sign(provider: str, body: bytes, secret: str, at: datetime | None = None) -> dict[str, str]:
    """The header by which this provider signs the body."""
    if provider == "easypost":
        key = unicodedata.normalize("NFKD", secret).encode()
        return {"X-Hmac-Signature": f"hmac-sha256-hex={_digest(key, body).hex()}"}
    if provider == "aftership":
        digest = _digest(secret.encode(), body)
        return {"aftership-hmac-sha256": base64.b64encode(digest).decode()}
    seconds = int((at or datetime.now(UTC)).timestamp())
    digest = _digest(secret.encode(), f"{seconds}.".encode() + body)
    return {"Kept-Signature": f"t={seconds},v1={digest.hex()}"}


def _digest(key: bytes, body: bytes) -> bytes:
    return hmac.new(key, body, hashlib.sha256).digest()


async def third_party_events(organisation: Organisation, request: ServiceRequest) -> list[Event]:
    """The events of third parties of this request, oldest first."""
    return [
        event for event in await organisation.events(request)
        if event.kind == EventKind.THIRD_PARTY_UPDATED
    ]  # fmt: skip


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With the secrets of all providers, each the second of two."""
    names = {"aftership": "aftership_secrets", "easypost": "easypost_secrets",
             "generic": "third_party_secrets"}  # fmt: skip
    return settings.model_copy(
        update={
            names[provider]: (SecretStr("an older one"), SecretStr(secret))
            for provider, secret in SECRETS.items()
        }
    )


@pytest.fixture
async def parcel(clock: time_machine.Traveller, organisation: Organisation) -> ServiceRequest:
    """Martin's parcel, expected on Thursday 5 June, with its number."""
    await organisation.load(PARCEL)
    request = await organisation.open("parcel", by=SYSTEM_ACTOR)
    return await organisation.run(
        record_third_party_update, request, words="Handed over", tracking_number=NUMBER,
        at=datetime(2025, 6, 2, 9, tzinfo=UTC), by=SYSTEM_ACTOR,
    )  # fmt: skip


@pytest.fixture
def call(client: httpx2.AsyncClient) -> Call:
    """Calls the webhook of a provider, signed."""

    async def post(
        provider: str, document: Any, *, secret: str | None = None, at: datetime | None = None
    ) -> httpx2.Response:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        headers = sign(provider, body, secret or SECRETS[provider], at)
        return await client.post(f"/hooks/third-party/{provider}", content=body, headers=headers)

    return post
