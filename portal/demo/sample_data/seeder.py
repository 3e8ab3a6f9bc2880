"""Fill a database with sample requests, in the order of their moments."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from portal import business_time
from portal.demo.sample_data import actions
from portal.demo.sample_data.canned_replies import add_sample_replies
from portal.demo.sample_data.customers import MARTIN, numbered_people
from portal.demo.sample_data.sample_request import SampleRequest
from portal.demo.sample_data.scenarios import (
    COUNTRIES,
    MARTIN_SCENARIO,
    SCENARIOS,
    TITLES,
    Scenario,
)
from portal.demo.sample_data.schedule import ScheduledAction, plan
from portal.demo.sample_data.staff import add_sample_staff
from portal.errors import Conflict
from portal.models import SYSTEM_ACTOR
from portal.operations import CustomerDetails, Operations, UnitOfWork, load_workflow
from portal.queries.workflows import find_newest_workflow
from portal.workflows import WorkflowDefinition, read_workflow_file, shipped_workflow_files

BATCH_SIZE = 50
"""Samples in one transaction: quick to write, and short enough for a server beside it."""

SWEEP_INTERVAL = timedelta(seconds=2)


@dataclass(frozen=True)
class SeededRequest:
    """A request that was made: its customer, and the link to its page."""

    reference: str
    name: str
    title: str
    link: str


async def fill(
    operations: Operations, requests: int, seed: int, *, password_hash: str | None = None
) -> list[SeededRequest]:
    """Add the sample organisation and so many requests; the first of them is Martin's.

    The same seed gives the same people and stories, moved to the present; references, links and
    the provider's ids are new each time. With a password's hash all sample people can sign in.
    Raises Conflict where a workflow of the same name is not the one that comes with the product.
    """
    async with operations.begin(SYSTEM_ACTOR) as uow:
        definitions = await _load_workflows(uow)
        await add_sample_staff(uow, password_hash)
        await add_sample_replies(uow)
    sample_requests = list(_assign_stories(requests, seed))
    samples: list[SeededRequest] = []
    for begin in range(0, requests, BATCH_SIZE):
        async with operations.begin(SYSTEM_ACTOR) as uow:
            samples += await _create(
                uow, sample_requests[begin : begin + BATCH_SIZE], definitions, seed
            )
    return samples


@dataclass(frozen=True)
class ScenarioRun:
    """A scenario with its customer."""

    number: int
    scenario: Scenario
    customer: CustomerDetails
    title: str


def _assign_stories(requests: int, seed: int) -> Iterator[ScenarioRun]:
    rng = Random(seed)
    people = numbered_people(rng)
    yield ScenarioRun(0, MARTIN_SCENARIO, MARTIN, MARTIN_SCENARIO.title)
    for number in range(1, requests):
        scenario = SCENARIOS[(number - 1) % len(SCENARIOS)]
        customer = next(people).details_in(COUNTRIES[scenario.workflow])
        yield ScenarioRun(number, scenario, customer, rng.choice(TITLES[scenario.workflow]))


async def _create(
    uow: UnitOfWork, parts: list[ScenarioRun], definitions: dict[str, WorkflowDefinition], seed: int
) -> list[SeededRequest]:
    present = business_time.now()
    agenda: list[tuple[ScheduledAction, SampleRequest]] = []
    sample_requests: list[SampleRequest] = []
    for part in parts:
        own = f"{seed}:{part.number}"
        sample = SampleRequest(uow, part.scenario, part.customer, part.title, Random(own), present)
        steps = plan(part.scenario, definitions[part.scenario.workflow], present, own)
        agenda += [(step, sample) for step in steps]
        sample_requests.append(sample)
    for step, sample in sorted(agenda, key=lambda entry: entry[0].at):
        await _run_until(step.at, sample, present)
        sample.now = step.at
        await step.action(sample)
        await sample.deliver(present)
    for sample in sample_requests:
        await _run_until(present, sample, present)
    return [await _sample(uow, sample) for sample in sample_requests]


async def _run_until(until: datetime, sample: SampleRequest, present: datetime) -> None:
    """Send follow-ups, reminders and updates as the sweep does."""
    while (due := sample.next_due_at()) is not None and due <= until:
        # Two are due at the same time: the sweep runs again a little later.
        sample.now = due if due > sample.now else sample.now + SWEEP_INTERVAL
        if sample.now > until:
            break
        await actions.run_due_work(sample)
        await sample.deliver(present)


async def _sample(uow: UnitOfWork, sample: SampleRequest) -> SeededRequest:
    request = sample.request
    link = (await uow.renderer(request)).link
    return SeededRequest(request.reference, request.customer.name, request.title, link)


async def _load_workflows(uow: UnitOfWork) -> dict[str, WorkflowDefinition]:
    definitions = {}
    for path in shipped_workflow_files():
        shipped = read_workflow_file(path)
        newest = await find_newest_workflow(uow.session, shipped.key)
        if newest is not None and newest.definition != shipped:
            raise Conflict(
                f"The workflow {shipped.key} here is not the one that comes with Kept, so the "
                "samples would not fit it. Choose another database for them."
            )
        await load_workflow(uow, shipped)
        definitions[shipped.key] = shipped
    return definitions
