"""The secret key of one machine, in its data folder."""

import os
import secrets
import tempfile
from pathlib import Path

from pydantic import SecretStr

from portal.paths import make_private_folder


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
