"""What a message says about a call: when it is wanted, and whether one is wanted at all. Pure."""

import re
from datetime import datetime

from portal.messaging.intents.appointment_times import MONTHS, WEEKDAYS, normalize_text
from portal.messaging.intents.classifier import Intent, IntentKind
from portal.messaging.intents.named_times import NamedTime, NamedTimeParser, WindowKind
from portal.models import PromiseKind, ServiceRequest
from portal.operations.conversation.outcomes import OweReply

ABOUT_OUR_CALL = re.compile(
    r"\b(?:what|which) (?:phone |telephone )?number\b|\bcall(?:ing)? (?:me )?from (?!\d)|\bwho (?:will|is going to) call"
    r"|\b(?:que|cual) (?:es el )?numero\b"
)
"""A question about the call that we have promised, and no wish for one."""
_TIME_WORDS = frozenset(
    f"{' '.join(WEEKDAYS)} {' '.join(MONTHS)} today tonight tomorrow morning mornings afternoon evening night "
    "noon midday lunch week weekend weekday weekdays day days month later soon sometime anytime time hour hours am pm "
    "after before between around about until till by from early late next this in on at or and the a an any some few "
    "couple of to not earlier than when whenever possible half past quarter free work school "
    "hoy manana tarde noche semana dia dias mes luego pronto despues antes entre sobre hacia hasta desde proximo proxima "
    "que viene por la el los las de del a en o y mediodia hora horas cuando pueda "
    "اليوم غدا غدًا بعد قبل بين الظهر العصر المغرب العشاء صباحا مساء الصباح المساء الاسبوع القادم القادمه يوم الاحد الاثنين "
    "الثلاثاء الاربعاء الخميس الجمعه السبت الساعه و او في ال".split()
)
_CONNECTING = (
    "after before between around about until till by from next this in on at or and the a "
    "an any some few couple of to not earlier than when time past half quarter free "
    "possible por la el los las de del en o y que sobre hacia hasta desde و او في ال am "
    "pm"
)
_CONNECTORS = frozenset(_CONNECTING.split())
"""Words that say a time only beside another one."""
_NO_END = frozenset({"and", "or", "the", "a", "y", "o", "to", "on", "in", "at"})
"""Words with which a wish does not end."""
MAX_WISH_LENGTH = 40


def match_call(
    request: ServiceRequest, intent: Intent, body: str, now: datetime
) -> OweReply | None:
    """The call that is wanted, and when; None where none is.

    Where a call is still to be agreed, a time alone says when.
    """
    named = _parser(request, now).read(body, day_needed=False)
    if intent.kind != IntentKind.CALL_ME:
        call = _agreed_call(request, intent, named)
    elif ABOUT_OUR_CALL.search(normalize_text(body)):
        call = None
    elif named is not None:
        call = OweReply(PromiseKind.CALL, named.window.start, named=named)
    elif wish := vague_wish(body):
        call = OweReply(PromiseKind.ANSWER, template="call_vague", wish=wish)
    else:
        call = OweReply(PromiseKind.CALL)
    return call


def _agreed_call(
    request: ServiceRequest, intent: Intent, named: NamedTime | None
) -> OweReply | None:
    is_to_agree = any(
        promise.is_open and promise.kind == PromiseKind.CALL and not promise.is_told
        for promise in request.promises
    )
    is_time = named is not None and named.kind != WindowKind.DAY
    is_answer = is_to_agree and is_time and intent.kind != IntentKind.STATUS
    return OweReply(PromiseKind.CALL, named=named) if is_answer else None


def vague_wish(body: str) -> str:
    """The words that say when, as they were written; empty where none do, or they are too long.

    Only words about times are repeated, so that a reply never carries what else was written.
    """
    best: list[str] = []
    run: list[str] = []
    for word in [*re.findall(r"\S+", body), ""]:
        plain = normalize_text(word)
        if plain and (
            plain in _TIME_WORDS
            or re.fullmatch(r"\d{1,2}(?::\d\d)?(?:am|pm|h|th|st|nd|rd)?", plain)
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
        plain not in _CONNECTORS and not plain.isdigit()
        for plain in (normalize_text(word) for word in words)
    )


def _parser(request: ServiceRequest, now: datetime) -> NamedTimeParser:
    return NamedTimeParser(request.customer.readable_timezone, request.customer.locale, now)
