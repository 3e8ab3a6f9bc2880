"""What a stage needs from the customer: its items."""

from __future__ import annotations

from typing import Final

from portal.workflows.localized_text import LocalizedText
from portal.workflows.stage_definition import NeedDefinition
from portal.workflows.table_reader import TableReader

NEED_KEYS: Final = ("key", "title", "help")
MAX_NEEDS: Final = 12
"""Items of one stage: the page lists each of them."""

_EXAMPLE: Final = 'Write needs = [{ key = "plans", title = "Floor plans, PDF" }].'


def read_needs(table: TableReader, taken: set[str]) -> tuple[NeedDefinition, ...]:
    """The items of this stage; ``taken`` are the keys of all items so far."""
    tables = table.values.get("needs", [])
    if not isinstance(tables, list) or not all(isinstance(values, dict) for values in tables):
        table.add_issue("needs", 'has "needs" that are no list of items', _EXAMPLE)
        return ()
    if len(tables) > MAX_NEEDS:
        table.add_issue("needs", f"needs {len(tables)} items", f"At most {MAX_NEEDS} are allowed.")
        return ()
    waits = table.values.get("pauses_clock") is True or table.values.get("waits_for") == "customer"
    if tables and not waits:
        remedy = 'Add waits_for = "customer": the stage waits until the customer has sent them.'
        table.add_issue("needs", 'has "needs" but does not wait for the customer', remedy)
    needs: list[NeedDefinition] = []
    for number, values in enumerate(tables):
        what = f"{table.what}, in item {number + 1} of its needs,"
        item = TableReader(table.collector, (*table.path, "needs", number), values, what)
        item.expect_only(NEED_KEYS)
        item.required("key", '"plans"')
        item.required("title", '"Floor plans, PDF"')
        key = item.key("key")
        if key and key in taken:
            item.add_issue("key", f'has the key "{key}" a second time', "Give each its own key.")
        taken.add(key)
        title = item.localized_text("title") or LocalizedText({})
        needs.append(NeedDefinition(key, title, item.localized_text("help")))
    return tuple(needs)
