"""Which of several requests a text names, chooses, answers or follows. Pure; never a guess."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.messaging.intents.classifier import Intent, IntentKind, normalize_words
from portal.models import REFERENCE_PATTERN, AnswerType, Message, MessageKind, ServiceRequest

RECENT = timedelta(hours=1)
"""How long a text may answer our last message, where we sent no other."""
FEW_WORDS = 3
"""In a text of at most so many words a name alone is enough."""

GENERIC_WORDS = frozenset(
    normalize_words(
        "my the your our a an and of for to in on at by please request order application phone"
        " number mobile cell text texts message messages new update updates it this that"
        " mi su la el los las un una de del y para por con en solicitud pedido numero mensaje"
    ).split()
)
"""Words that may stand in a title and still say nothing about which request is meant."""

POINTER_WORDS = frozenset(
    normalize_words(
        "my the our your this that about on for regarding re of mi el la su este esta sobre del"
    ).split()
)
"""Words before a name: "my card", "about the permit"."""

FILLER_WORDS = frozenset(
    normalize_words(
        "number no nr option request the one ones and please pls ok it is its s i mean meant thanks"
        " numero opcion solicitud el la las los y por favor es que digo gracias about for my mi sobre"
        " of them dos two three"
    ).split()
)
"""Words that add nothing to a choice."""
ALL_REQUESTS = re.compile(r"\b(?:both|all|each|every|ambos|ambas|todos|todas|los dos|las dos)\b")
ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "primero": 1, "primera": 1, "segundo": 2,
    "segunda": 2, "tercero": 3, "tercera": 3, "cuarto": 4, "cuarta": 4,
}  # fmt: skip
NUMBER_IN_TEXT = re.compile(r"(?<!\S)#?(\d{1,2})[.):,]?(?!\S)")
"""In any script's digits."""
QUESTION_KINDS = (MessageKind.FOLLOW_UP, MessageKind.REMINDER)


@dataclass(frozen=True, slots=True)
class RequestMatch:
    """The requests that are meant, and whether the text says anything beside that."""

    requests: tuple[ServiceRequest, ...]
    has_more_text: bool = True


def find_named(body: str, requests: Iterable[ServiceRequest]) -> list[ServiceRequest]:
    """Those that a text names: by reference, else by title or by a word that no other has."""
    requests = list(requests)
    by_reference = _find_by_reference(body, requests)
    if by_reference or REFERENCE_PATTERN.search(body.upper()):
        return by_reference
    words = normalize_words(body).split()
    pointed = {
        word
        for place, word in enumerate(words)
        if len(words) <= FEW_WORDS or POINTER_WORDS & set(words[max(place - 2, 0) : place])
    }
    return [
        request
        for request in requests
        if pointed & _own_words(request, requests) or _is_titled(request, words, requests)
    ]


def match_choice(
    body: str, requests: Sequence[ServiceRequest], offered: Sequence[str]
) -> RequestMatch | None:
    """The choice after "which?"; None where nothing fits.

    ``offered`` are the references as they were listed: one of them may be closed since.
    """
    words = normalize_words(body).split()
    if ALL_REQUESTS.search(" ".join(words)) and len(words) <= 2 * FEW_WORDS:
        return RequestMatch(tuple(requests), has_more_text=False)
    chosen = _find_by_reference(body, requests)
    if chosen:
        return RequestMatch(tuple(chosen), has_more_text=len(words) > 4 * len(chosen))
    numbers = [int(number) for number in NUMBER_IN_TEXT.findall(body)]
    numbers += [ORDINALS[word] for word in words if word in ORDINALS]
    rest = {word for word in words if not word.isdecimal() and word not in ORDINALS}
    if numbers and rest <= FILLER_WORDS:
        listed = {offered[number - 1] for number in numbers if 0 < number <= len(offered)}
        chosen = [request for request in requests if request.reference in listed]
        return (
            RequestMatch(tuple(chosen), has_more_text=False)
            if len(chosen) == len(set(numbers))
            else None
        )
    own = {request.reference: _own_words(request, requests) for request in requests}
    chosen = [request for request in requests if own[request.reference] & set(words)]
    if not chosen or (len(chosen) > 1 and len(words) > 2 * FEW_WORDS):
        return None
    every = set[str]().union(*own.values()) | _title_words(chosen)
    return RequestMatch(tuple(chosen), has_more_text=not set(words) <= FILLER_WORDS | every)


def match_open_question(
    intent: Intent, requests: Sequence[ServiceRequest], sent: Sequence[Message]
) -> ServiceRequest | None:
    """The request whose question an answer is for: the only open question, else the newest.

    ``sent`` is what that number has had from us lately, newest first. Of two questions put
    within an hour either may be meant: then None.
    """
    fits = {
        IntentKind.YES: (AnswerType.YES_NO,),
        IntentKind.NO: (AnswerType.YES_NO, AnswerType.TIME),
        IntentKind.TIME: (AnswerType.TIME,),
    }.get(intent.kind, ())
    asked = [
        request
        for request in requests
        if request.open_question is not None and request.open_question.expects in fits
    ]
    if len(asked) < 2:
        return asked[0] if asked else None
    put = [message for message in sent if message.kind in QUESTION_KINDS and message.request_id]
    if not put:
        return None
    last = put[0]
    if any(message.request_id != last.request_id and _within(last, message) for message in put):
        return None
    return next((request for request in asked if request.id == last.request_id), None)


def match_recent_staff_message(
    requests: Sequence[ServiceRequest], sent: Sequence[Message], now: datetime
) -> ServiceRequest | None:
    """The one that a colleague wrote about within the hour, if we wrote of no other since."""
    lately = [
        message for message in sent if message.request_id and now - _sent_at(message) <= RECENT
    ]
    if not lately or lately[0].kind != MessageKind.STAFF:
        return None
    if {message.request_id for message in lately} != {lately[0].request_id}:
        return None
    return next((request for request in requests if request.id == lately[0].request_id), None)


def _find_by_reference(body: str, requests: Iterable[ServiceRequest]) -> list[ServiceRequest]:
    text = re.sub(r"[\s\-]", "", body.upper())
    return [request for request in requests if request.reference.replace("-", "") in text]


def _own_words(request: ServiceRequest, requests: Iterable[ServiceRequest]) -> set[str]:
    """The words of its title and workflow that none of the others has."""
    others = [other for other in requests if other is not request]
    return _title_words([request]) - _title_words(others) - GENERIC_WORDS


def _title_words(requests: Iterable[ServiceRequest]) -> set[str]:
    return {
        word
        for request in requests
        for word in normalize_words(_names_of(request)).split()
        if not word.isdecimal()
    }


def _names_of(request: ServiceRequest) -> str:
    """All names that its customer may use."""
    return f"{request.title} {request.definition.name} {request.title_in(request.customer.locale)}"


def _is_titled(
    request: ServiceRequest, words: Sequence[str], requests: Iterable[ServiceRequest]
) -> bool:
    """Whether its whole title stands in the text, and no other has the same title."""
    locale = request.customer.locale
    title = normalize_words(REFERENCE_PATTERN.sub("", request.title_in(locale)))
    shared = any(
        normalize_words(other.title_in(locale)) == title
        for other in requests
        if other is not request
    )
    return bool(title) and not shared and f" {title} " in f" {' '.join(words)} "


def _sent_at(message: Message) -> datetime:
    return message.sent_at or message.due_at


def _within(last: Message, other: Message) -> bool:
    return _sent_at(last) - _sent_at(other) < RECENT
