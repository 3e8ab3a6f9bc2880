"""Which of several requests a text names, chooses or follows. Pure; never a guess."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.messaging.intents.classifier import normalize_words
from portal.models import REFERENCE_PATTERN, Message, MessageKind, ServiceRequest

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
        " of them dos two three and too also y e both tambien"
    ).split()
)
"""Words that add nothing to a choice."""
ALL_WORDS = frozenset(
    normalize_words(
        "both all each every others rest ambos ambas todos todas demas otros otras كلاهما كلها الكل"
    ).split()
)
"""Each of them stands for all requests; "los dos" stands for both."""
TWO_WORDS = re.compile(r"\b(?:los dos|las dos|the two)\b")
EXCEPT_WORDS = frozenset(
    normalize_words("not no isnt except but excepto menos salvo ليس ليست غير مو مش").split()
)
"""Words before what is not meant: "not the travel card"."""
ORDINALS = {
    normalize_words(word): number
    for number, words in enumerate(
        (
            "first 1st primero primera الأول الأولى",
            "second 2nd segundo segunda الثاني الثانية",
            "third 3rd tercero tercera الثالث الثالثة",
            "fourth 4th cuarto cuarta الرابع الرابعة",
        ),
        start=1,
    )
    for word in words.split()
}
NUMBER_IN_TEXT = re.compile(r"(?<![\w.:/-])#?(\d{1,2})(?![\w:/-])")
"""In any script's digits; no part of a time, a date or a decimal."""


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
    body: str, requests: Sequence[ServiceRequest], offered: Sequence[ServiceRequest]
) -> RequestMatch | None:
    """The choice after "which?"; None where nothing fits.

    ``requests`` are open; ``offered`` are those listed, in that order: one may be closed since.
    """
    words = normalize_words(body).split()
    open_ids = {request.id for request in requests}
    candidates = [*requests, *(other for other in offered if other.id not in open_ids)]
    own = {request.reference: _own_words(request, candidates) for request in candidates}
    named = _find_by_reference(body, candidates)
    numbers = [int(number) for number in NUMBER_IN_TEXT.findall(body)]
    numbers += [ORDINALS[word] for word in words if word in ORDINALS]
    plain = {word for word in words if not word.isdecimal() and word not in ORDINALS}
    is_all = bool(plain & ALL_WORDS) or TWO_WORDS.search(" ".join(words)) is not None
    if named:
        chosen, has_more_text = named, len(words) > 4 * len(named)
    elif plain <= FILLER_WORDS | ALL_WORDS | EXCEPT_WORDS and (is_all or numbers):
        # "2 and the others": more than the numbers are meant.
        listed = [offered[number - 1] for number in numbers if 0 < number <= len(offered)]
        if len(listed) < len(numbers):
            return None
        chosen, has_more_text = (list(requests) if is_all else listed), False
    else:
        chosen = [request for request in candidates if own[request.reference] & set(words)]
        if len(chosen) > 1 and len(words) > 2 * FEW_WORDS:
            return None
        every = set[str]().union(*own.values()) | _title_words(chosen) | EXCEPT_WORDS
        has_more_text = not set(words) <= FILLER_WORDS | every
    chosen_ids = {request.id for request in chosen}
    # "No 2" is a number.
    is_exception = bool(plain & (EXCEPT_WORDS - ({"no"} if numbers else set())))
    if is_exception and not has_more_text:
        others = open_ids - chosen_ids
        chosen_ids = others if len(others) == 1 else set()
    unique = tuple(request for request in candidates if request.id in chosen_ids)
    return RequestMatch(unique, has_more_text=has_more_text) if unique else None


def match_recent_staff_message(
    requests: Sequence[ServiceRequest], sent: Sequence[Message], now: datetime
) -> ServiceRequest | None:
    """The one that a colleague wrote about within the hour, if we wrote of no other since."""
    lately = [message for message in sent if message.request_id and now - message.goes_at <= RECENT]
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
