"""A full house: a few lives lived by the product's own verbs, then copied within the database."""

from collections.abc import Awaitable, Callable

import sqlalchemy as sa
from sqlmodel import SQLModel

from portal.models import CUSTOMER_ACTOR, ServiceRequest
from portal.operations import CustomerDetails, accept, advance, cancel, hold, receive_web_message
from tests.support.factories import Organisation

STRIDE = 1_000
"""A copy's ids are its original's, so many further on for each copy before it."""
COPIED = (
    "customer", "contact_point", "service_request", "consent", "promise", "stage_run",
    "tracking_link", "event", "follow_up", "handoff", "message",
)  # fmt: skip
ORDERED_BY = {"due_at", "overdue_at", "accept_by", "updated_at", "next_check_at"}
"""Times that lists are ordered by: a second later with each copy."""
WAY = (("uma", "decision"), ("pia", "made"), ("carl", "courier"), ("carl", "delivered"))


async def seed_requests(organisation: Organisation, requests: int) -> None:
    """So many requests, in every state that there is, each of a customer with a phone."""
    for number, live in enumerate(LIVES):
        phone = f"+1{2_000_000_000 + number}"
        person = CustomerDetails(f"Ann{number} Example", phone, f"ann{number}@example.com")
        request = await organisation.open(customer=person, by=organisation.people.tess.actor)
        await live(organisation, request)
    async with organisation.database.engine.begin() as connection:
        for name in COPIED:
            copy = _copy(SQLModel.metadata.tables[name], sqlite=organisation.database.is_sqlite)
            await connection.execute(sa.text(copy), {"copies": requests // len(LIVES) - 1})
            if not organisation.database.is_sqlite:
                counter = sa.func.pg_get_serial_sequence(name, "id")
                newest = sa.select(sa.func.max(sa.column("id"))).select_from(sa.table(name))
                await connection.execute(
                    sa.select(sa.func.setval(counter, newest.scalar_subquery()))
                )
    async with organisation.database.engine.begin() as connection:
        await connection.execute(sa.text("ANALYZE"))


async def go(organisation: Organisation, request: ServiceRequest, stages: int) -> None:
    """Take it on by so many departments, each of which takes it up."""
    hand = organisation.people.tess.actor
    for person, _ in WAY[:stages]:
        await organisation.run(advance, request, by=hand)
        now_at = await organisation.reload(request)
        hand = getattr(organisation.people, person).actor
        if any(handoff.is_pending for handoff in now_at.handoffs):
            await organisation.run(accept, request, by=hand)


async def opened(organisation: Organisation, request: ServiceRequest) -> None:
    """Nothing more has happened."""


async def handed_over(organisation: Organisation, request: ServiceRequest) -> None:
    """Waits to be taken up."""
    await organisation.run(advance, request, by=organisation.people.tess.actor)


async def card_in_production(organisation: Organisation, request: ServiceRequest) -> None:
    """In the middle of its way."""
    await go(organisation, request, 2)


async def asked_about(organisation: Organisation, request: ServiceRequest) -> None:
    """The customer wrote, and has our word for a time."""
    await go(organisation, request, 2)
    await organisation.run(receive_web_message, request, "Where is it?", by=CUSTOMER_ACTOR)


async def held(organisation: Organisation, request: ServiceRequest) -> None:
    """Put aside."""
    await go(organisation, request, 1)
    await organisation.run(
        hold, request, reason="We wait for a paper", by=organisation.people.uma.actor
    )


async def delivered(organisation: Organisation, request: ServiceRequest) -> None:
    """Done, to be confirmed."""
    await go(organisation, request, 4)
    await organisation.run(advance, request, by=organisation.people.carl.actor)


async def cancelled(organisation: Organisation, request: ServiceRequest) -> None:
    """Ended on its way."""
    await go(organisation, request, 1)
    await organisation.run(
        cancel, request, reason="No longer wanted", by=organisation.people.uma.actor
    )


async def cancelled_late(organisation: Organisation, request: ServiceRequest) -> None:
    """Ended near its end."""
    await go(organisation, request, 3)
    await organisation.run(
        cancel, request, reason="No longer wanted", by=organisation.people.carl.actor
    )


LIVES: tuple[Callable[[Organisation, ServiceRequest], Awaitable[None]], ...] = (
    opened, handed_over, card_in_production, asked_about, held, delivered, cancelled, cancelled_late,
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
