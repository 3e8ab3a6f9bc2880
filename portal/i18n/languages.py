"""The languages that customers are spoken to in, and our sentences in each of them.

A sentence is its own key: the English of the page or of the code. The others stand in
`portal/i18n/locale/LANGUAGE/LC_MESSAGES/kept.po`, read once when first needed; nothing is compiled.
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from gettext import NullTranslations
from typing import Any, Self

from babel import Locale, UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import Translations
from babel.units import format_unit

from portal.i18n.lazy_string import LazyString, fill_fields
from portal.paths import TRANSLATIONS

LANGUAGE_CODES = ("en", "es", "ar")
"""English first: what has no translation is said in it."""

DIGITS = {"arab": str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")}
"""Digits other than ours, by CLDR's name for them; Babel writes the signs between them."""


@dataclass(frozen=True, slots=True)
class Language:
    """One of the languages that we speak. ``digits`` is CLDR's name of those it writes."""

    code: str
    digits: str = "latn"

    @property
    def name(self) -> str:
        """As its own speakers call it: "Español"."""
        return (Locale(self.code).get_display_name() or self.code).capitalize()

    @property
    def direction(self) -> str:
        """Which way it runs: `ltr` or `rtl`."""
        return Locale(self.code).text_direction

    @property
    def others(self) -> tuple["Language", ...]:
        """The languages that a reader of this one may switch to."""
        return tuple(Language(code) for code in LANGUAGE_CODES if code != self.code)

    @property
    def catalog(self) -> NullTranslations:
        """Our sentences in it, for the templates."""
        return _catalog(self.code)

    def gettext(self, msgid: str, /, **fields: Any) -> str:
        """A sentence of ours in this language, its fields put in."""
        return self.say(LazyString(msgid, **fields))

    def ngettext(self, one: str, many: str, count: int, /, **fields: Any) -> str:
        """One of two sentences of ours by how many there are, which both call ``{count}``."""
        return self.say(LazyString.counted(one, many, count, **fields))

    def say(self, words: str) -> str:
        """A Sentence in this language. All else is somebody's own words, and stays as it is."""
        if not isinstance(words, LazyString) or not words:
            return words
        if words.plural:
            said = self.catalog.ngettext(words.msgid, words.plural, words.number)
        else:
            said = self.catalog.gettext(words.msgid)
        return fill_fields(said, {name: self._put(told) for name, told in words.fields.items()})

    def number(self, number: float) -> str:
        """A number as it is written here: "1,600", "1.600"."""
        said = format_decimal(
            number, locale=self.code, group_separator=True, numbering_system=self.digits
        )
        return said.translate(DIGITS.get(self.digits, {}))

    def size(self, size: int) -> str:
        """Bytes as people say them: "240 kB", "1.2 MB"."""
        unit, number = "digital-kilobyte", float(max(round(size / 1_000), 1))
        if size >= 1_000_000:
            unit, number = "digital-megabyte", round(size / 1_000_000, 1)
        said = format_unit(
            number, unit, "short", "#,##0.#", self.code, numbering_system=self.digits
        )
        return said.translate(DIGITS.get(self.digits, {}))

    def _put(self, field: Any) -> str:
        if isinstance(field, int):
            return self.number(field)
        return self.say(field) if isinstance(field, str) else str(field)


class UntranslatedText(str):
    """A workflow's words that it does not have in the reader's language, and the one they are in."""

    __slots__ = ("locale",)

    locale: str

    def __new__(cls, words: str, locale: str) -> Self:
        """These words, in the language of this locale."""
        made = super().__new__(cls, words)
        made.locale = locale
        return made


ENGLISH = Language("en")


@cache
def language_of(locale: str) -> Language:
    """What is spoken to somebody of "es-MX" or "es_MX"; English where we do not speak theirs."""
    code = locale.replace("_", "-").partition("-")[0].lower()
    if code not in LANGUAGE_CODES:
        return ENGLISH
    try:
        digits = Locale.parse(locale.replace("-", "_")).default_numbering_system
    except (ValueError, UnknownLocaleError):
        digits = Locale(code).default_numbering_system
    return Language(code, digits)


def negotiate_language(header: str) -> Language:
    """The first of what a browser asks for (Accept-Language, RFC 9110) that we speak."""
    for locale in _by_wish(header.split(",")[:20]):
        if language_of(locale).code == locale.partition("-")[0].lower():
            return language_of(locale)
    return ENGLISH


def _by_wish(ranges: Iterable[str]) -> list[str]:
    wishes: list[tuple[float, str]] = []
    for one in ranges:
        tag, _, weight = one.strip().partition(";")
        try:
            wish = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            wish = 0.0
        if wish > 0 and len(tag) <= 16:
            wishes.append((wish, tag.strip()))
    return [tag for _, tag in sorted(wishes, key=lambda wish: -wish[0])]


@cache
def _catalog(code: str) -> NullTranslations:
    if code == ENGLISH.code:
        return NullTranslations()
    with (TRANSLATIONS / code / "LC_MESSAGES" / "kept.po").open("rb") as file:
        catalog = read_po(file, locale=code)
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return Translations(compiled)
