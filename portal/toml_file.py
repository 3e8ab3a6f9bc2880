"""A TOML file that a setting names."""

import tomllib
from pathlib import Path
from typing import Any

MAX_BYTES = 200_000


def read_toml_file(path: Path) -> dict[str, Any]:
    """Its content.

    Raises OSError where it cannot be read, and ValueError with the end of a sentence where it is
    larger than ``MAX_BYTES`` or no TOML.
    """
    if path.stat().st_size > MAX_BYTES:
        raise ValueError("must name a file of at most 200 kB.")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"must name a TOML file: {error}.") from None
