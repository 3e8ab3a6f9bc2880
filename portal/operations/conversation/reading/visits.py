"""What a message says about a visit: a time for it, another time, or that it is off. Pure."""

import re
from collections.abc import Sequence

from portal.messaging.intents.appointment_times import MONTHS, WEEKDAYS, normalize_text
from portal.messaging.intents.classifier import Intent, IntentKind
from portal.messaging.intents.named_times import NamedTime, NamedTimeParser, read_choice
from portal.messaging.intents.time_words import (
    are_known,
    clauses_of,
    excludes_time,
    names_time,
    time_words,
)
from portal.models import AnswerType, FollowUp, ServiceRequest
from portal.operations.conversation.facts import InboundFacts
from portal.operations.conversation.outcomes import BookVisit, CancelVisit
from portal.rules.visits import is_visit_over

VISIT_RULES = {
    "V1": "It names a time for a visit: booked where that is free, else free times are offered.",
    "V2": "It names another time for the booked visit: moved, or free times are offered.",
    "V3": "It cancels the booked visit: cancelled, and asked for another time.",
    "V4": "It wants none of the offered times: the next ones, or a person agrees one.",
}
TIME_KINDS = (IntentKind.TIME, IntentKind.YES, IntentKind.ASK_BACK)
"""What a reply with a time is read as, where a time was asked for."""
NOT_ABOUT_VISIT = (IntentKind.CALL_ME, IntentKind.STOP, IntentKind.STOP_PARTIAL, IntentKind.STATUS)
MAX_WORDS = 16
"""A longer message tells more than a change of the visit, and a person reads it."""
_NAMES = r"(?:appointment|appt|visit|booking|slot|cita|visita|الموعد|موعدي|موعد|الزيارة|زيارة|الزياره|زياره)"
_VISIT = rf"(?:{_NAMES}|engineer|technician|installation|tecnico|instalacion|المهندس)"
NAMES_VISIT = re.compile(rf"(?<!\w){_VISIT}(?!\w)")
_WHEN = (
    r"(?:on |at |for |to |in the |by |after |before |between |from )?(?:tomorrow|today|tonight|next|this|morning"
    rf"|afternoon|evening|noon|\d{1, 2}(?::\d\d)? ?[ap]m|{'|'.join([*WEEKDAYS, *MONTHS])})\b"
)
CHANGE = re.compile(
    r"\b(?:resched\w*|re-?arrange|postpone"
    rf"|(?:change|move|switch|push) (?:it|(?:the|my|our|this) (?:{_VISIT}|time|date|day))"
    r"|(?:another|different|other) (?:time|day|date|slot)"
    rf"|(?:can|could) (?:we|you|i) (?:make it|come|do|have) {_WHEN}|(?<!t )make it {_WHEN}"
    rf"|bring (?:it|(?:the|my|our) {_VISIT}) forward"
    r"|(?:cambiar|mover|aplazar|reprogramar)(?:la|lo)?|otr[ao] (?:hora|fecha|dia)"
    rf"|mejor (?:el|a) (?:las? )?(?:\d|{'|'.join(WEEKDAYS)}))\b|تغيير|نغير|اغير|تاجيل"
)
INSTEAD = re.compile(r"\b(?:instead|en vez)\b|بدلا")
"""What makes a change of a time that stands alone: somebody else may come instead."""
NONE_SUITS = re.compile(
    r"(?:(?:sorry|no|unfortunately|lo siento|عذرا) ){0,3}(?:"
    r"(?:none|neither|not any)(?: of (?:them|these|those|that|the)(?: (?:times|dates|days|options|slots|windows))?)?"
    r"(?: (?:works?|suits?|fits?|is|are|will|would|do|does)"
    r"(?: (?:work|suit|fit|do|any good|good|great|ok|okay|fine|possible|convenient|suitable|for|me|us)){0,4})?"
    r"|(?:they|these|those|(?:these|those) times) (?:all )?(?:dont|do not|wont|will not|cant) (?:work|suit|fit)(?: for)?(?: me| us)?"
    r"|(?:i|we) (?:cant|cannot|can not) (?:do|make|manage) (?:any|either)(?: of (?:them|these|those))?"
    r"|(?:any |have you (?:any )?|do you have (?:any )?)?(?:other|later|different) (?:times|days|dates|slots|options)(?: please)?"
    r"|(?:no (?:me|nos) (?:va|viene|sirve|conviene)(?: bien)? )?ningun[oa](?: de (?:es[ao]s|est[ao]s|ell[ao]s|l[ao]s tres))?"
    r"(?: (?:me|nos) (?:va|viene|sirve|conviene)(?: bien)?)?"
    r"|no (?:puedo|podemos)(?: en)? ningun[oa](?: de (?:es[ao]s|est[ao]s|ell[ao]s))?"
    r"|(?:tienen |hay )?otr[ao]s (?:horas|horarios|fechas|dias|opciones)(?: por favor)?"
    r"|لا (?:يناسبني|يناسبنا|تناسبني|تناسبنا)(?: (?:اي|ايا|شيء|منها|منهم|موعد|واحد|هذه|المواعيد)){1,3}"
    r"|(?:و)?لا (?:واحد|موعد|شيء) منها(?: يناسبني)?|(?:مواعيد|اوقات|ايام) اخرى|غيرها"
    r")(?: (?:sorry|please|thanks|thank you|gracias|por favor|شكرا)){0,3}"
)
"""All of a message that wants other times than those offered, in words without accents."""
MAKES_IT = re.compile(r"\b(?:make|move|change|switch|push) it\b")
TIED = re.compile(
    r"\b(?:if|unless|only|except|depends|depending|provided|otherwise|si|solo|salvo|excepto)\b"
)
"""What ties a time to a condition, so that a person reads it."""
_SOFTLY = r"(?:(?:on second thoughts?|(?:ive |i have |i )?changed my mind|im afraid|actually|unfortunately|oh|ok|okay|well|pensandolo bien|hi|hello|hey|sorry|please|pls|hola|perdon|disculpe|por favor|مرحبا|عفوا|من فضلك|لو سمحت) ){0,3}"
_WISHES = (
    r"(?:(?:i|we) (?:need|want|wish|have|would like|d like) to |id like to |(?:i|we) must |(?:can|could|would) you "
    r"|(?:necesito|necesitamos|quiero|quisiera|queremos|deseo|debo|tengo que|me gustaria|puede|pueden|podria|podrian) "
    r"|(?:اريد|ارجو|نريد|ممكن|عايز|بدي) )?"
)
_CANCELS = (
    r"(?:cancel|call off|anular|cancelar|anule|anulen|cancele|cancelen|الغاء|الغي|الغوا|تلغوا)"
)
CANCEL = re.compile(
    rf"{_SOFTLY}{_WISHES}{_SOFTLY}{_CANCELS} (?:(?:the|my|our|this|la|mi|nuestra|esta) )?"
    rf"(?:(?:engineer|technician)s? )?{_NAMES}(?: del tecnico)?"
    r"(?: (?:please|pls|sorry|thanks|thank you|por favor|gracias|من فضلك|لو سمحت|شكرا)){0,3}"
)
"""A plain request to cancel the visit, which says nothing else: a question about it is none."""
NOT_WISHED = re.compile(
    r"\b(?:dont|do not|not(?! (?:before|after|until))|never|did|have you|has|was|were|why|if|unless|fees?|charge|cost"
    r"|policy|por que)\b|لا |لماذا|هل"
)
"""What is said about a change or asked about one, and is no wish for it."""


