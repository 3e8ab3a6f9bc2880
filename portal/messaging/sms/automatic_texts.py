# ruff: noqa: RUF001 - this file is about look-alike characters.
"""Recognises a text that a phone or a car sends by itself: driving mode, an automatic reply.

``automatic_texts.toml`` has the wordings by language. What a person adds is never lost: a text with
any other word is no automatic one, unless it is marked as such by the phone. Pure.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from portal.messaging.sms.reactions import QUESTION_MARKS, plain_words

CONTRACTIONS = {"i will": "ill", "i am": "im", "cannot": "cant", "can not": "cant"}
MAX_LENGTH = 1_000
"""Letters; no phone writes more by itself."""
DATA = Path(__file__).with_name("automatic_texts.toml")
HEADING = re.compile(r"^\W*([^:：\[\]()]{3,60}?)(?:\s*[:：\])]|\s+[-–—]\s)")
IN_BRACKETS = re.compile(r"[\[(]([^\[\]()]{3,60})[\])]")


@dataclass(frozen=True, slots=True)
class AutomaticWordings:
    """The wordings of all languages, as ``plain_words`` has them; phrases of most words first."""

    markers: frozenset[str]
    phrases: tuple[str, ...]
    filler: frozenset[str]
    tables: Mapping[str, Mapping[str, Any]]


def is_automatic_text(text: str) -> bool:
    """Whether a phone or a car has written this text by itself."""
    if len(text) > MAX_LENGTH:
        return False
    wordings = automatic_wordings()
    headings = [found[1] for found in (HEADING.match(text),) if found]
    marked = {plain_words(part) for part in [*headings, *IN_BRACKETS.findall(text)]}
    if marked & wordings.markers:
        return True
    if any(mark in text for mark in QUESTION_MARKS):
        return False
    rest = f" {_contracted(text)} "
    length = len(rest)
    for phrase in wordings.phrases:
        # A mark stands for the phrase, so that the words before and after it form no other.
        rest = rest.replace(f" {phrase} ", " | ")
    is_known = len(rest) < length
    return is_known and all(word == "|" or word in wordings.filler for word in rest.split())


def _contracted(text: str) -> str:
    """The plain words, "I will" as "I'll" and so on: phones write either."""
    words = f" {plain_words(text)} "
    for long, short in CONTRACTIONS.items():
        words = words.replace(f" {long} ", f" {short} ")
    return words.strip()


@cache
def automatic_wordings() -> AutomaticWordings:
    """The wordings of ``automatic_texts.toml``."""
    data = tomllib.loads(DATA.read_text(encoding="utf-8"))
    tables = {name: table for name, table in data.items() if isinstance(table, dict)}
    phrases = {_contracted(phrase) for table in tables.values() for phrase in table["phrases"]}
    return AutomaticWordings(
        frozenset(plain_words(word) for table in tables.values() for word in table["markers"]),
        tuple(sorted(phrases, key=lambda phrase: (-len(phrase.split()), phrase))),
        frozenset(plain_words(word) for word in data["filler"]),
        tables,
    )
