"""Finds rows whose text names a reference or an address."""

import re
from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlmodel import SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

CHUNK = 100
"""Needles of one statement: an expression of SQLite is at most 1000 terms deep."""


async def find_rows_naming(
    session: AsyncSession,
    table: type[SQLModel],
    columns: Sequence[str],
    needles: Collection[str],
    *conditions: Any,
    is_whole: bool = True,
) -> list[int]:
    """The ids of the rows with one of the needles in one of the columns.

    With ``is_whole`` not as a part of another: ``a@example.com`` is not in ``anna@example.com``.
    """
    model: Any = table
    read = [getattr(model, name) for name in columns]
    ordered = sorted(set(needles))
    ids: set[int] = set()
    for start in range(0, len(ordered), CHUNK):
        some = ordered[start : start + CHUNK]
        names_one = [column.contains(needle, autoescape=True) for column in read for needle in some]
        query = select(model.id, *read).where(sa.or_(*names_one), *conditions)
        pattern = re.compile("|".join(map(_whole if is_whole else re.escape, some)), re.IGNORECASE)
        for id_, *texts in (await session.exec(query)).all():
            if any(pattern.search(text) for text in texts):
                ids.add(id_)
    return sorted(ids)


def _whole(needle: str) -> str:
    """The regular expression for a needle that is no part of a longer address or reference."""
    if "@" in needle:
        return rf"(?<![\w.%+-]){re.escape(needle)}(?![\w-]|\.\w)"
    return rf"(?<![^\W_]){re.escape(needle)}(?![^\W_])"
