"""The order of stages: the default of `after`, and cycles in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

Dependencies = Mapping[str, Sequence[str]]
"""What each stage waits for, by key, in the order of the file."""


def with_default_after(written: Mapping[str, Sequence[str] | None]) -> dict[str, tuple[str, ...]]:
    """The dependencies of each stage: those of `after`, else the stage above; none for the first."""
    above: tuple[str, ...] = ()
    after = {}
    for key, said in written.items():
        after[key] = above if said is None else tuple(dict.fromkeys(said))
        above = (key,)
    return after


def find_ambiguous_joins(
    written: Mapping[str, Sequence[str] | None],
) -> Iterator[tuple[str, list[str]]]:
    """Each stage that needs `after` and lacks it, with the open branches above it.

    "The stage above" is unambiguous only if all branches above it join in it.
    """
    after = with_default_after(written)
    passed = {stage: ancestors(after, stage) for stage in after}
    keys = list(after)
    for number, (above, key) in enumerate(pairwise(keys), start=1):
        if written[key] is None:
            beside_or_open = [
                other
                for other in keys
                if other not in passed[above] and other != key
                if other in keys[:number] or set(after[other]) == set(after[above])
            ]
            followed = set().union(*(passed[other] for other in beside_or_open))
            branches = [other for other in beside_or_open if other not in followed]
            if len(branches) > 1:
                yield key, branches
                after[key] = tuple(
                    branches
                )  # the likely meaning, so that later stages cause no further issues
                passed = {stage: ancestors(after, stage) for stage in after}


def ancestors(after: Dependencies, key: str) -> set[str]:
    """All stages that must be done before this one; in a cycle, itself too."""
    found: set[str] = set()
    waiting = list(after[key])
    while waiting:
        if (above := waiting.pop()) not in found:
            found.add(above)
            waiting += after[above]
    return found


def find_cycles(after: Dependencies) -> Iterator[list[str]]:
    """Stages that depend on one another, so that none of them can ever open."""
    left = dict(after)
    while left := _without_ends(left):
        walk = [next(iter(left))]
        while (above := next(key for key in left[walk[-1]] if key in left)) not in walk:
            walk.append(above)
        circle = walk[walk.index(above) :]
        yield circle
        left = {key: value for key, value in left.items() if key not in circle}


def _without_ends(after: Dependencies) -> dict[str, Sequence[str]]:
    """Remove stages without a dependency and stages that no other depends on."""
    left = dict(after)
    while True:
        waited_for = {above for waits in left.values() for above in waits}
        inside = {
            key: waits
            for key, waits in left.items()
            if key in waited_for and any(above in left for above in waits)
        }
        if len(inside) == len(left):
            return inside
        left = inside
