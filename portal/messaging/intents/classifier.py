"""What a customer's reply means, as far as plain words tell it.

Pure: it sees the words and the question, and nothing else. Which request is meant and whether the
number had stopped are the caller's to know. Whatever is not plain is ``other``, and goes to a
person, or is asked back: a wrong guess here closes a request or silences a customer.
"""

from portal.messaging.intents.cues import MANY_WORDS, MATTERS, STATEMENTS, YES_WORDS
from portal.messaging.intents.intent import Intent
from portal.messaging.intents.kinds import IntentKind, StopScope
from portal.messaging.intents.observed import Observed, observe
from portal.messaging.intents.question import Question
from portal.messaging.intents.reading import Reading, has_matter, read
from portal.messaging.intents.stop_wish import StopWish, find_stop_wish
from portal.messaging.intents.tokens import MAX_READ_LENGTH, normalize_words, split_signature

__all__ = ["Intent", "IntentKind", "Question", "StopScope", "classify", "normalize_words"]

STOPS_WORK = ("stop", "alto", "halt", "توقف", "وقف", "قف")
"""Words that also mean to stop the work."""
HOLDS_BACK = (
    "any.condition", "any.doubt", "any.negation", "any.ask", "any.price", "any.change", "any.cancel",
    "any.not_call", "decision.no", "time.no",
)  # fmt: skip
"""What stands beside a "Stop!" that is about the work."""
KEYWORDS = {
    **dict.fromkeys(
        ("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "alto",
         "parar", "baja", "cancelar", "detener"), IntentKind.STOP,
    ),
    **dict.fromkeys(("start", "unstop", "comenzar", "empezar"), IntentKind.START),
    **dict.fromkeys(("help", "info", "ayuda", "auxilio"), IntentKind.HELP),
    "yes": IntentKind.YES,
}  # fmt: skip
"""The carriers' keywords: the whole reply, spaces aside (CTIA, and Twilio's opt-out handling)."""
CANCEL_KEYWORDS = ("cancel", "cancelar")
ABOUT_WORDS = ("about", "for", "regarding", "concerning", "sobre", "عن", "بخصوص")
TEXT_WORDS = frozenset(
    ["sms", "text", "texts", "mensaje", "mensajes", "msj", "msjs", "رساله", "رسائل", "مسج", "مسجات"]
)
EMAIL_WORDS = frozenset(["email", "mail", "mails", "correo", "correos", "ايميل", "ايميلات", "بريد"])
EVERYTHING = frozenset(
    ["all", "everything", "any", "anything", "ever", "todo", "todos", "كل", "جميع"]
)
BESIDE_STOP = (
    "any.trouble", "any.change", "any.cancel", "any.ask", "any.price", "any.urgent", "any.call", "any.status",
    "any.condition",
)  # fmt: skip
BARE_CUES = ("any.yes", "any.no")


def classify(text: str, question: Question = Question.NONE, locale: str = "en") -> Intent:
    """What a reply means. Case, spaces, punctuation and accents aside; English, Spanish, Arabic.

    ``question`` is the one that is open. ``locale`` is the customer's: its language counts where
    two fit as well, for any is written by all. YES also begins texts again, but only for a number
    that had stopped: the caller knows. The first ``MAX_READ_LENGTH`` letters are read: a longer
    text is a stop, or for a person. The time grows with the length of the text and no faster.
    """
    said = text.strip()
    # What is not read may say the opposite of anything but a stop.
    is_cut = len(said) > MAX_READ_LENGTH
    head = said[:MAX_READ_LENGTH]
    above, below = split_signature(head)
    observed = observe(above, locale, is_choice=question == Question.WHICH)
    words = normalize_words(head)
    squeezed = words.replace(" ", "")
    keyword = KEYWORDS.get(squeezed)
    wish = find_stop_wish(observed, question)
    reading = read(observed, question)
    if not observed.tokens:
        reading = Reading(IntentKind.OTHER, needs_owner=True)
    if keyword in (IntentKind.START, IntentKind.HELP, IntentKind.STOP):
        reading = Reading(keyword, next(iter(observed.matches), None))
    elif wish is not None and not _stops_the_work(wish, observed, question):
        reading = _read_wish(wish, observed, question)
    elif any_hour := observed.affirms(["any.any_hour"]):
        reading = Reading(IntentKind.START, any_hour[0], _tells_beside_start(observed))
    elif _is_about_texts(observed, "any.start"):
        is_more = _tells_beside_start(observed)
        reading = Reading(IntentKind.START, next(observed.find(["any.start"])), is_more)
    elif _is_about_texts(observed, "any.help") and (
        question == Question.NONE or observed.consists_of("any.help", "any.filler")
    ):
        reading = Reading(IntentKind.HELP, next(observed.find(["any.help"])))
    elif _is_about_texts(observed, "any.link"):
        match = next(observed.find(["any.link"]))
        reading = Reading(IntentKind.LINK, match, reading.needs_owner and _tells_more(observed))
    elif _is_about_texts(observed, "any.reopen"):
        reading = Reading(IntentKind.REOPEN, next(observed.find(["any.reopen"])))
    if is_cut and reading.kind != IntentKind.STOP:
        reading = Reading(IntentKind.OTHER, reading.match, needs_owner=True)
    kind = reading.kind
    is_stop = kind in (IntentKind.STOP, IntentKind.STOP_PARTIAL)
    beneath = observe(below, locale)
    needs_owner = reading.needs_owner or is_cut or beneath.has(*MATTERS)
    return Intent(
        kind, said,
        is_keyword=keyword is not None and not is_cut,
        cancel=observed.has("any.cancel") or squeezed in CANCEL_KEYWORDS,
        bare=not is_cut and observed.consists_of(*BARE_CUES),
        about=_about(observed, wish, words) if is_stop else "",
        needs_reading=is_stop and needs_owner,
        reason=_reason(observed, kind),
        language=observed.language.code if observed.is_plain else "",
        needs_owner=needs_owner,
        is_urgent=observed.has("any.urgent") or beneath.has("any.urgent"),
        scope=_scope(observed, wish, kind),
        is_wrong=reading.is_wrong,
        is_statement=reading.states_arrival,
        because=observed.quote(reading.match) if reading.match else "",
    )  # fmt: skip


