"""The order of stages: the default of `after`, and cycles in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

Dependencies = Mapping[str, Sequence[str]]
"""What each stage waits for, by key, in the order of the file."""


def with_default_after(
    after_by_stage: Mapping[str, Sequence[str] | None],
) -> dict[str, tuple[str, ...]]:
    """The dependencies of each stage: those of `after`, else the stage above; none for the first."""
    default: tuple[str, ...] = ()
    dependencies = {}
    for key, own_after in after_by_stage.items():
        dependencies[key] = default if own_after is None else tuple(dict.fromkeys(own_after))
        default = (key,)
    return dependencies


def find_ambiguous_joins(
    after_by_stage: Mapping[str, Sequence[str] | None],
) -> Iterator[tuple[str, list[str]]]:
    """Each stage that needs `after` and lacks it, with the open branches above it.

    "The stage above" is unambiguous only if all branches above it join in it.
    """
    after = with_default_after(after_by_stage)
    ancestors_of = {stage: ancestors(after, stage) for stage in after}
    keys = list(after)
    for number, (above, key) in enumerate(pairwise(keys), start=1):
        if after_by_stage[key] is None:
            unfinished = [
                other
                for other in keys
                if other not in ancestors_of[above] and other != key
                if other in keys[:number] or set(after[other]) == set(after[above])
            ]
            followed = set().union(*(ancestors_of[other] for other in unfinished))
            branches = [other for other in unfinished if other not in followed]
            if len(branches) > 1:
                yield key, branches
                after[key] = tuple(
                    branches
                )  # the likely meaning, so that later stages cause no further issues
                ancestors_of = {stage: ancestors(after, stage) for stage in after}


def ancestors(after: Dependencies, key: str) -> set[str]:
    """All stages that must be done before this one; in a cycle, itself too."""
    ancestor_keys: set[str] = set()
    to_visit = list(after[key])
    while to_visit:
        if (stage := to_visit.pop()) not in ancestor_keys:
            ancestor_keys.add(stage)
            to_visit += after[stage]
    return ancestor_keys


def find_cycles(after: Dependencies) -> Iterator[list[str]]:
    """Stages that depend on one another, so that none of them can ever open."""
    remaining = dict(after)
    while remaining := _without_ends(remaining):
        path = [next(iter(remaining))]
        while (
            dependency := next(key for key in remaining[path[-1]] if key in remaining)
        ) not in path:
            path.append(dependency)
        cycle = path[path.index(dependency) :]
        yield cycle
        remaining = {key: value for key, value in remaining.items() if key not in cycle}


def _without_ends(after: Dependencies) -> dict[str, Sequence[str]]:
    """Remove stages without a dependency and stages that no other depends on."""
    remaining = dict(after)
    while True:
        waited_for = {
            dependency for dependencies in remaining.values() for dependency in dependencies
        }
        kept = {
            key: dependencies
            for key, dependencies in remaining.items()
            if key in waited_for and any(dependency in remaining for dependency in dependencies)
        }
        if len(kept) == len(remaining):
            return kept
        remaining = kept
