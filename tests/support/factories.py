"""The cast of our stories and the kinds of request that they are about.

Departments here never close and their durations run always, so a story means the same at any
hour; what opening hours do is tested with the shipped workflows and a clock that stands still.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select

from portal.database import Database
from portal.models import (
    SYSTEM_ACTOR,
    Actor,
    Department,
    Direction,
    Event,
    Membership,
    Message,
    Role,
    ServiceRequest,
    StaffMember,
    Stage,
    Workflow,
)
from portal.operations import (
    CustomerDetails,
    Operations,
    RequestDetails,
    add_staff,
    load_workflow,
    open_request,
)
from portal.queries.conversations import conversation
from portal.queries.requests import get_service_request
from portal.workflows import read_workflow

ORIGIN = "http://testserver"
"""Where the tests' customers and webhooks find us."""

CARD = """
key = "card"
name = "Credit card"
timezone = "America/New_York"
prefix = "CARD"

[departments.telesales]
name = "Telesales"
reply_within = "2h"

[departments.underwriting]
name = "Underwriting"
accept_within = "4h"

[departments.processing]
name = "Card Processing"
accept_within = "4h"

[departments.courier]
name = "Courier Desk"
accept_within = "4h"

[[stages]]
key = "received"
department = "telesales"
title = "We have your application"
expected = "4h"
grace = "2h"

[[stages]]
key = "decision"
department = "underwriting"
title = "Your application is being checked"
expected = "1d"
grace = "4h"

[[stages]]
key = "made"
department = "processing"
title = "Your card is being made"
expected = "3d"
grace = "4h"

[[stages]]
key = "courier"
department = "courier"
title = "Your card is on its way to you"
expected = "3d"
grace = "4h"

[[stages]]
key = "delivered"
department = "courier"
title = "Your card has been delivered"
expected = "1d"
grace = "4h"

[[follow_ups]]
after_stage = "delivered"
question = "Has your card arrived? Reply YES or NO."
yes = "complete"
no = { send_back = "courier" }
remind_after = "2d"
close_after = "30d"
"""

PERMIT = """
key = "permit"
name = "Building permit"
timezone = "America/Los_Angeles"
prefix = "PERM"

[departments.counter]
name = "Permit Counter"
[departments.fire]
name = "Fire Review"
accept_within = "4h"
[departments.plans]
name = "Plan Review"
[departments.zoning]
name = "Zoning"

[[stages]]
key = "intake"
department = "counter"
title = "We have your plans"
expected = "4h"

[[stages]]
key = "fire"
department = "fire"
title = "Fire safety is being reviewed"
expected = "2d"
after = ["intake"]

[[stages]]
key = "plans"
department = "plans"
title = "Your plans are being reviewed"
expected = "2d"
after = ["intake"]

[[stages]]
key = "zoning"
department = "zoning"
title = "Zoning is being reviewed"
expected = "2d"
after = ["intake"]

[[stages]]
key = "decision"
department = "counter"
title = "Your permit is being decided"
expected = "1d"
after = ["fire", "plans", "zoning"]
"""

REPAIR = """
key = "repair"
name = "Device repair"
prefix = "REP"

[departments.bench]
name = "Repair Bench"

[[stages]]
key = "diagnosis"
department = "bench"
title = "We are finding the fault"
expected = "1d"

[[stages]]
key = "quote"
department = "bench"
title = "Your quote is ready"
expected = "1d"
pauses_clock = true
question = "The repair costs 80 dollars. Shall we go ahead? Reply YES or NO."
yes = "complete"
no = { close = "declined" }
remind_after = "1d"
close_after = "3d"

[[stages]]
key = "mended"
department = "bench"
title = "Your device is being repaired"
expected = "2d"
"""

VISIT = """
key = "fibre"
name = "Fibre line"
prefix = "FBR"

[[stages]]
key = "date"
department = "bench"
title = "We are finding a day"
expected = "2d"
question = "When may our technician come?"
expects = "time"
yes = "complete"

[[stages]]
key = "visit"
department = "bench"
title = "Our technician is coming"
expected = "2d"
"""
"""When somebody comes is the customer's to say. Not among those that everybody moves in with."""

WORKFLOWS = (CARD, PERMIT, REPAIR)

PEOPLE = {
    "tess": ("Tess Sales", Role.AGENT, ["telesales"], True),
    "tom": ("Tom Sales", Role.AGENT, ["telesales"], False),
    "uma": ("Uma Under", Role.AGENT, ["underwriting"], True),
    "pia": ("Pia Press", Role.AGENT, ["processing"], True),
    "paul": ("Paul Press", Role.AGENT, ["processing"], False),
    "carl": ("Carl Courier", Role.AGENT, ["courier"], True),
    "cora": ("Cora Counter", Role.AGENT, ["counter"], True),
    "finn": ("Finn Fire", Role.AGENT, ["fire"], True),
    "pat": ("Pat Plans", Role.AGENT, ["plans"], True),
    "zoe": ("Zoe Zoning", Role.AGENT, ["zoning"], True),
    "ben": ("Ben Bench", Role.AGENT, ["bench"], True),
    "mona": ("Mona Manager", Role.MANAGER, [], False),
    "ada": ("Ada Admin", Role.ADMIN, [], False),
}
"""Everybody at the desk: name, role, departments, whether they lead them. ``CUSTOMER_NAME@acme.example``."""

