"""A text for customers in one or several languages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LocalizedText:
    """A text for customers, by language; plain text in a file is English ("en")."""

    texts: dict[str, str]

    def in_language(self, locale: str | None) -> str:
        """The text for "es-MX": that locale's, else "es", else "en", else the first."""
        return self.best_match(locale)[1]

    def best_match(self, locale: str | None) -> tuple[str, str]:
        """The language in which there is a text for this locale, and the text."""
        requested = (locale or "").replace("_", "-").lower()
        text_by_language = {language.lower(): text for language, text in self.texts.items()}
        for language in (requested, requested.partition("-")[0], "en"):
            if language in text_by_language:
                return language, text_by_language[language]
        return next(iter(text_by_language.items()))

    def __str__(self) -> str:
        return self.in_language(None)
