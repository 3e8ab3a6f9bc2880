"""An inbound text takes a short way: few functions and few early returns lie on it."""

import ast
import sys
from pathlib import Path

import pytest

from portal.models import SYSTEM_ACTOR

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

PORTAL = Path(__file__).parents[2] / "portal"
PACKAGES = ("webhooks", "operations", "queries")
SHARED = ("operations/outbox.py", "operations/milestone_messages.py")
"""How any message is queued: no part of the way of an inbound one."""
MAX_FUNCTIONS = 62
"""With more than one statement. 40 read, match, answer and own a text; 15 more see to it that the same
text twice is one, that it goes to the request last spoken of, and that it has an owner while the
customer is asked which request or what they mean; the rest set apart what a phone or we ourselves
have written. How the words are read (``portal.messaging.intents``) is one step."""
MAX_EARLY_RETURNS = 12
"""Returns that are not the last statement of their function."""
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def is_on_the_way(code):
    path = code.co_filename.removeprefix(f"{PORTAL}/")
    return path.startswith(PACKAGES) and path not in SHARED and not code.co_name.startswith("<")


def function_of(code):
    """The function's syntax tree; functions inside of it are left out."""
    tree = ast.parse(Path(code.co_filename).read_text())
    [function] = [
        node
        for node in ast.walk(tree)
        if isinstance(node, FUNCTIONS)
        and node.name == code.co_name
        and code.co_firstlineno in (node.lineno, *(line.lineno for line in node.decorator_list))
    ]
    return function


def statements(function):
    has_docstring = ast.get_docstring(function) is not None
    open_nodes, found = function.body[has_docstring:], []
    while open_nodes:
        node = open_nodes.pop()
        if isinstance(node, ast.stmt):
            found.append(node)
        if not isinstance(node, FUNCTIONS):
            open_nodes.extend(ast.iter_child_nodes(node))
    return found


@pytest.mark.parametrize(
    "body", ["Can you change the name on it?", "where is my card?", "STOP", "thanks"]
)
async def test_few_functions_handle_a_text(clock, organisation, twilio, body):
    await organisation.open(by=SYSTEM_ACTOR)
    called = {}

    def profile(frame, event, _):
        if event == "call" and is_on_the_way(frame.f_code):
            called.setdefault((frame.f_code.co_filename, frame.f_code.co_qualname), frame.f_code)

    sys.setprofile(profile)
    try:
        await twilio.text(body)
    finally:
        sys.setprofile(None)
    functions = {
        f"{Path(file).stem}:{name}": function_of(code) for (file, name), code in called.items()
    }
    longer = [name for name, function in functions.items() if len(statements(function)) > 1]
    assert len(longer) <= MAX_FUNCTIONS, longer
    early = [
        name
        for name, function in functions.items()
        for node in statements(function)
        if isinstance(node, ast.Return) and node is not function.body[-1]
    ]
    assert len(early) <= MAX_EARLY_RETURNS, early
