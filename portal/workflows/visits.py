"""The keys of a question that a visit answers: its windows, and what the customer reads of it."""

from __future__ import annotations

from typing import Final

from portal.workflows.question_definition import VISIT_EARLIEST, VISIT_LATEST, VisitDefinition
from portal.workflows.table_reader import TableReader

VISIT_KEYS: Final = ("slot", "capacity", "earliest", "latest", "visit", "prepare", "place")
MAX_CAPACITY: Final = 1_000
_MIN_SLOT_MINUTES: Final = 15


def read_visit(table: TableReader, *, is_for_time: bool) -> VisitDefinition:
    """The visit of this question; ``is_for_time``: a time answers it."""
    if not is_for_time:
        for key in VISIT_KEYS:
            if key in table and key != "place":
                remedy = f'Add expects = "time" or take out "{key}".'
                table.add_issue(key, f'has "{key}" but asks for no time', remedy)
        return VisitDefinition()
    slot = table.duration("slot")
    earliest = table.duration("earliest", VISIT_EARLIEST)
    latest = table.duration("latest", VISIT_LATEST)
    if slot is not None and not _MIN_SLOT_MINUTES * 60 <= slot.length.total_seconds() <= 86_400:
        table.add_issue(
            "slot", f'has a "slot" of {slot}', "Write the length of a visit, from 15m to 24h."
        )
    if latest.length <= earliest.length:
        table.add_issue(
            "latest" if "latest" in table else "earliest",
            f'has a "latest" ({latest}) that is no later than its "earliest" ({earliest})',
            'Write a longer "latest", such as "20bd".',
        )
    return VisitDefinition(
        slot=slot,
        capacity=_capacity(table),
        earliest=earliest,
        latest=latest,
        name=table.localized_text("visit"),
        prepare=table.localized_text("prepare"),
        place=table.localized_text("place"),
    )


def _capacity(table: TableReader) -> int | None:
    value = table.values.get("capacity")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_CAPACITY:
        table.add_issue(
            "capacity",
            'has a "capacity" that is no number of visits at once',
            f"Write a whole number from 1 to {MAX_CAPACITY:,}, without quotes.",
        )
        return None
    return value
