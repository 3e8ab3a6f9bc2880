"""The keys of a stage that say what its customer reads and does: tenses, whose turn it is, where."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal, get_args

from portal.workflows.localized_text import LocalizedText
from portal.workflows.stage_definition import CustomerAction, StageDefinition
from portal.workflows.table_reader import TableReader

CUSTOMER_TURN_KEYS: Final = ("title_next", "title_done", "waits_for", "ask", "place", "bring")
"""The keys of a stage that are read here."""

CUSTOMER: Final = "customer"


def read_customer_turn(table: TableReader, stage: StageDefinition) -> StageDefinition:
    """The stage with these keys of its table.

    A stage that waits for somebody pauses its clock, unless `pauses_clock` says otherwise; while a
    question is open its clock is paused anyway.
    """
    waits_for, ask = _read_waits_for(table), _read_ask(table)
    if isinstance(waits_for, LocalizedText):
        for key, present in (("ask", ask is not None), ("question", stage.question is not None)):
            if present:
                table.add_issue(
                    key,
                    f'has "{key}", which is for the customer, but waits for somebody else',
                    f'Write waits_for = "customer", or take out "{key}".',
                )
    is_waiting = waits_for is not None or (ask is not None and stage.question is None)
    return replace(
        stage,
        title_next=table.localized_text("title_next"),
        title_done=table.localized_text("title_done"),
        waits_for=waits_for,
        ask=ask,
        place=table.localized_text("place"),
        bring=table.localized_text("bring"),
        pauses_clock=stage.pauses_clock if "pauses_clock" in table else is_waiting,
    )


def _read_waits_for(table: TableReader) -> Literal["customer"] | LocalizedText | None:
    if table.values.get("waits_for") == CUSTOMER:
        return CUSTOMER
    return table.localized_text("waits_for")


def _read_ask(table: TableReader) -> CustomerAction | None:
    value = table.values.get("ask")
    action = next((each for each in get_args(CustomerAction) if each == value), None)
    if value is not None and action is None:
        table.add_issue(
            "ask",
            'has an "ask" that is nothing known',
            'Write what the customer does: "files", "come", "decide" or "time".',
        )
    return action
