"""Commands for messages: send failed ones again."""

from typing import Annotated

import typer

from portal.cli.app import command_group, load, print_lines

message = command_group("message", "Messages to customers.")


@message.command("retry")
def retry_messages(
    since: Annotated[
        str, typer.Option(metavar="TIME", help="Those written since this day or time (UTC).")
    ],
    reason: Annotated[
        str | None, typer.Option(metavar="CODE", help="Only those that failed for this reason.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count them by reason, and send nothing.")
    ] = False,
) -> None:
    """Send failed messages again; those that a person has resolved are skipped.

    One that may have been sent is marked as a possible duplicate.

    \b
    Example: kept message retry --since "2025-06-03 14:00" --reason ask_customer
    """
    from portal.commands.messages import retry_failed_messages

    print_lines(retry_failed_messages(load(None), since, reason, is_dry_run=dry_run))
