"""The stage up to which customers may withdraw their request by themselves."""

from __future__ import annotations

from collections.abc import Collection

from portal.workflows.issues import did_you_mean
from portal.workflows.table_reader import TableReader

CANCELLATION_KEY = "customer_may_cancel_until"


def read_cancellation(table: TableReader, stages: Collection[str]) -> str | None:
    """The key of that stage; None where customers may not. Reports a stage that is not there."""
    key = table.text(CANCELLATION_KEY)
    if key and key not in stages:
        remedy = did_you_mean(key, stages)
        table.add_issue(CANCELLATION_KEY, f'has "{key}" as that stage, which is none', remedy)
    return key or None
