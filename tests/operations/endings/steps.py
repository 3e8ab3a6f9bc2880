"""Steps that the tests of the end of a request share."""

from portal.models import CUSTOMER_ACTOR, SYSTEM_ACTOR, Channel
from portal.operations import answer_follow_up, run_due_follow_ups


async def say(organisation, request, given, via=Channel.WEB):
    async with organisation.operations.begin(CUSTOMER_ACTOR) as uow:
        held = await uow.lock(request.reference)
        question = held.open_question or held.follow_ups[-1]
        await answer_follow_up(uow, held, question, given, text=given.value, via=via)
    return await organisation.reload(request)


async def asked(organisation, delivered):
    return await organisation.run(run_due_follow_ups, delivered, by=SYSTEM_ACTOR)