def _read_wish(wish: StopWish, observed: Observed, question: Question) -> Reading:
    """The wish, and whether it says more: a complaint, a question, an answer, a story."""
    kind = IntentKind.STOP if wish.scope is None else IntentKind.STOP_PARTIAL
    beside = [*observed.find(BESIDE_STOP)]
    answers = [
        match
        for side in STATEMENTS[question]
        for match in observed.says([*side, *YES_WORDS])
        if match.cues.isdisjoint(wish.match.cues)
    ]
    is_answer = question in (Question.DECISION, Question.TIME) and bool(answers)
    is_long = len(observed.leftover) >= MANY_WORDS[Question.ARRIVAL]
    is_more = bool(beside) or is_answer or is_long or not wish.is_clear
    return Reading(kind, wish.match, is_more)


def _stops_the_work(wish: StopWish, observed: Observed, question: Question) -> bool:
    """Whether "Stop!" answers "Shall we go ahead?": it says why, and is no keyword in capitals."""
    word = observed.quote(wish.match)
    is_word = word.casefold() in STOPS_WORK and not word.isupper()
    return question in (Question.DECISION, Question.TIME) and is_word and observed.has(*HOLDS_BACK)


def _is_about_texts(observed: Observed, cue: str) -> bool:
    """Whether the message says that, and tells little beside it."""
    return observed.has(cue) and len(observed.leftover) <= 3


def _scope(observed: Observed, wish: StopWish | None, kind: IntentKind) -> StopScope | None:
    """What a wish for fewer messages is about, or a START: that of texts at any hour, the night."""
    if kind == IntentKind.START and observed.affirms(["any.any_hour"]):
        return StopScope.NIGHT
    return wish.scope if wish is not None and kind == IntentKind.STOP_PARTIAL else None


def _tells_beside_start(observed: Observed) -> bool:
    """Whether a wish for texts tells of a call too, or of something that is wrong."""
    return observed.has("any.call", "any.trouble", "any.cancel", "any.urgent")


def _tells_more(observed: Observed) -> bool:
    """Whether a wish for the link tells of something else too."""
    return has_matter(observed, Question.NONE, beside=["any.link", "any.ask", "any.status"])


def _about(observed: Observed, wish: StopWish | None, words: str) -> str:
    """What a stop is about: the words of the topic, the night's hours, or the channel to stop."""
    if wish is None:
        return ""
    if wish.scope == StopScope.CHANNEL:
        return _channel(observed, wish)
    return words if wish.scope == StopScope.NIGHT else _topic(observed)


def _channel(observed: Observed, wish: StopWish) -> str:
    """The channel that is to stop; empty where both are named and it is not plain which."""
    if "fewer.email" in wish.match.cues:
        return "email"
    words = {token.text for token in observed.tokens}
    names_both = not words.isdisjoint(TEXT_WORDS) and not words.isdisjoint(EMAIL_WORDS)
    return "" if names_both and observed.language.code != "en" else "sms"


def _topic(observed: Observed) -> str:
    """What it is about, in small plain words; empty where it is about everything."""
    words = [token.text for token in observed.tokens]
    if not EVERYTHING.isdisjoint(words):
        return ""
    place = next((place for place, word in enumerate(words) if word in ABOUT_WORDS), len(words))
    sentence = [token.sentence for token in observed.tokens]
    return " ".join(
        word
        for word, number in zip(words[place + 1 :], sentence[place + 1 :], strict=True)
        if number == sentence[place]
    )


def _reason(observed: Observed, kind: IntentKind) -> str:
    """Why they write: a Contact's reason; empty where it is none of the others."""
    if kind == IntentKind.STATUS:
        return "where_is_it"
    if kind in (IntentKind.YES, IntentKind.THANKS, IntentKind.TIME):
        return ""
    reasons = {
        "complaint": ("any.trouble", "arrival.no"),
        "change": ("any.change", "any.cancel"),
        "question": ("any.ask", "any.price"),
    }
    return next((reason for reason, cues in reasons.items() if observed.has(*cues)), "")
