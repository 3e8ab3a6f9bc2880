"""The `kept` command: every way to run it and to look after it.

It imports little: a supervisor is this very process, and stays small.
"""

import sys

from portal.cli import people, requests, running, workflows
from portal.cli.app import app
from portal.errors import PortalError
from portal.processes import say
from portal.settings import SettingsError

__all__ = ["app", "main", "people", "requests", "running", "workflows"]


def main() -> None:
    """Run the command line; an expected refusal is one sentence on stderr and exit code 1."""
    try:
        app()
    except (PortalError, SettingsError) as refusal:
        say(str(refusal))
        sys.exit(1)
