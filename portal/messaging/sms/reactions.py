# ruff: noqa: RUF001 - this file is about look-alike characters.
"""Reads a reaction to one of our texts, which a phone sends as a text that quotes ours.

A phone writes "Liked “…”" or "👍 to “…”", in the language of its owner, and quotes our text from its
beginning, whole or cut. So a reaction is recognised by the quotation; the words beside it, which
``reactions.toml`` lists by language, say only what kind it is. Pure.
"""

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path

from portal.messaging.intents.language import languages
from portal.messaging.intents.tokens import fold_letters
from portal.messaging.sms.own_text import MIN_QUOTED_LETTERS, Quotation, find_quotation

MAX_WORDS = 6
"""Words beside the quotation; in more of them somebody says something."""
MAX_LETTERS = 60
WORD = re.compile(r"[^\W\d_]+")
QUESTION_MARKS = "?؟？"
TABLES_OF_NO_LANGUAGE = ("signs", "speech", "mail", "beside")
LINK = re.compile(r"<?https?://\S+")
MAX_NAME_WORDS = 5
MAX_SHOWN_LETTERS = 60
DATA = Path(__file__).with_name("reactions.toml")


class Sentiment(StrEnum):
    """What a reaction says of our text."""

    LIKE = "like"
    DISLIKE = "dislike"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True)
class Reaction:
    """A reaction to the text of ours with this ``index``.

    ``label`` is the emoji where only listed words stand beside it, else all that stands there.
    ``is_known``: the words are in our list, beside a name at most; otherwise they may be somebody's
    own, and ``label`` is to be read.
    """

    index: int
    sentiment: Sentiment
    label: str
    is_known: bool


@dataclass(frozen=True, slots=True)
class ReactionWords:
    """The words of all languages, as ``plain_words`` has them, and the signs."""

    like: frozenset[str]
    dislike: frozenset[str]
    other: frozenset[str]
    removed: frozenset[str]
    liked_signs: frozenset[str]
    disliked_signs: frozenset[str]
    speech: frozenset[str]
    beside: frozenset[str]
    mail: frozenset[str]
    mail_examples: Sequence[str]
    tables: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)


def read_reaction(text: str, sent: Sequence[str]) -> Reaction | None:
    """The reaction to one of our texts that this text is; None where it is anything else.

    ``sent`` are the folded forms of our texts to that number (``own_text.fold_texts``), newest
    first.
    """
    quotation = find_quotation(text, sent)
    if quotation is None:
        return None
    before, after = text[: quotation.start], text[quotation.end :]
    beside = plain_words(f"{before} {after}")
    if _is_speech(f"{before} {after}", beside):
        return None
    words = reaction_words()
    signs = _signs(f"{before}{after}")
    found = _known_words(beside, words)
    foreign = _foreign_words(beside, found, words)
    if any(_is_said(word, words) for word in foreign):
        return None
    if plain_words(after) and not _known_words(plain_words(after), words):
        return None  # Words of the phone that follow the quotation are in the list; others are an answer.
    is_known = bool(found) or (bool(signs) and not foreign)
    if not is_known and not _is_plainly_ours(quotation, beside, words):
        return None
    label = "" if foreign else "".join(signs)
    label = label or " ".join(f"{before} {after}".split()).strip(" :")
    return Reaction(quotation.index, _sentiment(beside, signs, words), label, is_known)


def read_mail_reaction(text: str) -> Reaction | None:
    """The reaction that a mail program has sent as a mail; ``text`` is the mail without quotations.

    It is a sign, a name and a phrase, and nothing else. Gmail and Outlook name no message in words,
    so ``index`` is 0.
    """
    text = LINK.sub("", text)
    said, words = plain_words(text), reaction_words()
    names = [
        f"{said} ".partition(f"{phrase} ")[0].split()
        for phrase in words.mail
        if f" {said}".endswith(f" {phrase}")
    ]
    name = min(names, key=len, default=None)
    is_name = name is not None and len(name) <= MAX_NAME_WORDS
    if name is None or not is_name or any(mark in text for mark in f"{QUESTION_MARKS}!！"):
        return None
    if any(_is_said(word, words) for word in name):
        return None
    signs = _signs(text)
    return Reaction(0, _sentiment("", signs, words), "".join(signs) or said, is_known=True)


