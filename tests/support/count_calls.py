"""Count the functions that an operation calls, and the early returns in them.

The rule of counting: every public function and method of `portal` that is called at least once counts
one; a private helper, a property or a comprehension counts with its caller. Not counted are the
columns' own arithmetic (`portal.models` but for ServiceRequest), look-ups in the roster, business time,
workflows, database and messages, and the look-ups named in LOOKUPS.
"""

import ast
import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import CodeType, FrameType

import portal

PORTAL = Path(portal.__file__).parent

LOOKUPS = frozenset(
    {
        "ServiceRequest.check_version",
        "ServiceRequest.require_open",
        "ServiceRequest.get_open_run",
        "ServiceRequest.pending_handoff",
        "StageFlow.department_of",
        "StageFlow.current",
        "StageFlow.available_assignee",
        "ContactSchedule.quiet_hours_began_at",
        "ContactSchedule.after_quiet_hours",
    }
)
"""Methods that only find something in a value that is loaded."""

SUPPORTING_MODULES = (
    "business_time", "workflows", "database", "messaging", "models", "errors", "i18n",
    "settings", "live", "jobs", "operations.outbox", "rules.roster",
)  # fmt: skip


@dataclass
class CallCount:
    """The functions that were passed, by module and qualified name."""

    codes: dict[str, CodeType] = field(default_factory=dict)

    @property
    def functions(self) -> list[str]:
        """The functions that count, in the order of their first call."""
        return list(self.codes)

    @property
    def early_returns(self) -> int:
        """How many `return` statements stand before the end of these functions."""
        return sum(_early_returns(code) for code in self.codes.values())

    def add(self, code: CodeType) -> None:
        """Count a called function, if the rule counts it."""
        module = _module(code)
        if module is not None and _is_counted(module, code):
            self.codes.setdefault(f"{module}:{code.co_qualname}", code)


@contextmanager
def counted_calls() -> Iterator[CallCount]:
    """Count what this thread calls until the block ends."""
    count = CallCount()

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            count.add(frame.f_code)

    sys.setprofile(profile)
    try:
        yield count
    finally:
        sys.setprofile(None)


def _module(code: CodeType) -> str | None:
    """The dotted name below `portal`; None for code of another package."""
    path = Path(code.co_filename)
    if not path.is_relative_to(PORTAL):
        return None
    return ".".join(path.relative_to(PORTAL).with_suffix("").parts)


def _is_counted(module: str, code: CodeType) -> bool:
    name = code.co_qualname
    if name in LOOKUPS or any(part.startswith(("_", "<")) for part in name.split(".")):
        return False
    if f"{module}.".startswith(tuple(f"{module_name}." for module_name in SUPPORTING_MODULES)):
        return name.startswith("ServiceRequest.") and not _is_property(module, name)
    return not _is_property(module, name)


def _is_property(module: str, name: str) -> bool:
    found: object = sys.modules[f"portal.{module}"]
    for part in name.split("."):
        found = inspect.getattr_static(found, part)
    return isinstance(found, property | cached_property)


def _early_returns(code: CodeType) -> int:
    tree = ast.parse(Path(code.co_filename).read_text())
    function = next(
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name == code.co_name
        and code.co_firstlineno
        in (node.lineno, *(decorator.lineno for decorator in node.decorator_list))
    )
    returns = sum(isinstance(node, ast.Return) for node in ast.walk(function))
    return returns - isinstance(function.body[-1], ast.Return)
