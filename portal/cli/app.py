"""What all commands share: the command itself, its groups, and the options that they have alike."""

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

Port = Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")]
Host = Annotated[str, typer.Option(help="The address to listen at.")]
DataDir = Annotated[Path | None, typer.Option(help="The folder to keep everything in.")]
Strict = Annotated[bool, typer.Option("--strict", help="Take warnings for mistakes.")]
Files = Annotated[list[str], typer.Argument(metavar="FILE...")]


def command_group(name: str, purpose: str) -> typer.Typer:
    """A command with commands of its own: ``kept NAME ...``."""
    made = _typer(purpose)
    app.add_typer(made, name=name)
    return made


def load(data_dir: Path | None) -> "Settings":
    """The settings, with the folder that the command names."""
    from portal.settings import Settings

    return Settings.load(**({"data_dir": data_dir} if data_dir else {}))


def print_lines(lines: Iterable[str]) -> None:
    """Print them as they come."""
    for line in lines:
        print(line)
