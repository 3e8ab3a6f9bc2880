"""What staff commit to: in the line in which they promise, and in what they write to a customer.

From a letter only plain words in the first person are taken ("I'll call you tomorrow at 3"):
no questions, conditions, doubts or reports. What is missed can still be promised in one line; what
is taken wrongly is shown at the desk and taken back there. English and Spanish.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from portal.messaging.intents.deadlines import APOSTROPHES, DeadlineParser, fold_letters
from portal.messaging.intents.tokens import MAX_READ_LENGTH
from portal.models import PromiseKind

MAX_PROMISE_LENGTH = 200
"""Letters of a promise that are kept of what was written."""


@dataclass(frozen=True, slots=True)
class Commitment:
    """What will be done, and by when if that was said. ``at`` may be a time that has been.

    ``is_moment``: it is done at that time ("at 3 pm"), rather than by then.
    """

    kind: PromiseKind
    text: str
    at: datetime | None = None
    is_moment: bool = False


# The line: "call her back mon 10".

LEADING_PHRASE = re.compile(
    r"^(?:(?:i|we) promise to |(?:i|we)(?:'ll| will|'m going to) |to |prometo |voy a )",
    re.IGNORECASE,
)
CALL_VERB = re.compile(
    r"(?:^|\b(?:and|then|y|to) )(?:call|ring|phone|llamar\w*|telefonear|give \w+ (?:back )?a (?:call|ring))\b"
)
ANSWER_VERB = re.compile(
    r"(?:^|\b(?:and|then|y|to) )(?:answer|reply|write|respond|get back|come back|e-?mail|text|message|let|tell"
    r"|inform|update (?:you|her|him|them|the customer)|follow up|be in touch|responder\w*|contestar\w*"
    r"|escribir\w*|avisar\w*)\b"
)
SPANISH_VERB = re.compile(
    r"^(?:llam|envi|mand|respond|contest|escrib|avis|devolv|confirm|revis|mir|comprob|busc|pregunt"
    r"|averigu|entreg|repar|arregl|cambi|pag|hac|prepar|resolv)[aei]r\w*\b|^(?:ver|dar\w*|pedir\w*)\b"
)
NO_VERB = re.compile(r"^(?:i|we|an?|the|your|our|my|el|la|un|una|su|tu)\b")
THIRD_PERSON_CUSTOMER = re.compile(
    r"\b(call|ring|phone|tell|answer|text|email|e-mail|message|update|write to|write|get back to"
    r"|come back to|reply to|respond to|send|give|let)"
    r" (?:her|him|them|the customer)"
    r"(?= *$| (?:back|again|about|on|with|when|the|an?|know|if|once|as|that|and)\b|[,.;])",
    re.IGNORECASE,
)


def parse_promise_line(line: str, reader: DeadlineParser) -> tuple[Commitment, str]:
    """The promise that one line makes, and the line without its time: "Call her back".

    The commitment's words are those that the customer reads: "I will call you back".
    """
    line = " ".join(line[:MAX_READ_LENGTH].split())
    due = reader.read(line)
    does = f"{line[: due.start]} {line[due.end :]}" if due else line
    does = _tidy(LEADING_PHRASE.sub("", " ".join(does.split())))
    told = _to_the_customer(does)
    return Commitment(_kind_of(fold_letters(does)), told, due.at if due else None), _capital(does)


def _kind_of(does: str) -> PromiseKind:
    if CALL_VERB.search(does):
        return PromiseKind.CALL
    return PromiseKind.ANSWER if ANSWER_VERB.search(does) else PromiseKind.OTHER


def _to_the_customer(does: str) -> str:
    told = THIRD_PERSON_CUSTOMER.sub(r"\1 you", does)
    if not told or NO_VERB.match(fold_letters(told)):
        return _capital(told)
    begun = "Voy a" if SPANISH_VERB.match(fold_letters(told)) else "I will"
    return f"{begun} {told[0].lower()}{told[1:]}"


# The letter: "Thank you for waiting. I'll call you tomorrow at 3."

SENTENCE = re.compile(r"[^.!?;\n]++(?:\.(?=\w)[^.!?;\n]++)*+[.!?;]*+")
AM_PM = re.compile(r"\b([ap])\.( ?)m\b\.?")
QUOTED = tuple(
    re.compile(pattern, re.MULTILINE)
    for pattern in (r"“[^”]*+(”)?", r"\"[^\"]*+(\")?", r"«[^»]*+(»)?", r"^(>).*$")
)
"""A quotation; its group is empty where the quotation has no end, and then it is none."""
FIRST_PERSON = re.compile(
    r"\b(?P<who>i|we)(?:'ll|'m going to|'re going to| will| shall| am going to| are going to"
    r"| promise to) "
    r"|\b(?P<slip>ill) (?=call|ring|phone|get |send|let |write|reply|answer|check|look)"
    r"|^ *(?P<bare>will) (?=call|ring|phone|get back|send|let you|write|reply|answer|check|look)"
    r"|\b(?P<let>let me) (?=[^,]{0,80}\band (?:get back|call|ring|phone|come back|write|let you))"
    r"|\b(?P<hear>you(?:'ll| will)) (?=hear (?:back )?from (?:me|us)\b)"
    r"|\b(?P<un>i|we) promise you (?=an? (?:call|answer|reply))"
)
CONDITION = re.compile(
    r"\b(?:if|unless|whether|when|whenever|once|until|while|said|says|say|told|promised|thought"
    r"|asked|hope|why|where|how|because|as soon as|whoever|should|before|after)\b"
)
"""Before the words in their sentence: then they are a condition's, or a report."""
DOUBT = re.compile(
    r"\b(?:if|unless|whether|when|whenever|once|until|hopefully|probably|maybe|perhaps|possibly|try"
    r"|never|not|no|cannot|always|usually|normally|generally|every|each|happy|glad|pleased|only"
    r"|need|have to|be able|as soon as (?!possible|i can|we can)|in case|should|would|could|might"
    r"|(?:ask|tell|remind|get|have)\b[^,]{0,80}\bto (?:call|ring|phone|write|answer|reply|contact|send)"
    r"|then we|otherwise)\b|n't\b"
)
EVENT_CONDITION = re.compile(r"\b(?:before|after|until|by then)\b")