def match_visit(
    request: ServiceRequest, intent: Intent, body: str, facts: InboundFacts
) -> tuple[str, BookVisit | CancelVisit] | None:
    """The rule and the outcome of a message about a visit; None where it is about none.

    A time that is not plain is answered with free ones once; the next time a person reads it.
    """
    question, visit = request.open_question, request.booked_visit
    window = visit.visit_window if visit else None
    is_over = visit is not None and is_visit_over(visit, request.runs, facts.now)
    found: tuple[str, BookVisit | CancelVisit] | None = None
    if question is not None:
        found = _answer(request, question, intent, body, facts)
    elif visit is not None and window is not None and window.start > facts.now and not is_over:
        found = _change(request, visit, intent, body, facts)
    return found


def says_more(rule: str, intent: Intent, body: str) -> bool:
    """Whether a change of the visit stands beside something that a person must read."""
    return rule in ("V2", "V3") and _tells_more(intent, normalize_text(body).split())


def asks_only_time(rule: str, body: str) -> bool:
    """Whether a visit is booked by words that ask for its time, and say nothing else."""
    return rule == "V1" and _says_only_time(normalize_text(body).split())


def _tells_more(intent: Intent, words: Sequence[str]) -> bool:
    return len(words) > MAX_WORDS or (intent.needs_owner and not _says_only_time(words))


