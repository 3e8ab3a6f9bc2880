"""Column types shared by the tables: UTC datetimes, enums, texts and JSON."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlmodel import Field

BigId = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""A 64-bit key on both databases: SQLite only counts up by itself on plain INTEGER."""

Json = sa.JSON().with_variant(sa.JSON(none_as_null=True), "sqlite")


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """A datetime, aware and in UTC in both directions. SQLite alone would return it naive."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive moment (ValueError): a guess at its zone would be a wrong promise."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002 (SQLAlchemy names it)
    ) -> datetime | None:
        """Give every moment back as aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Row(Protocol):
    """A row of a table that counts up its own ids."""

    id: int | None


def saved_id(row: Row) -> int:
    """The id of a row that has been saved. Raises ValueError for one that has not been flushed."""
    if row.id is None:
        raise ValueError(f"A {type(row).__name__} has no id before it is saved.")
    return row.id


def partial_index(name: str, *columns: str, where: str, unique: bool = False) -> sa.Index:
    """An index of the rows for which ``where`` (SQL) holds, on both databases."""
    condition = sa.text(where)
    return sa.Index(
        name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition
    )


def primary_key() -> Any:
    """A primary key that the database counts up."""
    return Field(default=None, primary_key=True, sa_type=BigId)


def foreign_key_column(target: str, *, index: bool = False, nullable: bool = False) -> Any:
    """A foreign key to ``table.column``."""
    return Field(
        default=None,
        foreign_key=target,
        index=index,
        nullable=nullable,
        sa_type=BigId,
    )


def timestamp_column(*, nullable: bool = False, index: bool = False) -> Any:
    """A point in time, aware UTC."""
    return Field(default=None, nullable=nullable, index=index, sa_type=UtcDateTime)


def enum_column(
    enum_type: type[StrEnum], default: StrEnum | None = None, *, nullable: bool = False
) -> Any:
    """A member of a StrEnum, stored as its value, so that SQL and JSON read the same."""
    kind = sa.Enum(
        enum_type,
        native_enum=False,
        create_constraint=False,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )
    return Field(default=default, nullable=nullable, sa_type=kind)


def text_column(
    length: int | None = None, *, default: str | None = "", nullable: bool = False
) -> Any:
    """A text; without a length, of any length."""
    kind: Any = sa.Text() if length is None else sa.String(length)
    return Field(default=default, nullable=nullable, sa_type=kind)


def json_column() -> Any:
    """A small JSON value."""
    return Field(default_factory=dict, nullable=False, sa_type=Json)
