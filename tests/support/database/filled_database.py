"""Rows for every table of a database at any revision, by reflection.

The operations of the product write only the newest schema; a migration meets rows of an older one.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import SQLModel

ROWS = 3
"""Rows in each table."""
FIRST_MOMENT = datetime(2025, 6, 3, 14, tzinfo=UTC)


def fill_tables(connection: sa.Connection) -> None:
    """Insert ``ROWS`` rows into every table except Alembic's own, honouring foreign keys.

    Values differ from row to row, so no unique constraint is violated. Those of an enumeration of
    the models are members of it.
    """
    tables = _reflect(connection)
    ids: dict[str, list[dict[str, Any]]] = {}
    for table in tables:
        rows: list[dict[str, Any]] = []
        for number in range(1, ROWS + 1):
            rows.append(
                {column.name: _value(column, number, ids, rows) for column in table.columns}
            )
        connection.execute(table.insert(), rows)
        ids[table.name] = rows
        _move_sequence(connection, table)


def count_rows(connection: sa.Connection) -> dict[str, int]:
    """How many rows each table has."""
    return {
        table.name: connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
        for table in _reflect(connection)
    }


def _reflect(connection: sa.Connection) -> Sequence[sa.Table]:
    metadata = sa.MetaData()
    metadata.reflect(connection)
    return [table for table in metadata.sorted_tables if table.name != "alembic_version"]


def _value(
    column: sa.Column[Any],
    number: int,
    filled: dict[str, list[dict[str, Any]]],
    earlier: Sequence[dict[str, Any]],
) -> Any:
    """A plausible value of row ``number`` (from 1); ``earlier`` are the rows before it."""
    for key in column.foreign_keys:
        table_name, _, name = key.target_fullname.rpartition(".")
        if table_name == column.table.name:
            return earlier[-1][name] if earlier else None
        rows = filled.get(table_name)
        return rows[number - 1][name] if rows else None
    if members := _members(column):
        return members[(number - 1) % len(members)]
    return _plain_value(column, number)


def _members(column: sa.Column[Any]) -> Sequence[str]:
    """The values of this column's enumeration, as the models name them."""
    table = SQLModel.metadata.tables.get(column.table.name)
    known = table.columns.get(column.name) if table is not None else None
    return known.type.enums if known is not None and isinstance(known.type, sa.Enum) else ()


def _plain_value(column: sa.Column[Any], number: int) -> Any:
    values: Sequence[tuple[Any, Any]] = (
        (sa.Boolean, number % 2 == 0),
        ((sa.Integer, sa.Numeric), number),
        (sa.DateTime, FIRST_MOMENT + timedelta(days=number)),
        (sa.Date, date(2025, 6, number)),
        (sa.Time, time(9, number)),
        (sa.JSON, {}),
        (sa.LargeBinary, bytes([number])),
    )
    for kinds, value in values:
        if isinstance(column.type, kinds):
            return value
    text = f"{number} {column.name}"
    length = getattr(column.type, "length", None)
    return text[:length] if length else text


def _move_sequence(connection: sa.Connection, table: sa.Table) -> None:
    """PostgreSQL counts ids by a sequence, which rows with an id of their own do not move."""
    keys = [column for column in table.primary_key if isinstance(column.type, sa.Integer)]
    if connection.dialect.name == "postgresql" and [key.name for key in keys] == ["id"]:
        connection.exec_driver_sql(
            f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), {ROWS})"
        )
