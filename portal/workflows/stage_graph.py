"""In which order stages run: what `after` leaves out, and circles in what it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

Dependencies = Mapping[str, Sequence[str]]
"""What each stage waits for, by key, in the order of the file."""


def with_default_after(written: Mapping[str, Sequence[str] | None]) -> dict[str, tuple[str, ...]]:
    """What each stage waits for: what it says, else the stage above, and nothing for the first."""
    above: tuple[str, ...] = ()
    after = {}
    for key, said in written.items():
        after[key] = above if said is None else tuple(dict.fromkeys(said))
        above = (key,)
    return after


def find_ambiguous_joins(
    written: Mapping[str, Sequence[str] | None],
) -> Iterator[tuple[str, list[str]]]:
    """Each stage that must say what it waits for and does not, with the branches open above it.

    "The stage above" means something only where all that stands above has come together in it.
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
                after[key] = tuple(branches)  # most likely meant; what follows is not to blame
                passed = {stage: ancestors(after, stage) for stage in after}


def ancestors(after: Dependencies, key: str) -> set[str]:
    """All that must be done before this stage; in a circle, itself too."""
    found: set[str] = set()
    waiting = list(after[key])
    while waiting:
        if (above := waiting.pop()) not in found:
            found.add(above)
            waiting += after[above]
    return found


def find_cycles(after: Dependencies) -> Iterator[list[str]]:
    """Stages that wait for one another, so that none of them would ever open."""
    left = dict(after)
    while left := _without_ends(left):
        walk = [next(iter(left))]
        while (above := next(key for key in left[walk[-1]] if key in left)) not in walk:
            walk.append(above)
        circle = walk[walk.index(above) :]
        yield circle
        left = {key: value for key, value in left.items() if key not in circle}


def _without_ends(after: Dependencies) -> dict[str, Sequence[str]]:
    """Those that wait for one another: without any that waits for none, or that none waits for."""
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
