"""What a customer's reply means, as far as plain words tell it.

Pure: it sees the words and nothing else. Which request is meant, whether a question is open and
whether the number had stopped are the caller's to know. Whatever is not plain is ``other``, and
goes to a person: a wrong guess here closes a request or silences a customer.
"""

import re
import unicodedata
from dataclasses import dataclass

from portal.messaging.plain import cheapen
from portal.messaging.replies import (
    BARE,
    CANCEL_REQUEST,
    CANCEL_WORDS,
    KEYWORDS,
    NOT_QUITE,
    RULES,
    SIGNS,
    MeaningKind,
)
from portal.messaging.stopping import stops_about, wants_to_stop

__all__ = ["Meaning", "MeaningKind", "plain_words", "understand"]

ENDS = re.compile(r"[.!?;,:\n()]+|\s-+\s")
A_STORY = 12
"""A stop in more words than these says more than that."""
LONGEST = 2_000
"""Characters that are looked at; a text has at most 1,600."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """A reply, understood.

    ``answer_words``: what the customer wrote, trimmed, to be kept with the answer. ``keyword``:
    it was a carrier's keyword and nothing else, so Twilio may have answered it already.
    ``cancel``: it may mean "cancel my request", which is for a person. ``bare``: a yes or no
    with no further words. ``about``: what a stop is about, in small plain words; empty where it
    is about everything. ``has_more``: a stop that also says something which a person should
    read: a wrong number, a question, a call wanted, a story.
    """

    kind: MeaningKind
    answer_words: str
    keyword: bool = False
    cancel: bool = False
    bare: bool = False
    about: str = ""
    has_more: bool = False


def understand(text: str) -> Meaning:
    """What a reply means. Case, spaces, punctuation and emoji aside; English and Spanish.

    YES also begins texts again, but only for a number that had stopped: the caller knows.
    """
    said = text.strip()
    words = plain_words(said[:LONGEST])
    squeezed = words.replace(" ", "")
    if not words:
        return Meaning(_of_signs(said[:LONGEST]), said)
    if squeezed in KEYWORDS:
        return Meaning(
            KEYWORDS[squeezed],
            said,
            keyword=True,
            cancel=squeezed in CANCEL_WORDS,
            bare=words in BARE,
        )
    cancel = bool(CANCEL_REQUEST.search(words))
    kind = _of_words(words)
    sentences = _sentences(said[:LONGEST])
    if wants_to_stop(sentences):
        has_more = (
            kind in (MeaningKind.CALL_ME, MeaningKind.STATUS)
            or "wrong" in words
            or len(words.split()) > A_STORY
        )
        about = stops_about(sentences)
        return Meaning(MeaningKind.STOP, said, cancel=cancel, about=about, has_more=has_more)
    if cancel:
        # "Yes, cancel my order" answers no question of ours.
        kind = MeaningKind.OTHER
    return Meaning(kind, said, cancel=cancel, bare=words in BARE)


def plain_words(text: str) -> str:
    """Small plain letters and digits, accents and apostrophes gone, one space between words."""
    plain = unicodedata.normalize("NFKD", cheapen(text)).casefold().replace("'", "")
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(re.findall(r"[^\W_]+", plain))


def _sentences(text: str) -> list[str]:
    """Each sentence, or part of one between commas, as ``plain_words`` has it."""
    return [words for part in ENDS.split(cheapen(text)) if (words := plain_words(part))]


def _of_words(words: str) -> MeaningKind:
    """The first rule that fits, unless the rest of the words take it back."""
    kind = next((kind for kind, rule in RULES if rule.search(words)), MeaningKind.OTHER)
    taken_back = NOT_QUITE.get(kind)
    return MeaningKind.OTHER if taken_back and taken_back.search(words) else kind


def _of_signs(text: str) -> MeaningKind:
    """A reply of signs alone; signs that disagree are for a person."""
    kinds = {kind for sign, kind in SIGNS.items() if sign in text}
    return kinds.pop() if len(kinds) == 1 else MeaningKind.OTHER
