"""The languages of the customers' pages and messages, and the product's sentences in each.

A sentence is its own key: the English of the page or of the code. The translations are in
`portal/i18n/locale/LANGUAGE/LC_MESSAGES/kept.po`, read once when first needed; nothing is compiled.
"""

import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from gettext import NullTranslations
from typing import Any, Self

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import Translations
from babel.units import format_unit

from portal.i18n.lazy_string import LazyString, fill_fields
from portal.paths import TRANSLATIONS

LANGUAGE_CODES = ("en", "es", "ar")
"""English first: a sentence without a translation stays English."""

SUBTAG = re.compile(r"[A-Za-z0-9]{2,8}")
"""A script, a region or a variant (RFC 5646, section 2.1)."""
NO_LANGUAGES = frozenset({"mis", "mul", "root", "und", "zxx"})
"""Codes that name no one language."""

DIGITS = {"arab": str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")}
"""Other digits than ASCII by their CLDR name; Babel formats the separators."""


@dataclass(frozen=True, slots=True)
class Language:
    """One supported language. ``digits`` is the CLDR name of its digits."""

    code: str
    digits: str = "latn"

    @property
    def name(self) -> str:
        """Its name in the language itself: "Español"."""
        return (Locale(self.code).get_display_name() or self.code).capitalize()

    @property
    def direction(self) -> str:
        """The direction of its script: `ltr` or `rtl`."""
        return Locale(self.code).text_direction

    @property
    def others(self) -> tuple["Language", ...]:
        """The other languages, to switch to."""
        return tuple(Language(code) for code in LANGUAGE_CODES if code != self.code)

    @property
    def catalog(self) -> NullTranslations:
        """The translations, for the templates."""
        return _catalog(self.code)

    def gettext(self, msgid: str, /, **fields: Any) -> str:
        """A sentence of the product in this language, with its fields filled in."""
        return self.say(LazyString(msgid, **fields))

    def ngettext(self, one: str, many: str, count: int, /, **fields: Any) -> str:
        """The singular or plural sentence for a number, which both name ``{count}``."""
        return self.say(LazyString.pluralized(one, many, count, **fields))

    def say(self, text: str) -> str:
        """A LazyString in this language. Any other text is returned unchanged."""
        if not isinstance(text, LazyString) or not text:
            return text
        if text.plural:
            sentence = self.catalog.ngettext(text.msgid, text.plural, text.number)
        else:
            sentence = self.catalog.gettext(text.msgid)
        return fill_fields(
            sentence, {name: self._format_field(value) for name, value in text.fields.items()}
        )

    def number(self, number: float) -> str:
        """A number in this language: "1,600", "1.600"."""
        text = format_decimal(
            number, locale=self.code, group_separator=True, numbering_system=self.digits
        )
        return text.translate(DIGITS.get(self.digits, {}))

    def size(self, size: int) -> str:
        """A number of bytes for people: "240 kB", "1.2 MB"."""
        unit, number = "digital-kilobyte", float(max(round(size / 1_000), 1))
        if size >= 1_000_000:
            unit, number = "digital-megabyte", round(size / 1_000_000, 1)
        text = format_unit(
            number, unit, "short", "#,##0.#", self.code, numbering_system=self.digits
        )
        return text.translate(DIGITS.get(self.digits, {}))

    def _format_field(self, field: Any) -> str:
        if isinstance(field, int):
            return self.number(field)
        return self.say(field) if isinstance(field, str) else str(field)


class UntranslatedText(str):
    """A text of a workflow that is not in the reader's language, with the language that it is in."""

    __slots__ = ("locale",)

    locale: str

    def __new__(cls, text: str, locale: str) -> Self:
        """The text, in the language of this locale."""
        instance = super().__new__(cls, text)
        instance.locale = locale
        return instance


ENGLISH = Language("en")


@cache
def language_of(locale: str) -> Language:
    """The supported language of a locale such as "es-MX" or "es_MX"; else English."""
    code = locale.replace("_", "-").partition("-")[0].lower()
    if code not in LANGUAGE_CODES:
        return ENGLISH
    try:
        digits = Locale.parse(locale.replace("-", "_")).default_numbering_system
    except (ValueError, UnknownLocaleError):
        digits = Locale(code).default_numbering_system
    return Language(code, digits)


def names_language(locale: str) -> bool:
    """Whether a locale such as "pt-BR" begins with a language that CLDR knows, ours or another."""
    code, *parts = locale.replace("_", "-").split("-")
    is_regular = all(SUBTAG.fullmatch(part) for part in parts)
    return is_regular and code.lower() in _language_codes()


def negotiate_language(header: str) -> Language:
    """The first supported language of an Accept-Language header (RFC 9110, 12.5.4)."""
    for locale in _by_quality(header.split(",")[:20]):
        if language_of(locale).code == locale.partition("-")[0].lower():
            return language_of(locale)
    return ENGLISH


def _by_quality(ranges: Iterable[str]) -> list[str]:
    weighted: list[tuple[float, str]] = []
    for language_range in ranges:
        tag, _, weight = language_range.strip().partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            quality = 0.0
        if quality > 0 and len(tag) <= 16:
            weighted.append((quality, tag.strip()))
    return [tag for _, tag in sorted(weighted, key=lambda quality: -quality[0])]


@cache
def _language_codes() -> frozenset[str]:
    """Every language of CLDR, and its earlier codes, such as "iw" for Hebrew."""
    known = Locale("en").languages.keys() | get_global("language_aliases").keys()
    return frozenset(known - NO_LANGUAGES)


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
