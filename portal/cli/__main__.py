"""`python -m portal.cli` is `kept`."""

from portal.cli import main

main()
