"""A member of staff, as the rules of authorization see them."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Colleague:
    """A member of staff as authorization sees them.

    ``manages_all`` is true for managers and admins. ``department_names`` serves the sentence of a
    refusal alone and may be empty.
    """

    staff_id: int
    name: str
    manages_all: bool
    departments: frozenset[int]
    leads: frozenset[int] = frozenset()
    department_names: Mapping[int, str] = field(default_factory=dict, compare=False)
