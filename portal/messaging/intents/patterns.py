"""What the tables of replies are made of: the kinds of meaning, keywords, signs and patterns.

Each language has a table of its own beside this (``english``, ``spanish``, ``arabic``). One pattern a line,
over small plain words with one space between them (no accents, no apostrophes). ``<name>``
stands for a list of words. A new reply that is misread is a line there and a row in the corpus.

Sources: the carriers' keywords are those of the CTIA and of Twilio's opt-out handling; any plain
wish in reasonable wording counts as well (47 CFR 64.1200(a)(10)).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

MAX_READ_LENGTH = 2_000
"""Letters of a text that are read; an SMS has at most 1,600."""


class IntentKind(StrEnum):
    """What a reply asks of us."""

    STOP = "stop"
    STOP_PARTIAL = "stop_partial"
    START = "start"
    HELP = "help"
    YES = "yes"
    NO = "no"
    STATUS = "status"
    CALL_ME = "call_me"
    THANKS = "thanks"
    TIME = "time"
    CHOICE = "choice"
    REOPEN = "reopen"
    REACTION = "reaction"
    ASK_BACK = "ask_back"
    OTHER = "other"


class StopScope(StrEnum):
    """What a wish for fewer messages is about (``IntentKind.STOP_PARTIAL``)."""

    NIGHT = "night"
    REQUEST = "request"
    CHANNEL = "channel"
    QUESTIONS = "questions"
    FEWER = "fewer"


KEYWORDS: dict[str, IntentKind] = {
    "yes": IntentKind.YES,
    **dict.fromkeys(
        ("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"),
        IntentKind.STOP,
    ),
    **dict.fromkeys(("start", "unstop"), IntentKind.START),
    **dict.fromkeys(("help", "info"), IntentKind.HELP),
    **dict.fromkeys(("alto", "parar", "baja", "cancelar", "detener"), IntentKind.STOP),
    **dict.fromkeys(("comenzar", "empezar"), IntentKind.START),
    **dict.fromkeys(("ayuda", "auxilio"), IntentKind.HELP),
}
"""The whole reply, spaces aside."""

CANCEL_KEYWORDS = frozenset({"cancel", "cancelar"})

EMOJI_INTENTS = {
    "👍": IntentKind.YES,
    "✅": IntentKind.YES,
    "👌": IntentKind.YES,
    "👎": IntentKind.NO,
    "❌": IntentKind.NO,
    "🙏": IntentKind.THANKS,
    "❤": IntentKind.THANKS,
    "😊": IntentKind.THANKS,
    "👏": IntentKind.THANKS,
    "📞": IntentKind.CALL_ME,
    "🛑": IntentKind.STOP,
}
"""A reply without words."""


def compile_pattern(lines: str, lists: Mapping[str, str]) -> re.Pattern[str]:
    """One pattern out of many lines, the lists filled in; ``_`` in a list stands for a space.

    The time of a search grows with the length of the text and no faster, as long as each repeat
    of a group is possessive (``)*+``). So a group of words and lists is tried with its phrases of
    most words first, each once, and a list ends where a word ends: what a possessive repeat has
    taken is not given back.
    """
    choices = {
        name: [word.replace("_", " ") for word in words.split()] for name, words in lists.items()
    }
    each = [line.strip() for line in lines.splitlines() if line.strip()]
    whole = "|".join(_anchored(start, list(same)) for start, same in groupby(each, _anchor))
    whole = WORD_GROUP.sub(lambda group: _word_group(group, choices), whole)
    while LIST_NAME.search(whole):
        whole = LIST_NAME.sub(lambda name: _alternation(choices[name[1]]) + r"\b", whole)
    return re.compile(whole)


WORD_GROUP = re.compile(r"\(\?:((?:\w|[ |]|<\w+>)++)\)(\)\*\+)?")
"""A group of nothing but words and lists, and the end of the repeat that it stands in."""
LIST_NAME = re.compile(r"<(\w+)>")


def _anchor(line: str) -> str:
    return next((anchor for anchor in ("^", r"\b") if line.startswith(anchor)), "")


def _anchored(anchor: str, lines: Sequence[str]) -> str:
    """The lines that begin with the same anchor, which is then tried once for all of them."""
    return f"{anchor}(?:{'|'.join(f'(?:{line.removeprefix(anchor)})' for line in lines)})"


def _word_group(group: re.Match[str], lists: Mapping[str, Sequence[str]]) -> str:
    choices, repeat_end = group[1], group[2] or ""
    words: list[str] = []
    for choice in choices.split("|"):
        name = LIST_NAME.fullmatch(choice)
        words += lists[name[1]] if name else [choice]
    word_end = r"\b" if repeat_end else ""
    return f"{_alternation(words)}{word_end}{repeat_end}"


def _alternation(words: Iterable[str]) -> str:
    """Each once, those of most words first; the order is kept otherwise."""
    each = sorted(dict.fromkeys(words), key=lambda phrase: -phrase.count(" "))
    return f"(?:{'|'.join(each)})"


@dataclass(frozen=True)
class LanguageRules:
    """One language's table.

    ``exclusive_words``: words that only this language has, by which a reply is known to be in it; or
    ``letters``, where it is known by those. ``rules``
    are tried in their order; what ``exclusions`` finds takes the rule of that kind back, for a
    person. ``cancel`` finds a wish to cancel the request itself; ``bare`` are the whole replies
    that say yes or no and no more. ``reasons`` tell why somebody writes, by a Contact's words.
    """

    language: str
    exclusive_words: frozenset[str]
    rules: tuple[tuple[IntentKind, re.Pattern[str]], ...]
    exclusions: Mapping[IntentKind, re.Pattern[str]]
    cancel: re.Pattern[str]
    bare: frozenset[str]
    reasons: tuple[tuple[str, re.Pattern[str]], ...]
    letters: frozenset[str] = frozenset()

    def read(self, words: str) -> IntentKind | None:
        """The first rule that fits; OTHER where the rest takes it back, None where none fits."""
        kind = next((kind for kind, rule in self.rules if rule.search(words)), None)
        taken_back = self.exclusions.get(kind) if kind else None
        return IntentKind.OTHER if taken_back and taken_back.search(words) else kind

    def is_written_in(self, words: str) -> bool:
        """Whether a word of this language alone is among them, or a letter."""
        return not (
            self.exclusive_words.isdisjoint(words.split()) and self.letters.isdisjoint(words)
        )

    def reason(self, words: str) -> str | None:
        """Why they write, where that is plain."""
        return next((name for name, rule in self.reasons if rule.search(words)), None)
