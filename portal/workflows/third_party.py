"""A stage that a third party does, such as a courier, and how long it may be silent."""

from __future__ import annotations

from typing import Final

from portal.business_time import Duration
from portal.workflows.table_reader import TableReader

THIRD_PARTY_KEYS: Final = ("third_party", "silent_after")
"""The keys of a stage about its third party."""


def read_third_party(table: TableReader) -> tuple[str, Duration | None]:
    """The third party of the stage ("" for none), and after how long it counts as silent."""
    name = table.text("third_party")
    silent_after = table.duration("silent_after")
    if "silent_after" in table and "third_party" not in table:
        remedy = 'Add who is meant, like third_party = "DHL", or take out "silent_after".'
        table.add_issue("silent_after", 'has "silent_after" but no "third_party"', remedy)
    elif silent_after is not None and not silent_after:
        remedy = 'Give them some time, like silent_after = "2d", or leave the line out.'
        table.add_issue("silent_after", "would be silent at once", remedy)
    return name, silent_after