def reaction_line(label: str, quoted: str) -> str:
    """A reaction as people read it: the sign or the words, and the beginning of our text."""
    text = " ".join(quoted.split())
    if len(text) > MAX_SHOWN_LETTERS:
        text = f"{text[:MAX_SHOWN_LETTERS].rstrip()}…"
    return f"{label} “{text}”"


def plain_words(text: str) -> str:
    """The words without case, accents, apostrophes and signs, one space between."""
    plain = unicodedata.normalize("NFKD", text.replace("’", "").replace("'", "")).casefold()
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return " ".join(WORD.findall(plain.replace("\u0640", "")))


@cache
def reaction_words() -> ReactionWords:
    """The words and signs of ``reactions.toml``."""
    data = tomllib.loads(DATA.read_text(encoding="utf-8"))
    languages = {name: table for name, table in data.items() if name not in TABLES_OF_NO_LANGUAGE}

    def of(kind: str) -> frozenset[str]:
        return frozenset(
            plain_words(word) for table in languages.values() for word in table.get(kind, ())
        )

    return ReactionWords(
        of("like"), of("dislike"), of("other"), of("removed"),
        frozenset(data["signs"]["like"]), frozenset(data["signs"]["dislike"]),
        frozenset(plain_words(word) for word in data["speech"]["words"]),
        frozenset(plain_words(word) for word in data["beside"]["words"]),
        frozenset(plain_words(phrase) for phrase in data["mail"]["phrases"]),
        data["mail"]["examples"], languages,
    )  # fmt: skip


def _is_speech(beside: str, words: str) -> bool:
    """Whether it is too long for a reaction, or asks something."""
    return (
        len(words.split()) > MAX_WORDS
        or len(words) > MAX_LETTERS
        or any(mark in beside for mark in QUESTION_MARKS)
    )


def _known_words(beside: str, words: ReactionWords) -> set[str]:
    """The listed words among these; the languages without spaces have them inside of words."""
    listed = words.like | words.dislike | words.other | words.removed
    return {word for word in listed if _stands_in(word, beside)}


def _foreign_words(beside: str, found: set[str], words: ReactionWords) -> list[str]:
    """The words that are neither listed nor a part of what is: names, and what somebody says."""
    listed = {part for phrase in found for part in phrase.split()} | words.beside
    unspaced = [word for word in found if _has_no_spaces(word)]
    return [
        word
        for word in beside.split()
        if word not in listed and not any(part in word for part in unspaced)
    ]


def _is_said(word: str, words: ReactionWords) -> bool:
    """Whether it is a word of a language that we read, so that a person says it."""
    folded = fold_letters(word)
    return word in words.speech or any(
        folded in language.vocabulary for language in languages().values()
    )


def _stands_in(word: str, beside: str) -> bool:
    return f" {word} " in f" {beside} " or (
        not word.isascii() and _has_no_spaces(word) and word in beside
    )


def _has_no_spaces(word: str) -> bool:
    """Whether it is of a script that writes no spaces: kana or ideographs."""
    return any("\u3040" <= letter <= "\u30ff" or "\u4e00" <= letter <= "\u9fff" for letter in word)


def _is_plainly_ours(quotation: Quotation, beside: str, words: ReactionWords) -> bool:
    """Whether a phone in a language that is not listed has made it, and nobody says anything."""
    return (
        quotation.is_from_start
        and quotation.letters >= MIN_QUOTED_LETTERS
        and bool(beside)
        and words.speech.isdisjoint(beside.split())
    )


def _sentiment(beside: str, signs: Sequence[str], words: ReactionWords) -> Sentiment:
    found = _known_words(beside, words)
    if found & words.removed:
        return Sentiment.NEUTRAL
    if found & words.dislike or words.disliked_signs & set(signs):
        return Sentiment.DISLIKE
    is_liked = found & words.like or words.liked_signs & set(signs)
    return Sentiment.LIKE if is_liked else Sentiment.NEUTRAL


def _signs(text: str) -> list[str]:
    """The emoji in the text, each as one sign."""
    return [sign for sign in text if unicodedata.category(sign) == "So"]
