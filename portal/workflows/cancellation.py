"""Stages that the workflow names: up to which customers withdraw, and where they collect."""

from __future__ import annotations

from collections.abc import Collection

from portal.workflows.issues import did_you_mean
from portal.workflows.table_reader import TableReader

CANCELLATION_KEY = "customer_may_cancel_until"
COLLECTION_KEY = "collect_at"


def read_stage_key(table: TableReader, name: str, stages: Collection[str]) -> str | None:
    """The key of the stage that ``name`` gives; None without it. Reports a stage that is not there."""
    key = table.text(name)
    if key and key not in stages:
        remedy = did_you_mean(key, stages)
        table.add_issue(name, f'has "{key}" as that stage, which is none', remedy)
    return key or None
