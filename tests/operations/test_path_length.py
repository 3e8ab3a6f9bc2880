"""A stage advance calls few functions."""

from portal.operations import advance
from tests.support.count_calls import counted_calls

MAX_FUNCTIONS = 20
MAX_EARLY_RETURNS = 6


async def test_stage_advance_with_a_handoff_calls_few_functions(organisation, card_request):
    async with organisation.operations.begin(organisation.people.tess.actor) as uow:
        with counted_calls() as count:
            request = await uow.lock(card_request.reference, card_request.version)
            await advance(uow, request)
    passed = ["api.requests:advance", *count.functions]
    assert len(passed) <= MAX_FUNCTIONS, "\n".join(passed)
    assert count.early_returns <= MAX_EARLY_RETURNS
