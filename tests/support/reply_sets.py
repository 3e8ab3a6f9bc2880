"""Sets of replies with their right readings, and how the product reads them.

A set is a CSV file: ``tests/corpus/README.md`` says what its columns mean. Practice sets were
written by people who had not seen the rules, and the rules were then written with them in view;
blind sets are read by nobody who writes rules.
"""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from portal.messaging.intents.classifier import Intent, IntentKind, Question, classify
from portal.messaging.sms.automatic_texts import is_automatic_text
from portal.messaging.sms.own_text import fold_texts, without_own_text
from portal.messaging.sms.reactions import read_reaction

CORPUS = Path(__file__).parents[1] / "corpus"
LANGUAGES = ("en", "es", "ar")
QUESTIONS = {
    "arrival": Question.ARRIVAL,
    "price": Question.DECISION,
    "time": Question.TIME,
    "which": Question.WHICH,
    "none": Question.NONE,
}
QUOTED = re.compile('[“”„«»"‘’「『](.{12,}?)(?:[“”«»"’」』]|…|$)', re.DOTALL)  # noqa: RUF001
"""What stands in quotation marks is a text of ours in these sets."""
UNASKED = (IntentKind.YES, IntentKind.NO, IntentKind.ASK_BACK)
"""Readings that nothing follows from where nothing is asked."""
OFFERED = 2
"""Requests in the list of a "which?"."""
OWNED = {"person", "call_me", "reopen"}
"""Readings after which a person has something to do."""


@dataclass(frozen=True)
class Reply:
    """One row of a set."""

    question: str
    text: str
    right: str
    accepted: frozenset[str]
    harmful: frozenset[str]
    needs_owner: bool


@dataclass(frozen=True)
class Judged:
    """A reply and what the product makes of it."""

    reply: Reply
    reading: str
    intent: Intent

    @property
    def is_owned(self) -> bool:
        """Whether a person has something to do with it."""
        return self.reading in OWNED or self.intent.needs_owner

    @property
    def is_acceptable(self) -> bool:
        """The right reading or another that is accepted; what is asked back may also be owned."""
        asked_and_owned = self.reading == "ask_back" and self.intent.needs_owner
        return self.reading in self.reply.accepted or (
            asked_and_owned and "person" in self.reply.accepted
        )

    @property
    def is_harmful(self) -> bool:
        return self.reading in self.reply.harmful

    @property
    def is_needless(self) -> bool:
        """A person is given what asks for nobody."""
        return self.is_owned and not self.reply.needs_owner

    @property
    def is_swallowed(self) -> bool:
        """It asks or tells something, and no person has it."""
        return self.reply.needs_owner and not self.is_owned


def read_set(path: Path) -> list[Reply]:
    """The rows of a set. Raises OSError where the file is missing."""
    with path.open(encoding="utf-8", newline="") as rows:
        return [
            Reply(
                row["question"],
                row["text"],
                row["right"],
                frozenset({row["right"], *filter(None, row["also"].split("|"))}),
                frozenset(filter(None, row["harmful"].split("|"))),
                row["needs_owner"] == "yes",
            )
            for row in csv.DictReader(rows)
        ]


def judge(replies: Sequence[Reply], language: str) -> list[Judged]:
    """What the product makes of each."""
    return [Judged(reply, *_read(reply, language)) for reply in replies]


def _read(reply: Reply, language: str) -> tuple[str, Intent]:
    """The reading by the names of the sets.

    Where nothing is asked, a yes, a no and an unclear message are for a person, and a thumb up is
    recorded as thanks are. A number that the list of two requests does not have is asked back.
    """
    sent = fold_texts([found[1] for found in QUOTED.finditer(reply.text)])
    if is_automatic_text(reply.text) or (sent and read_reaction(reply.text, sent)):
        return "reaction", Intent(IntentKind.REACTION, reply.text)
    text = without_own_text(reply.text, sent) if sent else reply.text
    intent = classify(text, QUESTIONS[reply.question], language)
    reading = "person" if intent.kind == IntentKind.OTHER else intent.kind.value
    if reply.question == "none" and intent.kind in UNASKED:
        reading = "person"
    elif intent.kind == IntentKind.CHOICE and reply.text.strip().isdecimal():
        reading = "choice" if 1 <= int(reply.text) <= OFFERED else "ask_back"
    return reading, intent


@dataclass(frozen=True)
class Totals:
    """The totals of a set: shares between 0 and 1, and counts."""

    replies: int
    harmful: int
    acceptable: float
    needless: float
    swallowed: int
    stop_recall: float
    stop_precision: float


def count(judged: Sequence[Judged]) -> Totals:
    """The totals."""
    asking_nothing = [each for each in judged if not each.reply.needs_owner]
    wishes = [each for each in judged if each.reply.right == "stop"]
    stopped = [each for each in judged if each.reading == "stop"]
    return Totals(
        replies=len(judged),
        harmful=sum(each.is_harmful for each in judged),
        acceptable=_share(sum(each.is_acceptable for each in judged), len(judged)),
        needless=_share(sum(each.is_needless for each in asking_nothing), len(asking_nothing)),
        swallowed=sum(each.is_swallowed for each in judged),
        stop_recall=_share(sum(each.reading == "stop" for each in wishes), len(wishes)),
        stop_precision=_share(sum("stop" in each.reply.accepted for each in stopped), len(stopped)),
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
