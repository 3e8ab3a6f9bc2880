"""The `kept` command line.

It imports little, each command what it needs: `--help` answers at once, and a supervisor, which is
this very process, stays small.
"""

import sys

from portal.cli import backup, messages, person, requests, serve, staff, workflows
from portal.cli.app import app
from portal.errors import PortalError, SettingsError
from portal.runtime.supervisor import print_status

__all__ = ["app", "backup", "main", "messages", "person", "requests", "serve", "staff", "workflows"]


def main() -> None:
    """Run the command line; an expected error is one sentence on stderr and exit code 1."""
    try:
        app()
    except (PortalError, SettingsError) as refusal:
        print_status(str(refusal))
        sys.exit(1)
