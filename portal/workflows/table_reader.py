"""One table of a workflow file while it is read: hands out values, notes what is wrong with them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from typing import Final, overload

from portal.business_time import Duration
from portal.workflows.issues import Mistake, did_you_mean
from portal.workflows.placeholders import template_mistakes
from portal.workflows.schema import Words
from portal.workflows.toml_lines import Lines, Path

_KEY: Final = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_NOT_FOR_READING: Final = ("Cc", "Cs", "Zl", "Zp")
"""Unicode's control characters, halves of surrogate pairs and separators of lines."""
KEY_REMEDY: Final = "Use lower-case letters, digits and hyphens, like card-application."
LONGEST: Final = {"key": 60, "name": 80, "title": 120, "question": 600, "sms": 600, "delay": 300}


class Notes:
    """The mistakes found so far, each with its line."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.mistakes: list[Mistake] = []

    def add(self, path: Path, message: str, remedy: str) -> None:
        """Note what is wrong with the value to which the path leads."""
        self.mistakes.append(Mistake(self.lines.of(path), message, remedy))


class Table:
    """Reads the values of one table, called `what` in sentences.

    A value that is missing or wrong is noted once and stands as None or "" from then on, so that
    reading goes on to the next mistake.
    """

    def __init__(self, notes: Notes, path: Path, values: Mapping[str, object], what: str) -> None:
        self.notes, self.path, self.values, self.what = notes, path, values, what

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def note(self, key: str, message: str, remedy: str, *deeper: str) -> None:
        """Note a mistake in the value of this key; the message goes on from the table's name."""
        self.notes.add((*self.path, key, *deeper), f"{self.what} {message}", remedy)

    def note_refusal(self, key: str, refusal: ValueError) -> None:
        """Note what the clock says about the value of this key: a problem, then a remedy."""
        problem, _, remedy = str(refusal).partition(". ")
        self.note(key, f'has a value of "{key}" that cannot be read: {problem.rstrip(".")}', remedy)

    def expect_only(self, known: Collection[str]) -> None:
        """Note each key that has no meaning here."""
        for key in self.values:
            if key not in known:
                self.note(key, f'has "{key}", which means nothing here', did_you_mean(key, known))

    def required(self, key: str, example: str) -> bool:
        """Whether the key is there; noted where it is not."""
        if key not in self.values:
            self.note(key, f'has no "{key}"', f"Add a line such as {key} = {example}")
        return key in self.values

    def text(self, key: str, *, longest: int = LONGEST["name"]) -> str:
        """A plain text; "" where it is missing or wrong."""
        value = self.values.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.note(
                key, f'has {_shown(value)} as "{key}", which should be text', "Write it in quotes."
            )
            return ""
        return self._checked_text(key, value, longest)

    def key(self, key: str) -> str:
        """A lower-case key, as in links and commands; "" where it is missing or wrong."""
        value = self.text(key, longest=LONGEST["key"])
        if value and not is_key(value):
            self.note(key, f'has "{value}" as "{key}"', KEY_REMEDY)
            return ""
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self.values.get(key, default)
        if isinstance(value, bool):
            return value
        self.note(key, f'has {_shown(value)} as "{key}"', "Write true or false, without quotes.")
        return default

    @overload
    def duration(self, key: str) -> Duration | None: ...

    @overload
    def duration(self, key: str, default: Duration) -> Duration: ...

    def duration(self, key: str, default: Duration | None = None) -> Duration | None:
        """A duration; the default where it is missing or wrong."""
        value = self.values.get(key)
        if isinstance(value, str):
            try:
                return Duration.parse(value)
            except ValueError as refusal:
                self.note_refusal(key, refusal)
        elif value is not None:
            remedy = f'Write a number and its unit in quotes, like {key} = "4bh".'
            self.note(key, f'has {_shown(value)} as "{key}"', remedy)
        return default

    def words(self, key: str, *, is_template: bool = False) -> Words | None:
        """What customers read, plain or by language; None where it is missing or wrong."""
        value = self.values.get(key)
        if value is None:
            return None
        texts = {"en": value} if isinstance(value, str) else value
        if not isinstance(texts, dict) or not texts:
            self.note(
                key,
                f'has {_shown(value)} as "{key}", which customers read',
                f'Write {key} = "..." or, by language, {key} = {{ en = "...", es = "..." }}.',
            )
            return None
        noted = len(self.notes.mistakes)
        for language, text in texts.items():
            self._check_words(key, str(language), text, is_template=is_template)
        return Words(dict(texts)) if len(self.notes.mistakes) == noted else None

    def names(self, key: str) -> list[str] | None:
        """A list of keys; None where it is missing or wrong."""
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, list) and all(isinstance(name, str) for name in value):
            return [str(name) for name in value]
        self.note(
            key, f'has {_shown(value)} as "{key}"', f'Write a list, like {key} = ["approval"].'
        )
        return None

    def _check_words(self, key: str, language: str, text: object, *, is_template: bool) -> None:
        if not _LANGUAGE.fullmatch(language):
            remedy = 'Languages are like "en" or "es-MX".'
            self.note(key, f'has words in the language "{language}"', remedy, language)
        elif not isinstance(text, str):
            remedy = "Write the words in quotes."
            self.note(key, f'has {_shown(text)} in its "{key}"', remedy, language)
        elif self._checked_text(key, text, LONGEST[key], language):
            if is_template:
                for problem, remedy in template_mistakes(text):
                    self.note(key, f'has in its "{key}" {problem}', remedy, language)
            elif re.search(r"\{\w+\}", text):
                remedy = "It is shown as it stands: write plain words."
                self.note(key, f'has a field in braces in its "{key}"', remedy, language)

    def _checked_text(self, key: str, value: str, longest: int, *deeper: str) -> str:
        if not value.strip():
            remedy = "Write something, or leave the line out."
            self.note(key, f'has an empty "{key}"', remedy, *deeper)
        elif any(unicodedata.category(letter) in _NOT_FOR_READING for letter in value):
            self.note(
                key, f'has a control character in its "{key}"', "Write it on one line.", *deeper
            )
        elif len(value) > longest:
            remedy = f"At most {longest} are allowed."
            self.note(key, f'has {len(value)} letters in its "{key}"', remedy, *deeper)
        else:
            return value.strip()
        return ""


def is_key(text: str) -> bool:
    """Whether this can stand in links and commands."""
    return len(text) <= LONGEST["key"] and _KEY.fullmatch(text) is not None


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    text = str(value)
    return f'"{text}"' if isinstance(value, str) else text[:40]
