"""Commands for the rights of a person: a copy of their data, erasure, and retention."""

from pathlib import Path
from typing import Annotated

import typer

from portal.cli.app import command_group, load, print_lines

person = command_group("person", "The data of a person: export, erasure and retention.")

Address = Annotated[str, typer.Argument(metavar="PHONE_OR_EMAIL")]
Names = Annotated[
    list[str] | None,
    typer.Option("--name", help="Who is meant, where several people have the address; repeatable."),
]


@person.command("export")
def export_person(
    address: Address,
    to: Annotated[Path, typer.Option(metavar="FOLDER_OR_ZIP", help="A new folder, or a .zip.")],
    name: Names = None,
) -> None:
    """Write everything that is kept about a person, as JSON and files.

    \b
    Example: kept person export +14155550132 --to martin.zip
    """
    from portal.commands import person as person_module

    print_lines(person_module.export(load(None), address, name or [], to))


@person.command("erase")
def erase_person(
    address: Annotated[str | None, typer.Argument(metavar="PHONE_OR_EMAIL")] = None,
    name: Names = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be erased, and change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    cancel_open: Annotated[
        bool, typer.Option("--cancel-open", help="Cancel the person's open requests first.")
    ] = False,
    replay: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Erase again whom this erasures.txt lists, after a restore."
        ),
    ] = None,
) -> None:
    """Erase everything that is kept about a person; it cannot be undone.

    \b
    Example: kept person erase +14155550132 --dry-run
    """
    from portal.commands import person as person_module

    settings = load(None)
    if (address is None) == (replay is None):
        raise typer.BadParameter("Give a phone number or e-mail address, or --replay FILE.")
    if replay is not None:
        lines, is_whole = person_module.replay(settings, replay)
        print_lines(lines)
        raise typer.Exit(0 if is_whole else 1)
    print_lines(person_module.preview(settings, address or "", name or []))
    if dry_run:
        return
    if not yes:
        typer.confirm("Erase it? It cannot be undone.", abort=True)
    print_lines(person_module.erase(settings, address or "", name or [], cancel_open=cancel_open))


@person.command("retention")
def run_retention(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be erased, and change nothing.")
    ] = False,
) -> None:
    """Erase now what the settings no longer keep; a worker does it once a day.

    \b
    Example: kept person retention --dry-run
    """
    from portal.commands import person as person_module

    print_lines(person_module.retention(load(None), is_dry=dry_run))
