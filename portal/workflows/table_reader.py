"""One table of a workflow file: returns its values and collects their issues."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Final, overload

from portal.business_time import Duration
from portal.workflows.issues import WorkflowIssue, did_you_mean
from portal.workflows.localized_text import LocalizedText
from portal.workflows.placeholders import PLACEHOLDERS, placeholder_issues
from portal.workflows.toml_lines import TomlLines, TomlPath

_KEY: Final = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_NOT_FOR_READING: Final = ("Cc", "Cs", "Zl", "Zp")
"""Unicode's control characters, halves of surrogate pairs and separators of lines."""
KEY_REMEDY: Final = "Use lower-case letters, digits and hyphens, like card-application."
MAX_LENGTHS: Final = {
    "key": 60,
    "name": 80,
    "public_name": 80,
    "title": 120,
    "question": 600,
    "sms": 600,
    "delay": 300,
    "title_next": 120,
    "title_done": 120,
    "waits_for": 60,
    "place": 160,
    "bring": 160,
    "arrives": 40,
    "on_declined": 160,
    "on_cancelled": 160,
    "on_unconfirmed": 160,
    "help": 300,
    "yes_label": 60,
    "no_label": 60,
    "looking": 120,
    "visit": 60,
    "prepare": 200,
}
"""Letters that the value of a key may have."""


class IssueCollector:
    """The issues found so far, each with its line."""

    def __init__(self, lines: TomlLines) -> None:
        self.lines = lines
        self.issues: list[WorkflowIssue] = []

    def add(self, path: TomlPath, message: str, remedy: str) -> None:
        """Report an issue with the value at this path."""
        self.issues.append(WorkflowIssue(self.lines.of(path), message, remedy))


