"""The browser of the tests: Debian's Chromium, or the one that KEPT_CHROMIUM names."""

import os
import shutil
from pathlib import Path
from typing import Any

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""With nothing of its own to say to the outside."""


def launch_options() -> dict[str, Any]:
    """What Playwright starts it with. Raises FileNotFoundError where there is none."""
    named = os.environ.get("KEPT_CHROMIUM")
    path = named or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None or not Path(path).exists():
        raise FileNotFoundError(
            "Chromium is missing: apt-get install chromium, or name it in KEPT_CHROMIUM"
        )
    return {"executable_path": path, "args": QUIET}
