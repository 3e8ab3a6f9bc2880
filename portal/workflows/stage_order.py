"""The stages of a file in their order, with what each waits for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from portal.workflows import stage_graph
from portal.workflows.issues import did_you_mean
from portal.workflows.stage_definition import StageDefinition
from portal.workflows.table_reader import TableReader


def in_order(
    stages: Sequence[StageDefinition], stage_tables: Sequence[TableReader]
) -> list[StageDefinition]:
    """The stages with their dependencies; reports stages that can never open."""
    keys = [str(table.values.get("key", "")) for table in stage_tables]
    after_by_stage: dict[str, list[str] | None] = {}
    tables: dict[str, TableReader] = {}
    for key, table in zip(keys, stage_tables, strict=True):
        if key in tables:
            first = table.collector.lines.of(tables[key].path)
            remedy = f"The first stands on line {first}; each needs its own key."
            table.add_issue("key", "is there twice", remedy)
        else:
            after_by_stage[key] = _waits_for(table, keys, above=list(tables)[-1:])
            tables[key] = table
    after = stage_graph.with_default_after(after_by_stage)
    for key, branches in stage_graph.find_ambiguous_joins(after_by_stage):
        side_by_side = " and ".join(f'"{branch}"' for branch in branches)
        branch_list = ", ".join(f'"{branch}"' for branch in branches)
        tables[key].collector.add(
            tables[key].path,
            f"{tables[key].what} stands below a fork, where {side_by_side} run side by side",
            f"Say what it waits for, such as after = [{branch_list}].",
        )
    for cycle in stage_graph.find_cycles(after):
        cycle_text = ", which waits for ".join(f'"{key}"' for key in [*cycle, cycle[0]])
        tables[cycle[0]].add_issue(
            "after",
            f"would never open: it waits in a circle, {cycle_text}",
            "Take out one of them.",
        )
    return [replace(stage, after=after[key]) for key, stage in zip(keys, stages, strict=True)]


def _waits_for(table: TableReader, stages: Collection[str], above: list[str]) -> list[str] | None:
    """The dependencies that the stage names; the stage above if they are invalid."""
    names = table.names("after")
    for name in names or []:
        if name not in stages:
            table.add_issue(
                "after", f'waits for "{name}", which is no stage', did_you_mean(name, stages)
            )
    if "after" not in table or names == []:
        return names
    return [name for name in names or [] if name in stages] or above
