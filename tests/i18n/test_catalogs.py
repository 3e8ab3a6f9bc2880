"""Translation catalogs: complete, with the right fields and plural forms."""

import re

import pytest
from babel.messages.catalog import Message as Entry
from babel.messages.pofile import read_po

from portal.i18n.extract_messages import extract, is_translated, read
from portal.i18n.languages import LANGUAGE_CODES, Language
from portal.paths import TRANSLATIONS

pytestmark = pytest.mark.either_database


OTHERS = [code for code in LANGUAGE_CODES if code != "en"]


FIELD = re.compile(r"%\((\w+)\)s|\{(\w+)\}|(<[^>]+>)")


@pytest.mark.parametrize("code", OTHERS)
def test_all_strings_are_extracted(code: str) -> None:
    """What templates and code say is what stands in the catalog: no more, no less, nothing empty."""
    said = {entry.id for entry in extract() if entry.id}
    catalog = [entry for entry in read(code) if entry.id]
    assert said == {entry.id for entry in catalog}, "run bin/translate"
    assert [entry.id for entry in catalog if not is_translated(entry)] == []
    assert not read(code).obsolete


def test_catalog_template_is_up_to_date() -> None:
    with (TRANSLATIONS / "kept.pot").open("rb") as file:
        assert {entry.id for entry in read_po(file)} == {entry.id for entry in extract()}


@pytest.mark.parametrize("code", OTHERS)
def test_translations_use_exactly_the_given_fields(code: str) -> None:
    """The same fields and marks in each form; as many forms as the language has."""
    catalog = read(code)
    for entry in (entry for entry in catalog if entry.id):
        if entry.pluralizable:
            assert len(entry.string) == catalog.num_plurals, entry.id
        for form in entry.string if entry.pluralizable else (entry.string,):
            assert found_in(form) == found_in(source_of(entry)), form
            assert form == form.strip()


def source_of(entry: Entry) -> str:
    return entry.id[1] if entry.pluralizable else entry.id


def found_in(text: str) -> set[tuple[str, ...]]:
    return set(FIELD.findall(text))


def test_each_language_has_its_plural_forms() -> None:
    """CLDR: two for Spanish, six for Arabic."""
    assert [read(code).num_plurals for code in OTHERS] == [2, 6]
    one, many = (
        "Please send at most {count} file at once, and choose it again.",
        "Please send at most {count} files at once, and choose them again.",
    )
    said = {Language("ar").ngettext(one, many, count) for count in (1, 2, 3, 11, 100)}
    assert len(said) == 5
    assert Language("es").ngettext(one, many, 1).count("archivo ") == 1
    assert Language("en").ngettext(one, many, 2) == many.format(count=2)
