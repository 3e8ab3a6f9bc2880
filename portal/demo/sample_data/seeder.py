"""Filling a database with lives, in the order in which they would have happened."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from portal import business_time
from portal.demo.sample_data import actions
from portal.demo.sample_data.canned_replies import add_replies
from portal.demo.sample_data.customers import MARTIN, strangers
from portal.demo.sample_data.sample_request import Life
from portal.demo.sample_data.scenarios import MARTINS, PLACES, STORIES, TITLES, Story
from portal.demo.sample_data.schedule import Step, plan
from portal.demo.sample_data.staff import add_people
from portal.errors import Conflict
from portal.models import KEPT
from portal.operations import CustomerDetails, Relay, Turn, load_workflow
from portal.queries.workflows import find_newest_workflow
from portal.workflows import WorkflowDefinition, read_workflow_file, shipped_workflow_files

AT_ONCE = 50
"""Lives in one transaction: quick to write, and short enough for a server that runs beside."""

SWEPT_AGAIN = timedelta(seconds=2)


@dataclass(frozen=True)
class Sample:
    """A request that was made: whose it is, and the link that opens its page."""

    reference: str
    name: str
    title: str
    link: str


async def fill(
    relay: Relay, requests: int, seed: int, *, password_hash: str | None = None
) -> list[Sample]:
    """Add the sample organisation and so many requests; the first of them is Martin's.

    The same seed gives the same people and stories, moved to the present; references, links and
    the provider's ids are new each time. With a password's hash all sample people can sign in.
    Raises Conflict where a workflow of the same name is not the one that comes with the product.
    """
    async with relay.turn(KEPT) as turn:
        definitions = await _load_workflows(turn)
        await add_people(turn, password_hash)
        await add_replies(turn)
    lives = list(_cast(requests, seed))
    samples: list[Sample] = []
    for begin in range(0, requests, AT_ONCE):
        async with relay.turn(KEPT) as turn:
            samples += await _live(turn, lives[begin : begin + AT_ONCE], definitions, seed)
    return samples


@dataclass(frozen=True)
class Part:
    """A story with somebody to live it."""

    number: int
    story: Story
    customer: CustomerDetails
    title: str


def _cast(requests: int, seed: int) -> Iterator[Part]:
    rng = Random(seed)
    people = strangers(rng)
    yield Part(0, MARTINS, MARTIN, MARTINS.title)
    for number in range(1, requests):
        story = STORIES[(number - 1) % len(STORIES)]
        customer = next(people).living_in(PLACES[story.workflow])
        yield Part(number, story, customer, rng.choice(TITLES[story.workflow]))


async def _live(
    turn: Turn, parts: list[Part], definitions: dict[str, WorkflowDefinition], seed: int
) -> list[Sample]:
    present = business_time.now()
    agenda: list[tuple[Step, Life]] = []
    lives: list[Life] = []
    for part in parts:
        own = f"{seed}:{part.number}"
        life = Life(turn, part.story, part.customer, part.title, Random(own), present)
        steps = plan(part.story, definitions[part.story.workflow], present, own)
        agenda += [(step, life) for step in steps]
        lives.append(life)
    for step, life in sorted(agenda, key=lambda entry: entry[0].at):
        await _live_until(step.at, life, present)
        life.now = step.at
        await step.deed(life)
        await life.deliver(present)
    for life in lives:
        await _live_until(present, life, present)
    return [await _sample(turn, life) for life in lives]


async def _live_until(until: datetime, life: Life, present: datetime) -> None:
    """Ask, remind and tell as the sweep would have done meanwhile."""
    while (due := life.next_due_at()) is not None and due <= until:
        # Twice something at one moment: the sweep comes again a little later.
        life.now = due if due > life.now else life.now + SWEPT_AGAIN
        if life.now > until:
            break
        await actions.do_what_is_due(life)
        await life.deliver(present)


async def _sample(turn: Turn, life: Life) -> Sample:
    request = life.request
    link = (await turn.teller(request)).link
    return Sample(request.reference, request.customer.name, request.title, link)


async def _load_workflows(turn: Turn) -> dict[str, WorkflowDefinition]:
    definitions = {}
    for path in shipped_workflow_files():
        shipped = read_workflow_file(path)
        newest = await find_newest_workflow(turn.session, shipped.key)
        if newest is not None and newest.definition != shipped:
            raise Conflict(
                f"The workflow {shipped.key} here is not the one that comes with Kept, so the "
                "samples would not fit it. Choose another database for them."
            )
        await load_workflow(turn, shipped)
        definitions[shipped.key] = shipped
    return definitions
