"""A stage that runs again says why."""

import pytest

from portal.operations import accept, advance
from portal.operations.transitions import send_back

pytestmark = pytest.mark.either_database


async def test_returned_stage_says_why(organisation, card_request):
    people = organisation.people
    await organisation.run(advance, card_request, by=people.tess.actor)
    await organisation.run(accept, card_request, by=people.uma.actor)
    await organisation.run(
        send_back, card_request, stage="received", reason="A page is missing", by=people.uma.actor
    )
    request = await organisation.reload(card_request)
    if request.handoffs[-1].is_pending:
        await organisation.run(accept, card_request, by=people.tess.actor)
    told = (await organisation.outbound_messages(card_request))[-1].body
    assert "Once more: We have your application. A page is missing. http" in told
