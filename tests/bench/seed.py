"""A full database: a few requests made by the product's operations, then copied within the database."""

from collections.abc import Awaitable, Callable

import sqlalchemy as sa
from sqlmodel import SQLModel

from portal.models import CUSTOMER_ACTOR, ServiceRequest
from portal.operations import CustomerDetails, accept, advance, cancel, hold, receive_web_message
from tests.support.factories import Organisation

STRIDE = 1_000
"""The ids of the n-th copy are those of the original plus n times this."""
COPIED = (
    "customer", "contact_point", "service_request", "consent", "promise", "stage_run",
    "tracking_link", "event", "follow_up", "handoff", "message",
)  # fmt: skip
ORDERED_BY = {"due_at", "overdue_at", "accept_by", "updated_at", "next_check_at"}
"""Times that order lists: one second later in each copy."""
PATH_OF_A_CARD = (("uma", "decision"), ("pia", "made"), ("carl", "courier"), ("carl", "delivered"))


async def seed_requests(organisation: Organisation, requests: int) -> None:
    """Create this many requests, in every state, each of a customer with a phone."""
    for number, scenario in enumerate(SCENARIOS):
        phone = f"+1{2_000_000_000 + number}"
        person = CustomerDetails(f"Ann{number} Example", phone, f"ann{number}@example.com")
        request = await organisation.open(customer=person, by=organisation.people.tess.actor)
        await scenario(organisation, request)
    async with organisation.database.engine.begin() as connection:
        for name in COPIED:
            copy = _copy(SQLModel.metadata.tables[name], sqlite=organisation.database.is_sqlite)
            await connection.execute(sa.text(copy), {"copies": requests // len(SCENARIOS) - 1})
            if not organisation.database.is_sqlite:
                counter = sa.func.pg_get_serial_sequence(name, "id")
                newest = sa.select(sa.func.max(sa.column("id"))).select_from(sa.table(name))
                await connection.execute(
                    sa.select(sa.func.setval(counter, newest.scalar_subquery()))
                )
    async with organisation.database.engine.begin() as connection:
        await connection.execute(sa.text("ANALYZE"))


async def go(organisation: Organisation, request: ServiceRequest, stages: int) -> None:
    """Advance the request through this many stages; each department accepts it."""
    actor = organisation.people.tess.actor
    for person, _ in PATH_OF_A_CARD[:stages]:
        await organisation.run(advance, request, by=actor)
        now_at = await organisation.reload(request)
        actor = getattr(organisation.people, person).actor
        if any(handoff.is_pending for handoff in now_at.handoffs):
            await organisation.run(accept, request, by=actor)


async def opened(organisation: Organisation, request: ServiceRequest) -> None:
    """A new request."""


async def handed_over(organisation: Organisation, request: ServiceRequest) -> None:
    """A waiting handoff."""
    await organisation.run(advance, request, by=organisation.people.tess.actor)


async def card_in_production(organisation: Organisation, request: ServiceRequest) -> None:
    """A request in its third stage."""
    await go(organisation, request, 2)


async def asked_about(organisation: Organisation, request: ServiceRequest) -> None:
    """A request with an open promise of an answer."""
    await go(organisation, request, 2)
    await organisation.run(receive_web_message, request, "Where is it?", by=CUSTOMER_ACTOR)


async def held(organisation: Organisation, request: ServiceRequest) -> None:
    """A request on hold."""
    await go(organisation, request, 1)
    await organisation.run(
        hold, request, reason="We wait for a paper", by=organisation.people.uma.actor
    )


async def delivered(organisation: Organisation, request: ServiceRequest) -> None:
    """A completed request that awaits confirmation."""
    await go(organisation, request, 4)
    await organisation.run(advance, request, by=organisation.people.carl.actor)


async def cancelled(organisation: Organisation, request: ServiceRequest) -> None:
    """A request cancelled in its second stage."""
    await go(organisation, request, 1)
    await organisation.run(
        cancel, request, reason="No longer wanted", by=organisation.people.uma.actor
    )


async def cancelled_late(organisation: Organisation, request: ServiceRequest) -> None:
    """A request cancelled in its fourth stage."""
    await go(organisation, request, 3)
    await organisation.run(
        cancel, request, reason="No longer wanted", by=organisation.people.carl.actor
    )


SCENARIOS: tuple[Callable[[Organisation, ServiceRequest], Awaitable[None]], ...] = (
    opened, handed_over, card_in_production, asked_about, held, delivered, cancelled, cancelled_late,
)  # fmt: skip


def _copy(table: sa.Table, *, sqlite: bool) -> str:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    values = ", ".join(_copied(column, sqlite=sqlite) for column in table.columns)
    copies = (
        "WITH RECURSIVE copy(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < :copies)"
        if sqlite
        else "WITH copy(n) AS (SELECT generate_series(1, CAST(:copies AS bigint)))"
    )
    return (
        f"{copies} INSERT INTO {table.name} ({names}) "  # noqa: S608 (our own names)
        f"SELECT {values} FROM {table.name}, copy WHERE id < {STRIDE}"
    )


def _copied(column: sa.Column[object], *, sqlite: bool) -> str:
    name = f'"{column.name}"'
    refers = {key.column.table.name for key in column.foreign_keys}
    if column.primary_key or refers & set(COPIED):
        return f"{name} + n * {STRIDE}"
    if column.name in {"address", "to_address", "from_address"}:
        return (  # addresses of customers, not of the organisation
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