def _says_only_time(words: Sequence[str]) -> bool:
    return are_known(words, time_words("visit") | time_words("wish") | {*WEEKDAYS, *MONTHS})


def _answer(
    request: ServiceRequest, question: FollowUp, intent: Intent, body: str, facts: InboundFacts
) -> tuple[str, BookVisit] | None:
    is_for_visit = question.expects == AnswerType.TIME and question.offered is not None
    if is_for_visit and question.offered and NONE_SUITS.fullmatch(normalize_text(body).strip()):
        return "V4", BookVisit(question, is_refusal=True)
    if not is_for_visit or intent.kind in (IntentKind.NO, *NOT_ABOUT_VISIT):
        return None
    wish = _chosen(request, question, body, facts)
    if wish is None and intent.kind in TIME_KINDS:
        wish = _named(request, question, body, facts, is_alone=True)
        wish = wish or _named_apart(request, question, body, facts)
    if wish is not None:
        return "V1", BookVisit(question, wish)
    # Whoever says when not to come, or anything else about the time, is answered by a person.
    is_time = intent.kind in (IntentKind.TIME, IntentKind.YES) and not excludes_time(body)
    is_unclear = is_time and _says_only_time(normalize_text(body).split())
    return (
        ("V1", BookVisit(question)) if is_unclear and question.id not in facts.asked_back else None
    )


def _change(
    request: ServiceRequest, visit: FollowUp, intent: Intent, body: str, facts: InboundFacts
) -> tuple[str, BookVisit | CancelVisit] | None:
    if intent.kind in NOT_ABOUT_VISIT:
        return None
    words = normalize_text(body)
    if visit.offered and NONE_SUITS.fullmatch(words.strip()):
        return "V4", BookVisit(visit, is_refusal=True)
    wish = _chosen(request, visit, body, facts) if intent.kind != IntentKind.NO else None
    if wish is not None:
        return "V2", BookVisit(visit, wish)
    if CANCEL.fullmatch(words):
        return "V3", CancelVisit()
    is_plain = CHANGE.search(words) is not None and not NOT_WISHED.search(words)
    is_change = is_plain or (INSTEAD.search(words) is not None and not NOT_WISHED.search(words))
    wish = _named(request, visit, body, facts, is_alone=not is_plain)
    if wish is not None and (is_change or visit.offered):
        return "V2", BookVisit(visit, wish)
    is_of_visit = NAMES_VISIT.search(words) is not None
    is_of_visit |= is_plain and MAKES_IT.search(words) is not None and names_time(body)
    return ("V2", BookVisit(visit)) if is_change and is_of_visit else None


def _chosen(
    request: ServiceRequest, question: FollowUp, body: str, facts: InboundFacts
) -> NamedTime | None:
    """The window that "2" chooses of those offered last."""
    starts, number = question.offered_starts, read_choice(body)
    if not 1 <= number <= len(starts):
        return None
    return _parser(request, question, facts).at(starts[number - 1])


def _named(
    request: ServiceRequest,
    question: FollowUp,
    body: str,
    facts: InboundFacts,
    *,
    is_alone: bool,
) -> NamedTime | None:
    """The time that is named; ``is_alone``: only beside words that say nothing else of it."""
    parser = _parser(request, question, facts)
    return parser.read(body, also=time_words("visit"), is_alone=is_alone)


def _named_apart(
    request: ServiceRequest, question: FollowUp, body: str, facts: InboundFacts
) -> NamedTime | None:
    """The time that one clause names alone, where those beside it tell of no other time.

    "Friday at 10 instead? My mum is in hospital": a person reads the rest.
    """
    if excludes_time(body) or TIED.search(normalize_text(body)):
        return None
    timed = [clause for clause in clauses_of(body) if names_time(clause)]
    return _named(request, question, timed[0], facts, is_alone=True) if len(timed) == 1 else None


def _parser(request: ServiceRequest, question: FollowUp, facts: InboundFacts) -> NamedTimeParser:
    """Reads a time on the clock of the place visited, as it was offered."""
    customer = request.customer
    zone = facts.zones.get(question.run.department_id, customer.readable_timezone)
    return NamedTimeParser(zone, customer.locale, facts.now, takes_next_week=True)
