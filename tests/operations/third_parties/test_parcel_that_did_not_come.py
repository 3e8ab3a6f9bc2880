"""A parcel that is reported as delivered, and that the customer does not have."""

from datetime import timedelta

import pytest

from portal.models import SYSTEM_ACTOR, MessageKind, RequestStatus
from portal.operations import run_due_follow_ups, write_to_customer
from tests.operations.third_parties.test_events import headline_of, page_of

pytestmark = pytest.mark.either_database


async def test_parcel_is_followed_again_and_asked_about_once_more(
    clock, client, organisation, report, parcel, texts
):
    """After a no its stage has no number yet: only what happens from then on counts for it."""
    await report(number="JD014", code="delivered", time="2025-06-03T13:00:00Z")
    await organisation.run(run_due_follow_ups, parcel, by=SYSTEM_ACTOR)
    await texts("NO")
    assert (await organisation.reload(parcel)).status == RequestStatus.OPEN
    await report(number="JD014", code="delivered", time="2025-06-03T13:30:00Z")
    assert (await organisation.reload(parcel)).status == RequestStatus.OPEN, "it was before the no"
    clock.shift(timedelta(hours=2))
    await organisation.run(write_to_customer, parcel, "They bring it today.", by=SYSTEM_ACTOR)
    await report(number="JD014", code="out_for_delivery", place="Newark")
    assert "Out for delivery, Newark" in headline_of(await page_of(client, parcel))
    clock.shift(timedelta(hours=2))
    await report(number="JD014", code="delivered")
    again = await organisation.run(run_due_follow_ups, parcel, by=SYSTEM_ACTOR)
    assert again.status == RequestStatus.AWAITING_CONFIRMATION
    assert "Has your parcel arrived?" in (await organisation.outbound_messages(parcel))[-1].body


async def test_delivery_is_told_by_the_question_alone(organisation, report, parcel):
    """A second text at the same time would say nothing else."""
    before = len(await organisation.outbound_messages(parcel))
    await report(number="JD014", code="delivered")
    await organisation.run(run_due_follow_ups, parcel, by=SYSTEM_ACTOR)
    [message] = (await organisation.outbound_messages(parcel))[before:]
    assert message.kind == MessageKind.FOLLOW_UP


async def test_delivery_is_told_at_once_where_the_question_waits(organisation, report, parcel):
    parcel = await organisation.reload(parcel)
    customer = parcel.customer
    async with organisation.operations.begin(SYSTEM_ACTOR) as uow:
        locked = await uow.lock(parcel.reference)
        locked.customer.takes_questions = False
    assert customer.takes_questions
    before = len(await organisation.outbound_messages(parcel))
    await report(number="JD014", code="delivered")
    await organisation.run(run_due_follow_ups, parcel, by=SYSTEM_ACTOR)
    [message] = (await organisation.outbound_messages(parcel))[before:]
    assert message.kind == MessageKind.MILESTONE
