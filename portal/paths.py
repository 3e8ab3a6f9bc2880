"""The paths of the product's own files, in an installed package or in the source tree."""

from pathlib import Path

PACKAGE = Path(__file__).parent
SHIPPED = PACKAGE / "shipped"
STATIC = PACKAGE / "static"


def _place(name: str) -> Path:
    installed = SHIPPED / name
    return installed if installed.exists() else PACKAGE.parent / name


TEMPLATES = _place("templates")
TRANSLATIONS = PACKAGE / "i18n" / "locale"
MIGRATIONS = _place("migrations")
