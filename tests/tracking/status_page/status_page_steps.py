"""Steps that bring a request into a state, and what the status page shows then."""

from datetime import UTC, datetime

from portal.models import Answer, ServiceRequest
from portal.operations import accept, advance, answer_follow_up, run_due_follow_ups
from portal.tracking.status_page.timeline_view import TimelineStep
from portal.tracking.status_page.view_models import StatusPage
from tests.support.factories import Organisation

START = datetime(2025, 6, 3, 14, 0, tzinfo=UTC)
"""10 am in New York, where Martin lives."""


def step(page: StatusPage, key: str) -> TimelineStep:
    return next(step for level in page.step_groups for step in level if step.key == key)


def states(page: StatusPage) -> dict[str, str]:
    return {step.key: step.state for level in page.step_groups for step in level}


async def walk(organisation: Organisation, request: ServiceRequest, *steps: str) -> ServiceRequest:
    """Each named person takes up what waits for them and passes it on."""
    for name in steps:
        actor = getattr(organisation.people, name).actor
        seen = await organisation.reload(request)
        if any(handoff.is_pending for handoff in seen.handoffs):
            await organisation.run(accept, request, by=actor)
        await organisation.run(advance, request, by=actor)
    return await organisation.reload(request)


async def ask(organisation: Organisation, request: ServiceRequest) -> ServiceRequest:
    return await organisation.run(run_due_follow_ups, request, by=organisation.people.mona.actor)


async def say(organisation: Organisation, request: ServiceRequest, given: Answer) -> None:
    async with organisation.operations.begin(organisation.people.mona.actor) as uow:
        held = await uow.lock(request.reference)
        assert held.open_question
        await answer_follow_up(uow, held, held.open_question, given)
