"""The organisation of the tests: its staff, its customers, and requests made for them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select

from portal.database import Database
from portal.demo.sample_data.customers import MARTHA, MARTIN
from portal.demo.sample_data.staff import SampleStaff, add_sample_staff
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
    load_workflow,
    open_request,
)
from portal.queries.conversations import conversation
from portal.queries.requests import get_service_request
from portal.workflows import read_workflow
from tests.support.workflows import CARD, PERMIT, REPAIR, VISIT

__all__ = ["CARD", "MARTHA", "MARTIN", "PERMIT", "REPAIR", "VISIT"]

ORIGIN = "http://testserver"
"""The public URL in tests."""

WORKFLOWS = (CARD, PERMIT, REPAIR)

CAST = {
    colleague.mailbox: colleague
    for colleague in (
        SampleStaff("Tess Sales", leads=("telesales",), mailbox="tess"),
        SampleStaff("Tom Sales", helps=("telesales",), mailbox="tom"),
        SampleStaff("Uma Under", leads=("underwriting",), mailbox="uma"),
        SampleStaff("Pia Press", leads=("processing",), mailbox="pia"),
        SampleStaff("Paul Press", helps=("processing",), mailbox="paul"),
        SampleStaff("Carl Courier", leads=("courier",), mailbox="carl"),
        SampleStaff("Cora Counter", leads=("counter",), mailbox="cora"),
        SampleStaff("Finn Fire", leads=("fire",), mailbox="finn"),
        SampleStaff("Pat Plans", leads=("plans",), mailbox="pat"),
        SampleStaff("Zoe Zoning", leads=("zoning",), mailbox="zoe"),
        SampleStaff("Ben Bench", leads=("bench",), mailbox="ben"),
        SampleStaff("Mona Manager", role=Role.MANAGER, mailbox="mona"),
        SampleStaff("Ada Admin", role=Role.ADMIN, mailbox="ada"),
    )
}
"""The staff by first name; the e-mail address of Tess is ``tess@acme.example``."""

DEPARTMENTS = {key for colleague in CAST.values() for key in colleague.leads + colleague.helps}


@dataclass
class Organisation:
    """The organisation with its workflows and its staff in a database.

    ``people`` has the staff by first name (``organisation.people.tess``). A test changes requests by
    the operations of the product, as desk and API do.
    """

    operations: Operations
    database: Database
    people: SimpleNamespace

    async def load(self, text: str) -> Workflow:
        """Load another workflow; it may name the departments of the organisation."""
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
        """Run one operation in one transaction; returns the request afterwards."""
        async with self.operations.begin(by) as uow:
            held = await uow.lock(_reference(request), version)
            await verb(uow, held, *args, **words)
        return await self.reload(request)

    async def run_unbound(
        self, verb: Callable[..., Awaitable[Any]], *, by: Actor, **words: Any
    ) -> None:
        """Run one operation that finds its request itself, such as an inbound text."""
        async with self.operations.begin(by) as uow:
            await verb(uow, **words)

    async def reload(self, request: ServiceRequest | str) -> ServiceRequest:
        """The request as it is in the database now."""
        async with self.database.reading() as session:
            return await get_service_request(session, _reference(request))

    async def events(self, request: ServiceRequest) -> Sequence[Event]:
        """The timeline of the request, oldest first."""
        query = select(Event).where(col(Event.request_id) == request.id).order_by(col(Event.id))
        async with self.database.reading() as session:
            return (await session.exec(query)).all()

    async def outbound_messages(self, request: ServiceRequest) -> list[Message]:
        """The messages to its customer, oldest first."""
        async with self.database.reading() as session:
            messages = await conversation(session, request.id or 0)
        return [message for message in messages if message.direction == Direction.OUT]

    async def messages(self) -> Sequence[Message]:
        """Every message, oldest first."""
        async with self.database.reading() as session:
            return (await session.exec(select(Message).order_by(col(Message.id)))).all()


SeedRows = dict[str, list[dict[str, Any]]]
"""The rows of an organisation, by table."""

SEEDED_MODELS = (Department, Workflow, Stage, StaffMember, Membership)


async def seed_organisation(operations: Operations, by: Actor) -> None:
    """Load the workflows and add the staff."""
    async with operations.begin(by) as uow:
        for text in WORKFLOWS:
            await load_workflow(uow, read_workflow(text))
        await add_sample_staff(uow, people=CAST.values())


async def read_seed_rows(database: Database) -> SeedRows:
    """Read the rows that `seed_organisation` has written, for `insert_seed_rows`."""
    async with database.connection() as connection:
        return {
            noun.__tablename__: [
                dict(row)
                for row in (await connection.execute(sa.select(noun.__table__))).mappings()
            ]
            for noun in SEEDED_MODELS
        }


async def insert_seed_rows(database: Database, seed_rows: SeedRows) -> SimpleNamespace:
    """Write these rows into an empty database; returns the staff by first name."""
    async with database.engine.begin() as connection:
        for noun in SEEDED_MODELS:
            table = noun.__table__
            await connection.execute(sa.insert(table), seed_rows[table.name])
            if not database.is_sqlite and "id" in table.c:
                # The sequence does not count explicit keys.
                counter = sa.func.pg_get_serial_sequence(table.name, "id")
                await connection.execute(sa.select(sa.func.setval(counter, 1_000)))
    async with database.reading() as session:
        people = (await session.exec(select(StaffMember))).all()
    return SimpleNamespace(**{person.email.partition("@")[0]: person for person in people})


def _reference(request: ServiceRequest | str) -> str:
    return request if isinstance(request, str) else request.reference
