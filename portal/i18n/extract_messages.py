"""Extracts the sentences that customers read and updates the catalogs.

`bin/translate` runs this. A new sentence is added to each catalog without a translation, and an
unused one is removed; translations are kept.
"""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from portal.i18n.languages import ENGLISH, LANGUAGE_CODES
from portal.paths import PACKAGE, TEMPLATES, TRANSLATIONS

KEYWORDS = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "LazyString": None,
    "pluralized": (1, 2),
}
"""The functions that take a sentence, and which of their arguments it is."""

TEMPLATE_OPTIONS = {
    "newstyle_gettext": "true",
    "trim_blocks": "true",
    "lstrip_blocks": "true",
    "silent": "false",
}
STAFF_TEMPLATE_FOLDERS = ("desk", "demo", "sms")
"""Folders of templates that are not for customers, or have files of their own by language."""

OMITTED_HEADERS = (
    '"POT-Creation-Date', '"PO-Revision-Date', '"Generated-By', '"Last-Translator',
    '"Report-Msgid-Bugs-To', '"Language-Team',
)  # fmt: skip
"""Headers that change without a changed sentence, or are empty."""


def main() -> int:
    """Update kept.pot and every catalog. Returns 1 where a translation is missing."""
    template = extract()
    _write(TRANSLATIONS / "kept.pot", template)
    missing = 0
    for code in LANGUAGE_CODES:
        if code == ENGLISH.code:
            continue
        catalog = read(code)
        catalog.update(template, no_fuzzy_matching=True)
        _write(path_of(code), catalog)
        untranslated = [message for message in catalog if message.id and not is_translated(message)]
        missing += len(untranslated)
        print(f"{code}: {len(catalog)} sentences, {len(untranslated)} without a translation")
    return 1 if missing else 0


def extract() -> Catalog:
    """Every sentence for customers in the templates and the code."""
    catalog = Catalog(project="Kept", version="1", charset="utf-8", header_comment="")
    for path, method in _sources():
        options = TEMPLATE_OPTIONS if method.startswith("jinja2") else {}
        messages = extract_from_file(
            method, path, KEYWORDS, ["i18n:"], options, strip_comment_tags=True
        )
        for line, message, comments, context in messages:
            location = [(_relative_path(path), line)]
            catalog.add(message, None, location, auto_comments=comments, context=context)
    return catalog


def read(code: str) -> Catalog:
    """The catalog of a language; an empty one for a new language."""
    path = path_of(code)
    if not path.exists():
        return Catalog(locale=code, project="Kept", version="1", charset="utf-8", header_comment="")
    with path.open("rb") as file:
        return read_po(file, locale=code)


def path_of(code: str) -> Path:
    """The path of a language's catalog."""
    return TRANSLATIONS / code / "LC_MESSAGES" / "kept.po"


def is_translated(message: Message) -> bool:
    """True where every plural form is translated and not fuzzy."""
    strings = message.string if isinstance(message.string, tuple | list) else [message.string]
    return all(strings) and not message.fuzzy


def _sources() -> Iterator[tuple[Path, str]]:
    for path in sorted(TEMPLATES.rglob("*")):
        if (
            path.suffix in {".html", ".txt"}
            and path.relative_to(TEMPLATES).parts[0] not in STAFF_TEMPLATE_FOLDERS
        ):
            yield path, "jinja2.ext:babel_extract"
    for package in (PACKAGE, PACKAGE.parent / "workers"):
        for path in sorted(package.rglob("*.py")):
            yield path, "python"


def _relative_path(path: Path) -> str:
    root = TEMPLATES.parent if path.is_relative_to(TEMPLATES) else PACKAGE.parent
    return path.relative_to(root).as_posix()


def _write(path: Path, catalog: Catalog) -> None:
    """Write a catalog without OMITTED_HEADERS."""
    catalog.fuzzy = False
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=100, ignore_obsolete=True, include_lineno=False)
    lines = buffer.getvalue().decode().lstrip().splitlines(keepends=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "".join(line for line in lines if not line.startswith(OMITTED_HEADERS)), encoding="utf-8"
    )


if __name__ == "__main__":
    sys.exit(main())
