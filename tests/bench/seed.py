"""A full house: a few lives lived by the product's own verbs, then copied within the database."""

from collections.abc import Awaitable, Callable

import sqlalchemy as sa
from sqlmodel import SQLModel

from portal.models import THE_CUSTOMER, ServiceRequest
from portal.operations import CustomerDetails, accept, advance, cancel, hold, receive_web_message
from tests.support.factories import House

STRIDE = 1_000
"""A copy's ids are its original's, so many further on for each copy before it."""
COPIED = (
    "customer", "contact_point", "service_request", "consent", "promise", "stage_run",
    "tracking_link", "event", "follow_up", "handoff", "message",
)  # fmt: skip
ORDERED_BY = {"due_at", "late_at", "accept_by", "updated_at", "watch_at"}
"""Times that lists are ordered by: a second later with each copy."""
WAY = (("uma", "decision"), ("pia", "made"), ("carl", "courier"), ("carl", "delivered"))


async def fill(house: House, requests: int) -> None:
    """So many requests, in every state that there is, each of a customer with a phone."""
    for number, live in enumerate(LIVES):
        phone = f"+1{2_000_000_000 + number}"
        person = CustomerDetails(f"Ann{number} Example", phone, f"ann{number}@example.com")
        request = await house.open(customer=person, by=house.people.tess.actor)
        await live(house, request)
    async with house.database.engine.begin() as connection:
        for name in COPIED:
            copy = _copy(SQLModel.metadata.tables[name], sqlite=house.database.is_sqlite)
            await connection.execute(sa.text(copy), {"copies": requests // len(LIVES) - 1})
            if not house.database.is_sqlite:
                counter = sa.func.pg_get_serial_sequence(name, "id")
                newest = sa.select(sa.func.max(sa.column("id"))).select_from(sa.table(name))
                await connection.execute(
                    sa.select(sa.func.setval(counter, newest.scalar_subquery()))
                )
    async with house.database.engine.begin() as connection:
        await connection.execute(sa.text("ANALYZE"))


async def go(house: House, request: ServiceRequest, stages: int) -> None:
    """Take it on by so many departments, each of which takes it up."""
    hand = house.people.tess.actor
    for person, _ in WAY[:stages]:
        await house.do(advance, request, by=hand)
        now_at = await house.see(request)
        hand = getattr(house.people, person).actor
        if any(handoff.waits for handoff in now_at.handoffs):
            await house.do(accept, request, by=hand)


async def opened(house: House, request: ServiceRequest) -> None:
    """Nothing more has happened."""


async def handed_over(house: House, request: ServiceRequest) -> None:
    """Waits to be taken up."""
    await house.do(advance, request, by=house.people.tess.actor)


async def being_made(house: House, request: ServiceRequest) -> None:
    """In the middle of its way."""
    await go(house, request, 2)


async def asked_about(house: House, request: ServiceRequest) -> None:
    """The customer wrote, and has our word for a time."""
    await go(house, request, 2)
    await house.do(receive_web_message, request, "Where is it?", by=THE_CUSTOMER)


async def held(house: House, request: ServiceRequest) -> None:
    """Put aside."""
    await go(house, request, 1)
    await house.do(hold, request, reason="We wait for a paper", by=house.people.uma.actor)


async def delivered(house: House, request: ServiceRequest) -> None:
    """Done, to be confirmed."""
    await go(house, request, 4)
    await house.do(advance, request, by=house.people.carl.actor)


async def cancelled(house: House, request: ServiceRequest) -> None:
    """Ended on its way."""
    await go(house, request, 1)
    await house.do(cancel, request, reason="No longer wanted", by=house.people.uma.actor)


async def cancelled_late(house: House, request: ServiceRequest) -> None:
    """Ended near its end."""
    await go(house, request, 3)
    await house.do(cancel, request, reason="No longer wanted", by=house.people.carl.actor)


LIVES: tuple[Callable[[House, ServiceRequest], Awaitable[None]], ...] = (
    opened, handed_over, being_made, asked_about, held, delivered, cancelled, cancelled_late,
)  # fmt: skip


def _copy(table: sa.Table, *, sqlite: bool) -> str:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    told = ", ".join(_copied(column, sqlite=sqlite) for column in table.columns)
    copies = (
        "WITH RECURSIVE copy(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < :copies)"
        if sqlite
        else "WITH copy(n) AS (SELECT generate_series(1, CAST(:copies AS bigint)))"
    )
    return (
        f"{copies} INSERT INTO {table.name} ({names}) "  # noqa: S608 (our own names)
        f"SELECT {told} FROM {table.name}, copy WHERE id < {STRIDE}"
    )


def _copied(column: sa.Column[object], *, sqlite: bool) -> str:
    name = f'"{column.name}"'
    refers = {key.column.table.name for key in column.foreign_keys}
    if column.primary_key or refers & set(COPIED):
        return f"{name} + n * {STRIDE}"
    if column.name in {"address", "to_address", "from_address"}:
        return (  # the cast's own phones and mailboxes; ours stays ours
            f"CASE WHEN {name} LIKE '+12%' THEN '+1' || (CAST(substr({name}, 3) AS bigint) + n * 10)"
            f" WHEN {name} LIKE 'ann%' THEN 'n' || n || {name} ELSE {name} END"
        )
    if column.name in {"reference", "token", "cause", "provider_sid", "external_id"}:
        return f"{name} || '-' || n"
    if column.name in ORDERED_BY:
        seconds = "n || ' seconds'" if sqlite else "n * interval '1 second'"
        return (
            f"strftime('%Y-%m-%d %H:%M:%f000', {name}, {seconds})"
            if sqlite
            else f"{name} + {seconds}"
        )
    return name
