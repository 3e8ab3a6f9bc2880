"""Where something was wrong, the customer is asked later whether all is well now."""

from datetime import timedelta

import pytest

from portal.models import SYSTEM_ACTOR
from portal.operations import accept, advance, run_due_follow_ups, write_to_customer
from tests.support.fake_gateways import FakeSmsGateway, delivered_bodies

pytestmark = pytest.mark.either_database


async def test_question_that_is_put_again_is_sent(clock, delivered, phone, organisation):
    """The first one is answered; the second waits for an answer of its own."""
    card, gateway = await delivered(), FakeSmsGateway()
    await delivered_bodies(organisation.operations, gateway)
    await phone("It came, but the envelope was torn")
    await organisation.run(write_to_customer, card, "Sorry!", by=SYSTEM_ACTOR)
    clock.shift(timedelta(days=3))
    await organisation.run(run_due_follow_ups, card, by=SYSTEM_ACTOR)
    bodies = await delivered_bodies(organisation.operations, gateway)
    assert "Is all well now? Reply YES or NO." in bodies[-1]


async def test_new_question_goes_to_the_department_that_has_it_now(
    organisation, card_request, phone
):
    """What another department owes still is not what is asked now."""
    await phone("is the name on it right?")
    uma = organisation.people.uma
    await organisation.run(advance, card_request, by=SYSTEM_ACTOR)
    await organisation.run(accept, card_request, by=uma.actor)
    await phone("and may i have it in blue?")
    promises = (await organisation.reload(card_request)).promises
    assert [promise.owner_id for promise in promises][1:] == [uma.id]
    assert "Got it, Martin." in (await phone.replies())[-1]
