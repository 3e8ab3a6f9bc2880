"""What a customer's reply means, as far as plain words tell it.

Pure: it sees the words and nothing else. Which request is meant, whether a question is open and
whether the number had stopped are the caller's to know. Whatever is not plain is ``other``, and
goes to a person: a wrong guess here closes a request or silences a customer.
"""

import re
import unicodedata
from dataclasses import dataclass

from portal.messaging.intents.arabic import ARABIC
from portal.messaging.intents.english import ENGLISH
from portal.messaging.intents.opt_out import is_opt_out, opt_out_topic
from portal.messaging.intents.patterns import (
    CANCEL_KEYWORDS,
    EMOJI_INTENTS,
    KEYWORDS,
    MAX_READ_LENGTH,
    IntentKind,
    LanguageRules,
    StopScope,
)
from portal.messaging.intents.question import Question
from portal.messaging.intents.spanish import SPANISH
from portal.messaging.sms.gsm_text import to_gsm7

__all__ = ["Intent", "IntentKind", "Question", "StopScope", "classify", "normalize_words"]

ALL_RULES = (ENGLISH, SPANISH, ARABIC)
SENTENCE_ENDS = re.compile(r"[.!?;,:\n()]+|\s-+\s")
OTHER_LETTERS = str.maketrans({"'": None, "\u0640": None, "ى": "ي"})
"""What writers put in or leave out: an apostrophe, Arabic's tatweel, the dots of a final yaa."""
MAX_OPT_OUT_WORDS = 12
"""A stop in more words than these says more than that."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A reply, understood.

    ``answer_words``: what the customer wrote, trimmed, to be kept with the answer. ``keyword``:
    it was a carrier's keyword and nothing else, so Twilio may have answered it already.
    ``cancel``: it may mean "cancel my request", which is for a person. ``bare``: a yes or no
    with no further words. ``about``: what a stop is about, in small plain words; empty where it
    is about everything. ``needs_reading``: a stop that also says something which a person should
    read: a wrong number, a question, a call wanted, a story. ``reason``: why they write, as a
    Contact says it, where it is plain. ``language``: the one that it is plainly in, if it is.
    ``needs_owner``: it asks or tells something beside what the machine can answer. ``is_urgent``:
    something was stolen, somebody is hurt, fraud. ``scope``: what STOP_PARTIAL is about, with the
    channel that is to stop (``sms``, ``email``) or the words in ``about``. ``because``: the words
    that decided, as the desk shows them.
    """

    kind: IntentKind
    answer_words: str
    is_keyword: bool = False
    cancel: bool = False
    bare: bool = False
    about: str = ""
    needs_reading: bool = False
    reason: str = ""
    language: str = ""
    needs_owner: bool = False
    is_urgent: bool = False
    scope: StopScope | None = None
    because: str = ""


def classify(
    text: str,
    question: Question = Question.NONE,  # noqa: ARG001
    locale: str = "en",
) -> Intent:
    """What a reply means. Case, spaces, punctuation and emoji aside; English, Spanish, Arabic.

    ``question`` is the one that is open. ``locale`` is the customer's: its language is tried first, for any is written by all. YES
    also begins texts again, but only for a number that had stopped: the caller knows. The first
    ``MAX_READ_LENGTH`` letters are read: a longer text is a stop, or for a person. The time grows
    with the length of the text and no faster.
    """
    said = text.strip()
    # What is not read may say the opposite of anything but a stop.
    read, is_cut = said[:MAX_READ_LENGTH], len(said) > MAX_READ_LENGTH
    words = normalize_words(read)
    squeezed = words.replace(" ", "")
    if not words:
        kind = _of_signs(read)
        is_stop = kind == IntentKind.STOP
        return Intent(
            kind if is_stop or not is_cut else IntentKind.OTHER,
            said,
            needs_reading=is_stop and is_cut,
        )
    tables = _tables(words, locale)
    language = tables[0].language if len(tables) == 1 else ""
    bare = not is_cut and any(words in table.bare for table in ALL_RULES)
    keyword = KEYWORDS.get(squeezed)
    if keyword is not None and (keyword == IntentKind.STOP or not is_cut):
        return Intent(
            keyword, said, is_keyword=not is_cut, cancel=squeezed in CANCEL_KEYWORDS, bare=bare,
            needs_reading=is_cut, language=language,
        )  # fmt: skip
    cancel = any(table.cancel.search(words) for table in ALL_RULES)
    kind = _of_words(words, tables)
    reason = _reason(kind, words, tables)
    sentences = _sentences(read)
    if is_opt_out(sentences):
        needs_reading = (
            is_cut
            or kind in (IntentKind.CALL_ME, IntentKind.STATUS)
            or "wrong" in words
            or len(words.split()) > MAX_OPT_OUT_WORDS
        )
        about = opt_out_topic(sentences)
        return Intent(
            IntentKind.STOP, said, cancel=cancel, about=about, needs_reading=needs_reading, reason=reason,
            language=language,
        )  # fmt: skip
    if is_cut:
        kind, reason = IntentKind.OTHER, ""
    elif cancel:
        # "Yes, cancel my order" answers no question of ours.
        kind, reason = IntentKind.OTHER, "change"
    return Intent(kind, said, cancel=cancel, bare=bare, reason=reason, language=language)


def normalize_words(text: str) -> str:
    """Small plain letters and digits, accents and apostrophes gone, one space between words."""
    plain = unicodedata.normalize("NFKD", to_gsm7(text)).casefold().translate(OTHER_LETTERS)
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(re.findall(r"[^\W_]+", plain))


def _sentences(text: str) -> list[str]:
    """Each sentence, or part of one between commas, as ``normalize_words`` has it."""
    return [
        words for part in SENTENCE_ENDS.split(to_gsm7(text)) if (words := normalize_words(part))
    ]


def _tables(words: str, locale: str) -> tuple[LanguageRules, ...]:
    """The tables to try: of the one language that it is plainly in, else all, theirs first."""
    plain_tables = tuple(table for table in ALL_RULES if table.is_written_in(words))
    if len(plain_tables) == 1:
        return plain_tables
    own_language = locale.lower()[:2]
    return tuple(sorted(ALL_RULES, key=lambda table: table.language != own_language))


def _of_words(words: str, tables: tuple[LanguageRules, ...]) -> IntentKind:
    """What the first table makes of it that knows it, unless another takes that back."""
    read = [kind for table in tables if (kind := table.read(words)) is not None]
    answers = {IntentKind.YES, IntentKind.NO}
    if len(set(read)) > 1 and answers & set(read):
        return IntentKind.OTHER
    return read[0] if read else IntentKind.OTHER


def _reason(kind: IntentKind, words: str, tables: tuple[LanguageRules, ...]) -> str:
    """Why they write: a Contact's reason; empty where it is none of the others."""
    if kind == IntentKind.STATUS:
        return "where_is_it"
    if kind in (IntentKind.YES, IntentKind.THANKS, IntentKind.TIME):
        return ""
    return next((reason for table in tables if (reason := table.reason(words))), "")


def _of_signs(text: str) -> IntentKind:
    """A reply of signs alone; signs that disagree are for a person."""
    kinds = {kind for sign, kind in EMOJI_INTENTS.items() if sign in text}
    return kinds.pop() if len(kinds) == 1 else IntentKind.OTHER
