"""Secret keys: which are strong enough, and the one in the data folder of one machine."""

import os
import secrets
import tempfile
from pathlib import Path

from pydantic import SecretStr

from portal.paths import make_private_folder

MIN_LENGTH = 16
"""Kept makes keys of 43 characters; `kept doctor` wants 32. One of eight letters can be guessed."""
RECOMMENDED_LENGTH = 32
RECOMMENDED_DISTINCT_CHARACTERS = 8
"""A random key of 32 hexadecimal digits has about 14."""


def is_guessable(key: str) -> bool:
    """True for a key with which Kept does not start."""
    return len(key) < MIN_LENGTH


def is_recommended(key: str) -> bool:
    """True for a key that is as long and as varied as a random one."""
    return len(key) >= RECOMMENDED_LENGTH and len(set(key)) >= RECOMMENDED_DISTINCT_CHARACTERS


def load_or_create_secret_key(path: Path) -> SecretStr:
    """Return the key in this file; create it first, with mode 0600, if there is none.

    Two processes that start at once get the same key: linking a finished file to the name either
    succeeds or finds the file of the other process.
    """
    if not path.exists():
        make_private_folder(path.parent)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".secret_key.")  # mode 0600
        try:
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_urlsafe(32))
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            Path(draft).unlink()
    return SecretStr(path.read_text().strip())
