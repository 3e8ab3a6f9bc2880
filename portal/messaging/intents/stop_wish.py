"""A wish to get no more messages, or fewer, and what only looks like one. Pure.

Source: 47 CFR 64.1200(a)(10): any reasonable manner of revoking consent counts. Where it is in
doubt a wish counts as one: a silence is put right by START, a text against somebody's will by
nothing.
"""

from dataclasses import dataclass

from portal.messaging.intents.kinds import StopScope
from portal.messaging.intents.matches import Match
from portal.messaging.intents.observed import Observed
from portal.messaging.intents.question import Question
from portal.messaging.intents.tokens import NUMBER, REFERENCE

SCOPES = {
    "fewer.night": StopScope.NIGHT,
    "fewer.hours": StopScope.NIGHT,
    "fewer.request": StopScope.REQUEST,
    "fewer.channel": StopScope.CHANNEL,
    "fewer.email": StopScope.CHANNEL,
    "fewer.questions": StopScope.QUESTIONS,
    "fewer.some": StopScope.FEWER,
}
HOURS_CUES = frozenset(("fewer.night", "fewer.hours"))
BESIDE_COMMAND = frozenset(
    {
        "any.filler", "any.courtesy", "any.thanks", "any.fine", "any.yes", "any.no", "any.when",
        "any.sign_yes", "any.sign_no", "any.stop", "any.stop_word", "any.trouble", "arrival.yes",
        "arrival.no", "decision.no", "any.correction", "which.choice",
    }
)  # fmt: skip
"""What may stand beside a command and leaves it one."""
VISIT_WORDS = frozenset(
    {
        "visit", "visits", "appointment", "appt", "booking", "slot", "engineer", "engineers",
        "technician", "technicians", "come", "comes", "coming", "installation", "cita", "visita",
        "tecnico", "instalacion", "venir", "venga", "vengan", "الموعد", "موعد", "الزياره", "زياره",
        "المهندس",
    }
)  # fmt: skip
"""Words of a visit: hours beside them, or beside a call, are when it suits, and no hours of texts."""
TEXT_WORDS = frozenset(
    {
        "text", "texts", "texting", "textin", "message", "messages", "messaging", "msg", "msgs",
        "sms", "write", "writing", "send", "sends", "sending", "alerts", "notifications",
        "updates", "ping", "pinging", "buzz", "buzzing", "mute", "quiet", "nightly", "mensaje",
        "mensajes", "escriban", "escribir", "escribirme", "mandar", "manden", "enviar", "envien",
        "رساله", "رسائل", "رسايل", "مسج", "مسجات", "تراسلوني", "ترسلوا",
    }
)  # fmt: skip
"""Words by which hours are those of our texts, whatever else is spoken of."""
COURTESY = ("any.filler", "any.courtesy", "any.thanks", "any.fine")
ORDINARY_WORDS = frozenset({"quit", "baja", "alto", "basta"})
"""Keywords that also end a sentence about something else: "the signal is low" in Spanish."""
EDGE = 3
"""So many keywords are looked at from each end: the time stays linear."""


@dataclass(frozen=True, slots=True)
class StopWish:
    """The phrase that says it. ``scope`` None: no more messages at all.

    ``is_clear``: nothing says that the word may be about something else, as in "the STOP valve".
    """

    match: Match
    scope: StopScope | None = None
    is_clear: bool = True


def find_stop_wish(observed: Observed, question: Question) -> StopWish | None:
    """The wish to stop that a message contains, a full one before a partial one.

    "Not before ten" is about messages only where no question is open.
    """
    words = [*observed.find(["any.stop_word"])]
    commands = [
        match
        for match in dict.fromkeys((*words[:EDGE], *words[-EDGE:]))
        if _is_command(observed, match) or _is_capital(observed, match)
    ]
    scopes = SCOPES if question == Question.NONE else SCOPES.keys() - {"fewer.hours"}
    partial = next(
        (match for match in observed.find(scopes) if not _is_of_other_time(observed, match)), None
    )
    if commands and (partial is None or _is_capital(observed, commands[0])):
        return StopWish(commands[0], is_clear=_is_command(observed, commands[0]))
    alone = next(iter(observed.says(["any.stop_alone"])), None)
    if alone is not None and observed.consists_of("any.stop_alone", *COURTESY):
        return StopWish(alone)
    wishes = [
        match
        for match in observed.find(["any.stop"])
        if "any.not_stop" not in match.cues and not _is_denied(observed, match)
    ]
    # "Not so many messages. No, stop all of them": the last word counts.
    if wishes and (partial is None or _is_later(wishes[-1], partial)):
        return StopWish(wishes[-1])
    if partial is not None:
        scope = next(scope for cue, scope in SCOPES.items() if cue in partial.cues)
        return StopWish(partial, scope)
    return None


def _is_of_other_time(observed: Observed, match: Match) -> bool:
    """Whether the hours are those of a call or a visit: "not at 3, call me after 5 tomorrow"."""
    if match.cues.isdisjoint(HOURS_CUES):
        return False
    words = {token.text for token in observed.tokens}
    said = {token.text for token in observed.tokens[match.start : match.end]}
    is_other = observed.has("any.call") or not VISIT_WORDS.isdisjoint(words)
    return is_other and TEXT_WORDS.isdisjoint(said)


def _is_later(match: Match, other: Match) -> bool:
    """Whether the phrase stands after the other, and means no partial wish too."""
    return match.cues.isdisjoint(SCOPES) and match.start >= other.end


def _is_denied(observed: Observed, match: Match) -> bool:
    """Whether a negation stands right before it: "don't stop these"."""
    part = observed.tokens[match.start].part
    return any(
        other.end == match.start and observed.tokens[other.start].part == part
        for other in observed.find(["any.negation"])
    )


def _is_command(observed: Observed, match: Match) -> bool:
    """Whether a keyword stands as a command: at an edge, with nothing but courtesy beside it."""
    tokens = observed.tokens
    allowed = {
        place
        for other in observed.matches
        if not other.cues.isdisjoint(BESIDE_COMMAND)
        for place in range(other.start, other.end)
    }
    part = tokens[match.start].part
    before = [place for place in range(match.start) if tokens[place].part == part]
    after = [place for place in range(match.end, len(tokens)) if tokens[place].part == part]
    is_plain = [
        place in allowed or tokens[place].text in (REFERENCE, NUMBER) or _is_reference(observed, place)
        for place in (*before, *after)
    ]  # fmt: skip
    unknown = is_plain.count(False)
    is_asked = tokens[match.start].part in observed.questions
    if match.end == len(tokens) and not is_asked and observed.word(match) not in ORDINARY_WORDS:
        return True
    at_edge = match.start == 0 or match.end == len(tokens) or not before or not after
    return unknown == 0 or (at_edge and match.start == 0 and unknown <= 1 and len(after) <= 2)


def _is_reference(observed: Observed, place: int) -> bool:
    """Letters and digits in one word, or a number: a reference of any organisation."""
    word = observed.tokens[place].text
    return word.isdecimal() or (word.isalnum() and any(letter.isdigit() for letter in word))


def _is_capital(observed: Observed, match: Match) -> bool:
    """STOP in capitals, in a message that is not all in capitals."""
    raw = observed.tokens[match.start].raw
    rest = [
        token.raw
        for place, token in enumerate(observed.tokens)
        if not match.start <= place < match.end and len(token.raw) > 1 and token.raw.isalpha()
    ]
    return (
        len(raw) > 1 and raw.isascii() and raw.isupper()
        and any(not word.isupper() for word in rest)
    )  # fmt: skip