LIMIT = re.compile(
    r"\b(?:by|before|within|in|until|till|latest|later|around|about|between|from now|antes|dentro|hasta)\b"
)
"""What makes of a time a limit: "by 3", "in 2 hours"."""
CALL_PHRASE = re.compile(
    r"\b(?:call|ring|phone|telephone)(?:ing)? (?:you|u|back|again)\b|(?<!your )(?<!the )(?<!a )\b(?:call|ring|phone)$"
    r"|\bgiv(?:e|ing) (?:you|u) (?:back )?(?:a |another )?(?:quick )?(?:call|ring|buzz)\b|\byou a call\b"
)
ANSWER_PHRASE = re.compile(
    r"\bget(?:ting)? (?:right |straight |quickly |directly )?back (?:to (?:you|u)|in touch|with you)\b"
    r"|\bget (?:right |straight )?back$|\bbe in touch\b|\bhear (?:back )?from (?:me|us)\b"
    r"|\b(?:be|come|write|report|circle|go) (?:right |straight )?back (?:to )?you\b"
    r"|\b(?:answer|reply|respond)(?: to)? (?:you|u|your|this|that|it|all)\b|\b(?:answer|reply|respond)$"
    r"|\b(?:write|e-?mail|text|message|contact)(?: to)? (?:you|u)\b|\blet (?:you|u) know\b|\bupdate (?:you|u)\b"
    r"|\bfollow up\b|\bgiv(?:e|ing) you an? (?:answer|update|reply)\b|\byou an? (?:answer|reply)\b"
    r"|\b(?:look into|find out|investigate|check)\b"
)
ACTION_VERB = re.compile(
    r"\b(?:send|post|mail|forward|resend|refund|return|replace|deliver|ship|fix|repair|mend|arrange"
    r"|book|cancel|order|reorder|issue|pay|transfer|correct|change|pass|raise|escalate|prepare|finish"
    r"|complete|bring|come|credit|see to|take care of|sort|do (?:it|this|that)"
    r"|have (?:it|this|that|your \w+) (?:ready|done|sent|fixed|finished))\b"
)
SENDING_PHRASE = re.compile(
    r"\b(?:send|forward|resend|post|mail) (?:it |this |that |these |them )?(?:to )?you\b"
)
CONTENT_FOLLOWS = re.compile(r":|https?|\battached\b|\bbelow\b")

SPANISH_COMMITMENT = re.compile(
    r"\b(?:(?:te|le|les|lo|la|los|las|os) )?(?P<future>"
    r"llamar[ée](?:mos)?|responder[ée](?:mos)?|contestar[ée](?:mos)?|escribir[ée](?:mos)?|avisar[ée](?:mos)?"
    r"|(?:me pondr[ée]|nos pondremos) en contacto)\b"
    r"|\b(?:(?:te|le|les|lo|la|los|las|os) )?(?:voy|vamos) a (?P<going>llamar|responder|contestar|escribir|avisar)(?:te|le|les|lo|la|los|las|os)?\b"
    r"|\b(?:te|le|les|lo|la|los|las|os) (?P<now>llamo|llamamos|respondo|respondemos|contesto|contestamos"
    r"|escribo|escribimos|aviso|avisamos)\b"
    r"|\b(?:se |te |le |les )?(?:(?:lo|la|los|las) )?(?P<does>(?:env[ií]o|enviamos|mando|mandamos|devuelvo"
    r"|devolvemos)|(?:enviar|mandar|devolver|arreglar|cambiar|reparar)(?:é|emos)|(?:voy|vamos) a (?:enviar|mandar|devolver|arreglar|cambiar|reparar)\w*)\b"
)
SPANISH_DOUBT = re.compile(
    r"\b(?:si|cuando|no|nunca|siempre|solo|s[óo]lo|quiz[áa]s?|tal vez|aunque|que si|dij[oe]|en cuanto)\b"
)


