"""What a third party reports is told to the customer at once where they act on it."""

import pytest

from tests.operations.third_parties.test_events import OUT

pytestmark = pytest.mark.either_database


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("out_for_delivery", "Acme Bank: Martin, DHL has it out for delivery. http"),
        ("attempted", "DHL came and could not deliver. "),
        ("available_for_pickup", "it is ready for you to pick up from DHL. http"),
        ("at_depot", None),
    ],
)
async def test_customer_is_told_at_once_what_they_act_on(organisation, report, parcel, code, said):
    """Once, however often the carrier scans it; their own words stand on the page alone."""
    before = len(await organisation.outbound_messages(parcel))
    for minute in (5, 6):
        await report(**OUT | {"code": code, "time": f"2025-06-03T13:0{minute}:00Z"})
    told = (await organisation.outbound_messages(parcel))[before:]
    assert len(told) == (said is not None)
    assert all(said in message.body and "courier" not in message.body for message in told)


async def test_old_report_is_no_news(organisation, report, parcel):
    before = len(await organisation.outbound_messages(parcel))
    await report(**OUT | {"time": "2025-06-02T20:00:00Z"})
    assert len(await organisation.outbound_messages(parcel)) == before