class TableReader:
    """Reads the values of one table, called `what` in sentences.

    A missing or invalid value is reported once and is None or "" from then on, so that
    parsing continues to the next issue.
    """

    def __init__(
        self, collector: IssueCollector, path: TomlPath, values: Mapping[str, object], what: str
    ) -> None:
        self.collector, self.path, self.values, self.what = collector, path, values, what

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def add_issue(self, key: str, message: str, remedy: str, *deeper: str) -> None:
        """Report an issue with the value of this key; the message continues after the table's name."""
        self.collector.add((*self.path, key, *deeper), f"{self.what} {message}", remedy)

    def add_parse_error(self, key: str, refusal: ValueError) -> None:
        """Report the error of a time value: a problem, then a remedy."""
        problem, _, remedy = str(refusal).partition(". ")
        self.add_issue(
            key, f'has a value of "{key}" that cannot be read: {problem.rstrip(".")}', remedy
        )

    def expect_only(self, known: Collection[str]) -> None:
        """Report each unknown key."""
        for key in self.values:
            if key not in known:
                self.add_issue(
                    key, f'has "{key}", which means nothing here', did_you_mean(key, known)
                )

    def required(self, key: str, example: str) -> bool:
        """Whether the key is present; reported if it is not."""
        if key not in self.values:
            self.add_issue(key, f'has no "{key}"', f"Add a line such as {key} = {example}")
        return key in self.values

    def text(self, key: str, *, max_length: int = MAX_LENGTHS["name"]) -> str:
        """A plain text; "" if it is missing or invalid."""
        value = self.values.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.add_issue(
                key, f'has {_shown(value)} as "{key}", which should be text', "Write it in quotes."
            )
            return ""
        return self._checked_text(key, value, max_length)

    def key(self, key: str) -> str:
        """A lower-case key, as in links and commands; "" if it is missing or invalid."""
        value = self.text(key, max_length=MAX_LENGTHS["key"])
        if value and not is_key(value):
            self.add_issue(key, f'has "{value}" as "{key}"', KEY_REMEDY)
            return ""
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self.values.get(key, default)
        if isinstance(value, bool):
            return value
        self.add_issue(
            key, f'has {_shown(value)} as "{key}"', "Write true or false, without quotes."
        )
        return default

    @overload
    def duration(self, key: str) -> Duration | None: ...

    @overload
    def duration(self, key: str, default: Duration) -> Duration: ...

    def duration(self, key: str, default: Duration | None = None) -> Duration | None:
        """A duration; the default if it is missing or invalid."""
        value = self.values.get(key)
        if isinstance(value, str):
            try:
                return Duration.parse(value)
            except ValueError as refusal:
                self.add_parse_error(key, refusal)
        elif value is not None:
            remedy = f'Write a number and its unit in quotes, like {key} = "4bh".'
            self.add_issue(key, f'has {_shown(value)} as "{key}"', remedy)
        return default

    def localized_text(
        self, key: str, *, is_template: bool = False, placeholders: Sequence[str] = ()
    ) -> LocalizedText | None:
        """A text for customers, plain or by language; None if it is missing or invalid.

        A template may have the product's ``PLACEHOLDERS``, or those that are given.
        """
        placeholders = placeholders or (PLACEHOLDERS if is_template else ())
        value = self.values.get(key)
        if value is None:
            return None
        texts = {"en": value} if isinstance(value, str) else value
        if not isinstance(texts, dict) or not texts:
            self.add_issue(
                key,
                f'has {_shown(value)} as "{key}", which customers read',
                f'Write {key} = "..." or, by language, {key} = {{ en = "...", es = "..." }}.',
            )
            return None
        noted = len(self.collector.issues)
        for language, text in texts.items():
            self._check_words(key, str(language), text, placeholders)
        return LocalizedText(dict(texts)) if len(self.collector.issues) == noted else None

    def names(self, key: str) -> list[str] | None:
        """A list of keys; None if it is missing or invalid."""
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, list) and all(isinstance(name, str) for name in value):
            return [str(name) for name in value]
        self.add_issue(
            key, f'has {_shown(value)} as "{key}"', f'Write a list, like {key} = ["approval"].'
        )
        return None

    def _check_words(
        self, key: str, language: str, text: object, placeholders: Sequence[str]
    ) -> None:
        if not _LANGUAGE.fullmatch(language):
            remedy = 'Languages are like "en" or "es-MX".'
            self.add_issue(
                key, f'has localized_text in the language "{language}"', remedy, language
            )
        elif not isinstance(text, str):
            remedy = "Write the localized_text in quotes."
            self.add_issue(key, f'has {_shown(text)} in its "{key}"', remedy, language)
        elif self._checked_text(key, text, MAX_LENGTHS[key], language):
            if placeholders:
                for problem, remedy in placeholder_issues(text, placeholders):
                    self.add_issue(key, f'has in its "{key}" {problem}', remedy, language)
            elif re.search(r"\{\w+\}", text):
                remedy = "It is shown as it stands: write plain localized_text."
                self.add_issue(key, f'has a field in braces in its "{key}"', remedy, language)

    def _checked_text(self, key: str, value: str, max_length: int, *deeper: str) -> str:
        if not value.strip():
            remedy = "Write something, or leave the line out."
            self.add_issue(key, f'has an empty "{key}"', remedy, *deeper)
        elif any(unicodedata.category(letter) in _NOT_FOR_READING for letter in value):
            self.add_issue(
                key, f'has a control character in its "{key}"', "Write it on one line.", *deeper
            )
        elif len(value) > max_length:
            remedy = f"At most {max_length} are allowed."
            self.add_issue(key, f'has {len(value)} letters in its "{key}"', remedy, *deeper)
        else:
            return value.strip()
        return ""


def is_key(text: str) -> bool:
    """Whether this is valid in links and commands."""
    return len(text) <= MAX_LENGTHS["key"] and _KEY.fullmatch(text) is not None


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    text = str(value)
    return f'"{text}"' if isinstance(value, str) else text[:40]
