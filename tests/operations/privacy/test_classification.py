"""Every column that can hold text is classified: erased in one way, or not personal for a reason."""

import sqlalchemy as sa
from sqlmodel import SQLModel

import portal.models  # noqa: F401 (registers the tables)
from portal.operations.privacy.classification import NOT_PERSONAL, PERSONAL, reduce_event_data

PLAIN = (sa.Integer, sa.Boolean, sa.DateTime, sa.Float, sa.Enum)
"""Types that hold no text of a person."""


def text_columns() -> set[str]:
    """The columns of every other type, as ``table.column``."""
    return {
        f"{table.name}.{column.name}"
        for table in SQLModel.metadata.sorted_tables
        for column in table.columns
        if not isinstance(_plain_type(column), PLAIN) or isinstance(_plain_type(column), sa.JSON)
    }


def _plain_type(column: sa.Column) -> object:
    kind = column.type
    return kind.impl_instance if isinstance(kind, sa.types.TypeDecorator) else kind


def test_every_text_column_is_classified_once() -> None:
    assert not PERSONAL.keys() & NOT_PERSONAL.keys()
    assert PERSONAL.keys() | NOT_PERSONAL.keys() == text_columns()


def test_event_data_keeps_ids_and_times_and_no_free_text() -> None:
    data = {"note": "Martin is deaf", "due_at": "2025-06-03T14:00:00+00:00", "told": True}
    data |= {"promise_id": 7, "handover": "", "until": None, "words": ["yes", "I do"]}
    assert reduce_event_data(data) == data | {"note": "[erased]", "words": "[erased]"}
