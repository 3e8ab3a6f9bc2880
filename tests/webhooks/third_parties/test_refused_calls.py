"""Which calls about a third party are refused: unsigned, expired, unusable or too large."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.webhooks.third_parties.conftest import (
    NUMBER,
    every_provider,
    payload,
    sign,
    third_party_events,
)

pytestmark = pytest.mark.either_database


@every_provider
async def test_wrong_signature_is_refused_and_changes_nothing(
    call, client, organisation, parcel, provider
):
    body = json.dumps(payload(provider)).encode()
    url = f"/hooks/third-party/{provider}"
    good = sign(provider, body, "no secret of ours")
    unsigned = [
        {}, good, dict.fromkeys(good, ""), dict.fromkeys(good, "é"),
        {name: value[:-2] for name, value in sign(provider, body, "an older one").items()},
    ]  # fmt: skip
    for headers in unsigned:
        answer = await client.post(
            url, content=body, headers={k: v.encode() for k, v in headers.items()}
        )
        assert answer.status_code == 403, headers
    changed = sign(provider, body, "an older one")
    assert (await client.post(url, content=body + b" ", headers=changed)).status_code == 403
    assert len(await third_party_events(organisation, parcel)) == 1
    assert (await client.post(url, content=body, headers=changed)).status_code == 204


async def test_newer_header_of_aftership_is_read_too(client, organisation, parcel):
    body = json.dumps(payload("aftership")).encode()
    signature = sign("aftership", body, "an older one")["aftership-hmac-sha256"]
    answer = await client.post(
        "/hooks/third-party/aftership", content=body,
        headers={"as-signature-hmac-sha256": signature},
    )  # fmt: skip
    assert answer.status_code == 204


@pytest.mark.parametrize("minutes", [-6, 6])
async def test_own_call_that_is_signed_long_ago_is_refused(call, parcel, minutes):
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    assert (await call("generic", payload("generic"), at=at)).status_code == 403


@pytest.mark.parametrize(
    "document",
    [
        {}, {"number": ""}, {"number": NUMBER, "code": "teleported"}, {"number": 5},
        {"number": NUMBER, "code": "in_transit", "time": "2025-06-03T13:05:00"},
        {"number": NUMBER, "code": "in_transit", "more": 1},
        {"number": NUMBER, "code": "in_transit", "place": "x" * 81},
        {"number": NUMBER}, {"number": NUMBER, "description": " "},
        {"number": NUMBER, "code": "in_transit", "estimated_date": "next week"},
        {"number": NUMBER, "code": "in_transit", "estimated_date": 1749000000},
        {"number": NUMBER, "code": "in_transit", "estimated_date": "2025-06-07T10:00:00"},
    ],
)  # fmt: skip
async def test_own_call_with_unusable_fields_is_refused(call, organisation, parcel, document):
    answer = await call("generic", document)
    assert answer.status_code == 422
    assert len(await third_party_events(organisation, parcel)) == 1


STRANGE = [
    b"", b"{", b"[]", b"null", b"5", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"a":' * 50_000,
    b'{"msg": 5, "result": []}', b'{"msg": {"checkpoints": 5, "tracking_number": {}, "tag": []}}',
    b'{"msg": {"tag": "Delivered", "tracking_number": "\\ud800", "checkpoints": [5]}, "ts": true}',
    b'{"msg": {"tag": "Delivered", "tracking_number": "JD1", "checkpoints": [[]]}, "ts": 1e999}',
    b'{"result": {"object": "Tracker", "status": "delivered", "tracking_code": "-", "carrier": 5}}',
    b'{"result": {"object": "Tracker", "status": ["x"], "tracking_details": [null]}}',
    b'{"number": "JD1", "time": 9e99}', b'{"number": NaN}', b'{"ts": ' + b"9" * 5_000 + b"}",
]  # fmt: skip


@every_provider
@pytest.mark.parametrize("number", range(len(STRANGE)))
async def test_strange_json_is_never_an_error_of_ours(call, parcel, provider, number):
    answer = await call(provider, STRANGE[number])
    assert answer.status_code in {204, 422}, answer.text


@every_provider
async def test_large_call_is_refused_unread(call, parcel, provider):
    assert (await call(provider, b" " * 500_001)).status_code == 413
