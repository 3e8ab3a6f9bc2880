"""What all commands share: the app, its groups, and common options."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:  # a command line that only shows its help reads no settings
    from portal.settings import Settings


def _typer(purpose: str) -> typer.Typer:
    return typer.Typer(
        help=purpose,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )


app = _typer("Kept: a live timeline for every customer request, and nobody drops the ball.")

Port = Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 chooses a free one.")]
Host = Annotated[str, typer.Option(help="The address to listen at.")]
DataDir = Annotated[Path | None, typer.Option(help="The data folder.")]
Strict = Annotated[bool, typer.Option("--strict", help="Treat warnings as errors.")]
Files = Annotated[list[str], typer.Argument(metavar="FILE...")]


def command_group(name: str, purpose: str) -> typer.Typer:
    """A group of commands: ``kept NAME ...``."""
    group = _typer(purpose)
    app.add_typer(group, name=name)
    return group


def load(data_dir: Path | None) -> "Settings":
    """The settings, with the data folder of the command line."""
    from portal.settings import Settings

    return Settings.load(**({"data_dir": data_dir} if data_dir else {}))


def print_lines(lines: Iterable[str]) -> None:
    """Print each line."""
    for line in lines:
        print(line)