def extract_commitments(body: str, reader: DeadlineParser) -> list[Commitment]:
    """What the writer of a text promises, in their order; at most one of each kind.

    The first ``MAX_READ_LENGTH`` letters are read. Of one that is said twice the one with a time counts.
    """
    found: dict[PromiseKind, Commitment] = {}
    for commitment in _commitments(body[:MAX_READ_LENGTH], reader):
        kind = commitment.kind
        if kind not in found or (found[kind].at is None and commitment.at is not None):
            found[kind] = commitment
    # "I'll look into it and call you by 5": with a time that is named, no other is meant.
    timed = [commitment for commitment in found.values() if commitment.at is not None]
    return timed or list(found.values())


def _commitments(body: str, reader: DeadlineParser) -> Iterator[Commitment]:
    low = "".join(_small(letter) for letter in body)
    low = AM_PM.sub(lambda said: f"{said[1]}m".ljust(len(said[0])), low)
    for quotation in QUOTED:
        low = quotation.sub(lambda said: " " * len(said[0]) if said[1] else said[0], low)
    for sentence in SENTENCE.finditer(low):
        if "?" in sentence[0]:
            continue
        condition = CONDITION.search(sentence[0])
        for start, end in _clauses(sentence[0]):
            if condition and condition.end() <= start:
                break
            place = sentence.start() + start, sentence.start() + end
            commitment = _english(low[slice(*place)], body[slice(*place)], reader)
            if commitment is not None:
                yield commitment
        yield from _spanish(sentence[0], body[sentence.start() : sentence.end()], reader)


def _clauses(sentence: str) -> Iterator[tuple[int, int]]:
    """From each first person of a sentence to the next."""
    starts = (said.start() for said in FIRST_PERSON.finditer(sentence))
    return pairwise([*starts, len(sentence)])


def _english(clause: str, written: str, reader: DeadlineParser) -> Commitment | None:
    said = FIRST_PERSON.match(clause)
    if said is None:
        return None
    at, rest, text = _without_time(clause, written, reader)
    if DOUBT.search(rest) or EVENT_CONDITION.search(rest):
        return None
    if CALL_PHRASE.search(rest):
        return Commitment(PromiseKind.CALL, text, at, _names_moment(clause, at, reader))
    if ANSWER_PHRASE.search(rest):
        return Commitment(PromiseKind.ANSWER, text, at)
    sends = (
        said["who"] == "i" and SENDING_PHRASE.search(rest) and not CONTENT_FOLLOWS.search(clause)
    )
    if sends or (at is not None and ACTION_VERB.search(rest)):
        return Commitment(PromiseKind.OTHER, text, at)
    return None


def _spanish(sentence: str, written: str, reader: DeadlineParser) -> Iterator[Commitment]:
    said = SPANISH_COMMITMENT.search(sentence)
    if said is None or SPANISH_DOUBT.search(sentence):
        return
    start = said.start()
    at, _, text = _without_time(sentence[start:], written[start:], reader)
    verb = said["future"] or said["going"] or said["now"] or ""
    if at is None and (said["now"] or said["does"]):
        return
    kind = PromiseKind.CALL if verb.startswith("llam") else PromiseKind.ANSWER
    yield Commitment(PromiseKind.OTHER if said["does"] else kind, text, at)


def _without_time(
    clause: str, written: str, reader: DeadlineParser
) -> tuple[datetime | None, str, str]:
    """The latest time that is named, and the clause and its written words without any."""
    times = reader.find(clause)
    exact = [time for time in times if time.is_exact]
    at = max((time.at for time in exact or times), default=None)
    kept = _outside([(time.start, time.end) for time in times], len(clause))
    rest, text = ("".join(words[a:b] for a, b in kept) for words in (clause, written))
    return (
        at,
        _tidy(" ".join(rest.split())),
        _capital(_tidy(" ".join(text.split()))[:MAX_PROMISE_LENGTH]),
    )


def _names_moment(clause: str, at: datetime | None, reader: DeadlineParser) -> bool:
    """Whether the time is one at which it is done, and no limit or span."""
    return any(
        time.at == at and time.is_exact and not LIMIT.search(clause[time.start : time.end])
        for time in reader.find(clause)
    )


def _outside(cut: list[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    edges = [0, *(edge for pair in cut for edge in pair), length]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _tidy(words: str) -> str:
    words = re.sub(r"(?<! ) +([,.;:])", r"\1", words).strip(" ,.;:!-–—")  # noqa: RUF001 (as people write)
    return re.sub(r"(?<![ ,])[ ,]+(?:and|but|so|y|pero|or)$", "", words, flags=re.IGNORECASE).strip(
        " ,"
    )


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _small(letter: str) -> str:
    if letter in APOSTROPHES:
        return "'"
    small = letter.casefold()
    return small if len(small) == 1 else letter
