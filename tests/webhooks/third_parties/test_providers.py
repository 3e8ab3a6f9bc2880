"""What AfterShip, EasyPost and systems of our own post becomes events of third parties."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import REGISTRY

from portal.models import SYSTEM_ACTOR, MessageKind, ThirdPartyCode
from portal.operations import cancel, record_third_party_update
from tests.support.factories import MARTHA
from tests.webhooks.third_parties.conftest import (
    NUMBER,
    every_provider,
    payload,
    third_party_events,
)

pytestmark = pytest.mark.either_database


def count(provider, outcome):
    labels = {"provider": provider, "outcome": outcome}
    return REGISTRY.get_sample_value("kept_third_party_calls_total", labels) or 0


@every_provider
async def test_call_becomes_an_event_with_code_place_time_and_date(
    call, organisation, parcel, provider
):
    answer = await call(provider, payload(provider))
    assert answer.status_code == 204, answer.text
    [run] = (await organisation.reload(parcel)).open_runs
    assert run.third_party_code == ThirdPartyCode.OUT_FOR_DELIVERY
    assert run.third_party_code_at == datetime(2025, 6, 3, 13, 5, tzinfo=UTC)
    assert run.third_party == "DHL"
    assert run.due_at == datetime(2025, 6, 7, 0, tzinfo=UTC), "8 pm of the day in New York"
    event = (await third_party_events(organisation, parcel))[-1]
    assert event.data["place"] == "Newark"
    assert event.data["words"] == "Shipment is out with courier for delivery"
    assert event.actor_name in {"AfterShip", "EasyPost", "Third party"}
    delays = [
        message for message in await organisation.outbound_messages(parcel)
        if message.kind == MessageKind.DELAY
    ]  # fmt: skip
    assert len(delays) == 1


@every_provider
async def test_repeated_call_is_recorded_once(call, organisation, parcel, provider):
    before = count(provider, "repeated")
    assert (await call(provider, payload(provider))).status_code == 204
    assert (await call(provider, payload(provider))).status_code == 204
    assert len(await third_party_events(organisation, parcel)) == 2, "with the first update"
    assert count(provider, "repeated") == before + 1


@every_provider
async def test_unknown_number_is_accepted_and_counted(call, organisation, parcel, provider):
    before = count(provider, "unknown")
    text = json.dumps(payload(provider)).replace(NUMBER, "JD999")
    assert (await call(provider, text.encode())).status_code == 204
    assert count(provider, "unknown") == before + 1
    assert len(await third_party_events(organisation, parcel)) == 1


@every_provider
async def test_number_of_two_requests_reaches_each_open_one(call, organisation, parcel, provider):
    requests = [parcel]
    for _ in range(2):
        request = await organisation.open("parcel", MARTHA, by=SYSTEM_ACTOR)
        requests.append(
            await organisation.run(
                record_third_party_update, request, words="Handed over",
                tracking_number=f" {NUMBER[:4]} {NUMBER[4:].lower()}", by=SYSTEM_ACTOR,
                at=datetime(2025, 6, 2, 9, tzinfo=UTC),
            )
        )  # fmt: skip
    await organisation.run(cancel, requests[2], reason="Not needed.", by=SYSTEM_ACTOR)
    await call(provider, payload(provider))
    counts = [len(await third_party_events(organisation, request)) for request in requests]
    assert counts == [2, 2, 1]


@every_provider
async def test_call_about_an_ended_stage_reopens_nothing(call, organisation, parcel, provider):
    await organisation.run(cancel, parcel, reason="Not needed.", by=SYSTEM_ACTOR)
    before = await organisation.reload(parcel)
    assert (await call(provider, payload(provider))).status_code == 204
    after = await organisation.reload(parcel)
    assert (after.status, after.page_version) == (before.status, before.page_version)
    assert (await third_party_events(organisation, parcel))[-1].visible is False


@pytest.mark.parametrize(
    ("tag", "subtag", "code"),
    [
        ("InfoReceived", "InfoReceived_001", "information_received"),
        ("InTransit", "InTransit_001", "in_transit"),
        ("InTransit", "InTransit_002", "picked_up"),
        ("InTransit", "InTransit_003", "at_depot"),
        ("AttemptFail", "AttemptFail_001", "attempted"),
        ("AvailableForPickup", "AvailableForPickup_001", "available_for_pickup"),
        ("Exception", "Exception_001", "exception"),
        ("Exception", "Exception_010", "returning"),
        ("Exception", "Exception_011", "returning"),
        ("Pending", "Pending_001", None),
        ("Expired", "Expired_001", None),
        ("New in a later version", "", None),
    ],
)
async def test_tag_of_aftership_is_read_as_a_code(call, organisation, parcel, tag, subtag, code):
    document = payload("aftership")
    document["msg"] |= {"tag": tag, "subtag": subtag}
    assert (await call("aftership", document)).status_code == 204
    assert (await organisation.reload(parcel)).open_runs[0].third_party_code == code


@pytest.mark.parametrize(
    ("status", "detail", "code"),
    [
        ("pre_transit", "status_update", "information_received"),
        ("in_transit", "departed_facility", "in_transit"),
        ("in_transit", "arrived_at_facility", "at_depot"),
        ("available_for_pickup", "", "available_for_pickup"),
        ("return_to_sender", "", "returning"),
        ("failure", "", "exception"),
        ("unknown", "unknown", None),
        ("error", "", None),
    ],
)
async def test_status_of_easypost_is_read_as_a_code(
    call, organisation, parcel, status, detail, code
):
    document = payload("easypost")
    document["result"] |= {"status": status, "status_detail": detail}
    assert (await call("easypost", document)).status_code == 204
    assert (await organisation.reload(parcel)).open_runs[0].third_party_code == code


async def test_other_objects_of_easypost_are_accepted_and_ignored(call, organisation, parcel):
    document = payload("easypost") | {"description": "batch.created", "result": {"object": "Batch"}}
    assert (await call("easypost", document)).status_code == 204
    assert len(await third_party_events(organisation, parcel)) == 1


def delivered(provider):
    document = payload(provider)
    if provider == "aftership":
        document["msg"] |= {"tag": "Delivered", "subtag": "Delivered_001"}
    else:
        document["result"]["status"] = "delivered"
    return document


@pytest.mark.parametrize("provider", ["aftership", "easypost"])
async def test_delivered_completes_the_stage(call, organisation, parcel, provider):
    await call(provider, delivered(provider))
    assert (await organisation.reload(parcel)).open_runs == []


async def test_time_without_an_offset_is_the_customers(call, organisation, parcel):
    document = payload("aftership")
    document["msg"]["checkpoints"][-1]["checkpoint_time"] = "2025-06-03T09:05:00"
    await call("aftership", document)
    [run] = (await organisation.reload(parcel)).open_runs
    assert run.third_party_code_at == datetime(2025, 6, 3, 13, 5, tzinfo=UTC)


async def test_wrong_values_of_a_provider_are_fitted(call, organisation, parcel):
    document = payload("aftership")
    document["msg"]["latest_estimated_delivery"] = {"datetime": "9999-12-31T23:00:00"}
    document["msg"]["checkpoints"][-1] |= {
        "checkpoint_time": "2031-01-01T00:00:00Z", "message": "x\x00\ud800 " * 500, "city": "y" * 900,
    }  # fmt: skip
    assert (await call("aftership", document)).status_code == 204
    [run] = (await organisation.reload(parcel)).open_runs
    assert run.third_party_code_at == datetime(2025, 6, 3, 14, tzinfo=UTC)
    assert run.due_at == parcel.open_runs[0].due_at
    assert len((await third_party_events(organisation, parcel))[-1].data["words"]) <= 160


async def test_own_call_without_a_time_is_of_when_it_is_signed(call, organisation, parcel):
    document = {"number": NUMBER, "code": "in_transit"}
    at = datetime.now(UTC) - timedelta(minutes=2)
    await call("generic", document, at=at)
    await call("generic", document, at=at)
    [_, event] = await third_party_events(organisation, parcel)
    assert event.data["at"] == at.isoformat()


@pytest.mark.parametrize("provider", ["aftership", "easypost"])
async def test_delivery_is_recorded_although_the_next_question_lacks_its_value(
    clock, call, organisation, provider
):
    """The stage is left to staff, with a dropped ball."""
    text = """
    key = "refund"
    name = "Refund"
    departments.desk = { name = "Desk" }
    [[stages]]
    key = "back"
    department = "desk"
    title = "It comes back to us"
    expected = "2d"
    [[follow_ups]]
    after_stage = "back"
    question = "Your refund is {amount}. Is that right? Reply YES or NO."
    """
    await organisation.load(text)
    request = await organisation.open("refund", by=SYSTEM_ACTOR)
    await organisation.run(
        record_third_party_update, request, words="Picked up", third_party="DHL",
        tracking_number=NUMBER, at=datetime(2025, 6, 2, 9, tzinfo=UTC), by=SYSTEM_ACTOR,
    )  # fmt: skip
    assert (await call(provider, delivered(provider))).status_code == 204
    request = await organisation.reload(request)
    [run] = request.open_runs
    assert run.third_party_code == ThirdPartyCode.DELIVERED
    assert request.has_open_ball
