"""Commands that keep the data: backup and restore."""

from pathlib import Path
from typing import Annotated

import typer

from portal.cli.app import DataDir, app, load, print_lines
from portal.runtime.child_processes import install_signal_handlers


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The archive to write.")],
    data_dir: DataDir = None,
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="Add the secret key of the data folder.")
    ] = False,
) -> None:
    """Write database and attachments to one archive, also while Kept runs.

    The secret key is not in it unless you say so: see docs/backup.md.

    \b
    Example: kept backup /backups/kept-2026-11-30.tar
    """
    from portal.commands.backup import back_up

    install_signal_handlers(is_failure=True)
    print_lines(back_up(load(data_dir), file, with_keys=with_keys))


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An archive of `kept backup`.")],
    data_dir: DataDir = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the place of the data; it is kept aside.")
    ] = False,
) -> None:
    """Restore an archive into an empty database, and migrate it.

    Stop Kept first. The archive is verified before anything is written.

    \b
    Example: kept restore /backups/kept-2026-11-30.tar --data-dir /var/lib/kept
    """
    from portal.commands.backup import restore as restore_from

    install_signal_handlers(is_failure=True)
    print_lines(restore_from(load(data_dir), file, replace=replace))
