"""What a message says about a call: when it is wanted, and whether one is wanted at all. Pure."""

import re
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from portal.messaging.intents.appointment_times import MONTHS, WEEKDAYS, normalize_text
from portal.messaging.intents.classifier import Intent, IntentKind, classify
from portal.messaging.intents.hours import parse_hour
from portal.messaging.intents.named_times import NamedTime, NamedTimeParser, WindowKind
from portal.messaging.intents.time_words import (
    clauses_of,
    excludes_time,
    names_time,
    time_words,
)
from portal.models import PromiseKind, ServiceRequest
from portal.operations.conversation.outcomes import OweReply

ABOUT_OUR_CALL = re.compile(
    r"\b(?:what|which) (?:phone |telephone )?number\b|\bcall(?:ing)? (?:me )?from (?!\d)|\bwho (?:will|is going to) call"
    r"|\b(?:que|cual) (?:es el )?numero\b"
)
"""A question about the call that we have promised, and no wish for one."""
INTRODUCTION = re.compile(r"^\W*(?:no\W+)?(?:i (?:mean|meant|said)\b)?", re.IGNORECASE)
"""What only corrects: "no, I mean call me after 5"."""
NOT_THEN = re.compile(r"\bnot (at \d{1,2}(?::\d\d)?(?: ?[ap]m)?)\b")
_NO_END = frozenset({"and", "or", "the", "a", "y", "o", "to", "on", "in", "at"})
"""Words with which a wish does not end."""
MAX_WISH_LENGTH = 40


def match_call(
    request: ServiceRequest, intent: Intent, body: str, now: datetime, *, is_asked: bool = False
) -> OweReply | None:
    """The call that is wanted, and when; None where none is.

    Where a call is still to be agreed, or we have just asked for its time (``is_asked``), a time
    alone says when.
    """
    call: OweReply | None = None
    if intent.kind != IntentKind.CALL_ME:
        if _is_to_agree(request, is_asked=is_asked):
            call = _agreed_call(request, intent, body, now, is_asked=is_asked)
    elif ABOUT_OUR_CALL.search(normalize_text(body)):
        pass
    elif named := _named(request, body, now):
        call = OweReply(PromiseKind.CALL, named.window.start, named=named)
    elif wish := vague_wish(body):
        call = OweReply(PromiseKind.CALL, template="call_vague", is_told=False, wish=wish)
    else:
        call = OweReply(PromiseKind.CALL)
    return call


def match_call_beside(request: ServiceRequest, intent: Intent, now: datetime) -> OweReply | None:
    """The call that stands beside a wish about our texts; None where none is wanted."""
    words = intent.answer_words
    if not any(_wants_call(clause) for clause in clauses_of(words)):
        return None
    return match_call(request, replace(intent, kind=IntentKind.CALL_ME), words, now)


def _named(request: ServiceRequest, body: str, now: datetime) -> NamedTime | None:
    """The time of the call: of the whole message, else of the one clause that wants the call.

    The clauses beside it name no time, but may say when not: "not at 3 please, call me after 5".
    """
    parser, also = _parser(request, now), time_words("call")
    if (named := parser.read(body, day_needed=False, also=also)) is not None:
        return named
    clauses = clauses_of(body)
    wanting = [clause for clause in clauses if _wants_call(clause)]
    if len(wanting) != 1 or excludes_time(body):
        return None
    named = parser.read(INTRODUCTION.sub("", wanting[0]), day_needed=False, also=also)
    others = [normalize_text(clause) for clause in clauses if clause is not wanting[0]]
    is_sure = named is not None and all(_leaves(named, parser, words) for words in others)
    return named if is_sure else None


def _leaves(named: NamedTime, parser: NamedTimeParser, words: str) -> bool:
    """Whether these words name no time but one that is not wanted, and that is outside the window."""
    for said in NOT_THEN.finditer(words):
        at = parse_hour(said[1], named_day=True)
        zone = ZoneInfo(parser.timezone)
        start, end = (each.astimezone(zone) for each in (named.window.start, named.window.end))
        if at is None or start <= datetime.combine(start.date(), at, zone) < end:
            return False
    return not names_time(NOT_THEN.sub(" ", words))


def _wants_call(clause: str) -> bool:
    return classify(clause).kind == IntentKind.CALL_ME


def says_call_time(
    request: ServiceRequest, intent: Intent, body: str, now: datetime, *, is_asked: bool
) -> bool:
    """Whether it names a time, and no more, for a call that is still to be agreed."""
    return (
        _is_to_agree(request, is_asked=is_asked)
        and _agreed_call(request, intent, body, now, is_asked=is_asked) is not None
    )


def _is_to_agree(request: ServiceRequest, *, is_asked: bool) -> bool:
    return is_asked or any(
        promise.is_open and promise.kind == PromiseKind.CALL and not promise.is_told
        for promise in request.promises
    )


def _agreed_call(
    request: ServiceRequest, intent: Intent, body: str, now: datetime, *, is_asked: bool
) -> OweReply | None:
    """The call at the time that is named, where the text says no more than that."""
    also = time_words("call")
    named = _parser(request, now).read(body, day_needed=False, also=also, is_alone=True)
    is_time = named is not None and (is_asked or named.kind != WindowKind.DAY)
    is_agreed = is_time and intent.kind != IntentKind.STATUS
    return OweReply(PromiseKind.CALL, named=named) if is_agreed else None


def vague_wish(body: str) -> str:
    """The words that say when, as they were written; empty where none do, or they are too long.

    Only words about times are repeated, so that a reply never carries what else was written; none
    where a time may be named that does not suit.
    """
    if excludes_time(body):
        return ""
    named = time_words("wish") | {*WEEKDAYS, *MONTHS}
    best: list[str] = []
    run: list[str] = []
    for word in [*re.findall(r"\S+", body), ""]:
        plain = normalize_text(word)
        if plain and (
            plain in named or re.fullmatch(r"\d{1,2}(?::\d\d)?(?:am|pm|h|th|st|nd|rd)?", plain)
        ):
            run.append(word.strip(".,;:!?()\"'"))
            continue
        if _says_time(run) and len(run) > len(best):
            best = run
        run = []
    while best and normalize_text(best[-1]) in _NO_END:
        best = best[:-1]
    wish = " ".join(best)
    return wish if len(wish) <= MAX_WISH_LENGTH else ""


def _says_time(words: list[str]) -> bool:
    return any(
        plain not in time_words("connecting") and not plain.isdigit()
        for plain in (normalize_text(word) for word in words)
    )


def _parser(request: ServiceRequest, now: datetime) -> NamedTimeParser:
    return NamedTimeParser(request.customer.readable_timezone, request.customer.locale, now)