MARTIN = CustomerDetails(
    name="Martin Miller",
    phone="+14155550132",
    email="martin@example.com",
    timezone="America/New_York",
)
MARTHA = CustomerDetails(name="Martha Miller", phone="+14155550132")
"""Martin's wife; they share a phone."""


DEPARTMENTS = {key for _, _, departments, _ in PEOPLE.values() for key in departments}


@dataclass
class Organisation:
    """The organisation, moved in: its workflows loaded, its people at their desks.

    ``people`` has everybody of the cast by first name (``house.people.tess``). What a test does,
    it does in turns of the relay, as desk and API do.
    """

    operations: Operations
    database: Database
    people: SimpleNamespace

    async def load(self, text: str) -> Workflow:
        """Take another workflow into use; it may name the departments of the house."""
        definition = read_workflow(text, known_departments=DEPARTMENTS)
        async with self.operations.begin(SYSTEM_ACTOR) as uow:
            return await load_workflow(uow, definition)

    async def open(
        self,
        workflow: str = "card",
        customer: CustomerDetails = MARTIN,
        *,
        by: Actor,
        **order: Any,
    ) -> ServiceRequest:
        """Open a request for a customer."""
        async with self.operations.begin(by) as uow:
            opened = await open_request(uow, RequestDetails(workflow, customer, **order))
        return await self.reload(opened)

    async def run(
        self,
        verb: Callable[..., Awaitable[Any]],
        request: ServiceRequest | str,
        *args: Any,
        by: Actor,
        version: int | None = None,
        **words: Any,
    ) -> ServiceRequest:
        """Do one verb in one turn; gives the request as it is then."""
        async with self.operations.begin(by) as uow:
            held = await uow.lock(_reference(request), version)
            await verb(uow, held, *args, **words)
        return await self.reload(request)

    async def run_unbound(
        self, verb: Callable[..., Awaitable[Any]], *, by: Actor, **words: Any
    ) -> None:
        """Do one verb that finds its request itself (an inbound text, a person who leaves)."""
        async with self.operations.begin(by) as uow:
            await verb(uow, **words)

    async def reload(self, request: ServiceRequest | str) -> ServiceRequest:
        """The request as it stands in the database now."""
        async with self.database.reading() as session:
            return await get_service_request(session, _reference(request))

    async def events(self, request: ServiceRequest) -> Sequence[Event]:
        """Its timeline, oldest first."""
        query = select(Event).where(col(Event.request_id) == request.id).order_by(col(Event.id))
        async with self.database.reading() as session:
            return (await session.exec(query)).all()

    async def outbound_messages(self, request: ServiceRequest) -> list[Message]:
        """What we owe or have sent to its customer, oldest first."""
        async with self.database.reading() as session:
            messages = await conversation(session, request.id or 0)
        return [one for one in messages if one.direction == Direction.OUT]

    async def messages(self) -> Sequence[Message]:
        """Every message of the house, oldest first."""
        async with self.database.reading() as session:
            return (await session.exec(select(Message).order_by(col(Message.id)))).all()


SeedRows = dict[str, list[dict[str, Any]]]
"""The rows of a house, by table."""

SEEDED_MODELS = (Department, Workflow, Stage, StaffMember, Membership)


async def seed_organisation(operations: Operations, by: Actor) -> None:
    """Load the workflows and give everybody their desk."""
    async with operations.begin(by) as uow:
        for text in WORKFLOWS:
            await load_workflow(uow, read_workflow(text))
        for key, (name, role, departments, lead) in PEOPLE.items():
            await add_staff(
                uow,
                email=f"{key}@acme.example",
                name=name,
                role=role,
                departments=departments,
                lead=lead,
            )


async def read_seed_rows(database: Database) -> SeedRows:
    """What moving in has made, so that the next house is there at once."""
    async with database.connection() as connection:
        return {
            noun.__tablename__: [
                dict(row)
                for row in (await connection.execute(sa.select(noun.__table__))).mappings()
            ]
            for noun in SEEDED_MODELS
        }


async def insert_seed_rows(database: Database, seed_rows: SeedRows) -> SimpleNamespace:
    """Put it into an empty database; gives the people by first name."""
    async with database.engine.begin() as connection:
        for noun in SEEDED_MODELS:
            table = noun.__table__
            await connection.execute(sa.insert(table), seed_rows[table.name])
            if not database.is_sqlite and "id" in table.c:
                # Keys given by hand are not counted.
                counter = sa.func.pg_get_serial_sequence(table.name, "id")
                await connection.execute(sa.select(sa.func.setval(counter, 1_000)))
    async with database.reading() as session:
        people = (await session.exec(select(StaffMember))).all()
    return SimpleNamespace(**{one.email.partition("@")[0]: one for one in people})


def _reference(request: ServiceRequest | str) -> str:
    return request if isinstance(request, str) else request.reference
