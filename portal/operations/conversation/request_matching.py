"""Which of several requests a text is about: the one that is plain, and never a guess."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.messaging.intents.classifier import Intent, IntentKind, normalize_words
from portal.models import REFERENCE_PATTERN, AnswerType, Message, MessageKind, ServiceRequest

RECENT = timedelta(hours=1)
"""So long what we said last is what somebody answers, where we said nothing else."""
FEW_WORDS = 3
"""In so few words a name alone is enough."""

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
"""What makes a name of the word after it: "my card", "about the permit"."""

FILLER_WORDS = frozenset(
    normalize_words(
        "number no nr option request the one ones and please pls ok it is its s i mean meant thanks"
        " numero opcion solicitud el la las los y por favor es que digo gracias about for my mi sobre"
        " of them dos two three"
    ).split()
)
"""What may stand beside a choice that says no more than which."""
ALL_REQUESTS = re.compile(r"\b(?:both|all|each|every|ambos|ambas|todos|todas|los dos|las dos)\b")
ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "primero": 1, "primera": 1, "segundo": 2,
    "segunda": 2, "tercero": 3, "tercera": 3, "cuarto": 4, "cuarta": 4,
}  # fmt: skip
NUMBER_IN_TEXT = re.compile(r"(?<!\S)#?(\d{1,2})[.):,]?(?!\S)")
"""In whatever digits: an Arabic keyboard has its own."""
QUESTION_KINDS = (MessageKind.FOLLOW_UP, MessageKind.REMINDER)


@dataclass(frozen=True, slots=True)
class RequestMatch:
    """The requests that are meant, and whether the text says anything beside that."""

    requests: tuple[ServiceRequest, ...]
    has_more_text: bool = True


def find_named(body: str, requests: Iterable[ServiceRequest]) -> list[ServiceRequest]:
    """Those that a text names: by reference, else by title or by a word of one's own."""
    requests = list(requests)
    by_reference = _referred(body, requests)
    if by_reference or REFERENCE_PATTERN.search(body.upper()):
        return by_reference
    said = normalize_words(body).split()
    pointed = {
        word
        for place, word in enumerate(said)
        if len(said) <= FEW_WORDS or POINTER_WORDS & set(said[max(place - 2, 0) : place])
    }
    return [
        one
        for one in requests
        if pointed & _own_words(one, requests) or _is_titled(one, said, requests)
    ]


def match_choice(
    body: str, requests: Sequence[ServiceRequest], offered: Sequence[str]
) -> RequestMatch | None:
    """What somebody chose who was asked "which?"; ``offered`` are the references, as listed.

    By the list that they read: one of it may have ended since. None where nothing fits.
    """
    words = normalize_words(body).split()
    if ALL_REQUESTS.search(" ".join(words)) and len(words) <= 2 * FEW_WORDS:
        return RequestMatch(tuple(requests), has_more_text=False)
    chosen = _referred(body, requests)
    if chosen:
        return RequestMatch(tuple(chosen), has_more_text=len(words) > 4 * len(chosen))
    numbers = [int(number) for number in NUMBER_IN_TEXT.findall(body)]
    numbers += [ORDINALS[word] for word in words if word in ORDINALS]
    rest = {word for word in words if not word.isdecimal() and word not in ORDINALS}
    if numbers and rest <= FILLER_WORDS:
        listed = {offered[number - 1] for number in numbers if 0 < number <= len(offered)}
        chosen = [one for one in requests if one.reference in listed]
        return (
            RequestMatch(tuple(chosen), has_more_text=False)
            if len(chosen) == len(set(numbers))
            else None
        )
    own = {one.reference: _own_words(one, requests) for one in requests}
    chosen = [one for one in requests if own[one.reference] & set(words)]
    if not chosen or (len(chosen) > 1 and len(words) > 2 * FEW_WORDS):
        return None
    every = set[str]().union(*own.values()) | _title_words(chosen)
    return RequestMatch(tuple(chosen), has_more_text=not set(words) <= FILLER_WORDS | every)


def match_open_question(
    intent: Intent, requests: Sequence[ServiceRequest], said: Sequence[Message]
) -> ServiceRequest | None:
    """Whose question an answer is for: the only one that is open, else the last that was put.

    ``said`` is what that number has had from us lately, newest first. Of two questions put
    within an hour either may be meant.
    """
    fits = {
        IntentKind.YES: (AnswerType.YES_NO,),
        IntentKind.NO: (AnswerType.YES_NO, AnswerType.TIME),
        IntentKind.TIME: (AnswerType.TIME,),
    }.get(intent.kind, ())
    asked = [
        one
        for one in requests
        if one.open_question is not None and one.open_question.expects in fits
    ]
    if len(asked) < 2:
        return asked[0] if asked else None
    put = [one for one in said if one.kind in QUESTION_KINDS and one.request_id]
    if not put:
        return None
    last = put[0]
    if any(one.request_id != last.request_id and _within(last, one) for one in put):
        return None
    return next((one for one in asked if one.id == last.request_id), None)


def match_recent_staff_message(
    requests: Sequence[ServiceRequest], said: Sequence[Message], now: datetime
) -> ServiceRequest | None:
    """The one that a colleague wrote about within the hour, if we spoke of no other since."""
    lately = [one for one in said if one.request_id and now - _said_at(one) <= RECENT]
    if not lately or lately[0].kind != MessageKind.STAFF:
        return None
    if {one.request_id for one in lately} != {lately[0].request_id}:
        return None
    return next((one for one in requests if one.id == lately[0].request_id), None)


def _referred(body: str, requests: Iterable[ServiceRequest]) -> list[ServiceRequest]:
    said = re.sub(r"[\s\-]", "", body.upper())
    return [one for one in requests if one.reference.replace("-", "") in said]


def _own_words(request: ServiceRequest, requests: Iterable[ServiceRequest]) -> set[str]:
    """The words of its title and kind that none of the others has."""
    others = [one for one in requests if one is not request]
    return _title_words([request]) - _title_words(others) - GENERIC_WORDS


def _title_words(requests: Iterable[ServiceRequest]) -> set[str]:
    return {
        word
        for one in requests
        for word in normalize_words(_called(one)).split()
        if not word.isdecimal()
    }


def _called(request: ServiceRequest) -> str:
    """By whatever names its customer may call it."""
    return f"{request.title} {request.definition.name} {request.title_in(request.customer.locale)}"


def _is_titled(
    request: ServiceRequest, said: Sequence[str], requests: Iterable[ServiceRequest]
) -> bool:
    """Whether its whole title stands in the text, and is no other's too."""
    locale = request.customer.locale
    title = normalize_words(REFERENCE_PATTERN.sub("", request.title_in(locale)))
    shared = any(
        normalize_words(one.title_in(locale)) == title for one in requests if one is not request
    )
    return bool(title) and not shared and f" {title} " in f" {' '.join(said)} "


def _said_at(message: Message) -> datetime:
    return message.sent_at or message.due_at


def _within(last: Message, other: Message) -> bool:
    return _said_at(last) - _said_at(other) < RECENT
