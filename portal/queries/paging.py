"""Lists that are read in pages by key, so that the last page costs no more than the first."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

MAX_COUNTED = 100


class HasId(Protocol):
    """What a list can hold: it has a key that the database counts up."""

    id: int | None


T = TypeVar("T", bound=HasId)


@dataclass(frozen=True, slots=True)
class WorkScope:
    """Whose work: that of one person, that of these departments, or with neither all."""

    person_id: int | None = None
    departments: Collection[int] | None = None


EVERYTHING = WorkScope()


@dataclass(frozen=True)
class PageRequest:
    """Which page: ``limit`` rows that come after the one with the id ``after``."""

    limit: int
    after: int | None = None


async def read_page(
    session: AsyncSession,
    query: SelectOfScalar[T],
    key: Any,
    page: PageRequest,
    *,
    newest_first: bool = False,
) -> tuple[list[T], int | None]:
    """The rows of the page, and the id after which the next page begins; None on the last."""
    if page.after is not None:
        query = query.where(key < page.after if newest_first else key > page.after)
    query = query.order_by(key.desc() if newest_first else key).limit(page.limit + 1)
    rows = list((await session.exec(query)).all())
    shown = rows[: page.limit]
    return shown, shown[-1].id if len(rows) > page.limit else None


async def count_at_most(session: AsyncSession, query: Any) -> int:
    """How many rows there are; no further than ``MAX_COUNTED``, so that it always costs little."""
    some = query.limit(MAX_COUNTED).subquery()
    return (await session.exec(select(sa.func.count()).select_from(some))).one()
