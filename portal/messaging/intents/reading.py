"""What the phrases of a message mean together, by the question that is open. Pure.

A yes that is asked, denied, doubted or tied to a condition is no yes; a no that also says that it
came is no no. Where a message could mean two things it is asked back; what it asks or tells beside
its answer is for a person.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from portal.messaging.intents.cues import (
    AGREEMENT,
    CONTRASTS,
    FOR_PERSON,
    MANY_WORDS,
    MATTERS,
    NO_WORDS,
    OPEN_WORDS,
    OUR_HOURS,
    PLEASANT,
    STATEMENTS,
    TAKES_AGREEMENT,
    TELLS_UNASKED,
    TIED_BY,
    UNSURE,
    YES_WORDS,
)
from portal.messaging.intents.kinds import IntentKind
from portal.messaging.intents.matches import Match
from portal.messaging.intents.observed import Observed
from portal.messaging.intents.question import Question


@dataclass(frozen=True, slots=True)
class Reading:
    """The meaning, the phrase that decided, and whether a person has something to deal with.

    ``is_wrong``: it came, and something about it is wrong.
    """

    kind: IntentKind
    match: Match | None = None
    needs_owner: bool = False
    is_wrong: bool = False

    @property
    def states_arrival(self) -> bool:
        """Whether the phrase says by itself that it came or did not."""
        is_said = self.kind in (IntentKind.YES, IntentKind.NO) or self.is_wrong
        cues = self.match.cues if self.match is not None else frozenset[str]()
        return is_said and not cues.isdisjoint(("arrival.yes", "arrival.no"))


def read(observed: Observed, question: Question) -> Reading:
    """What the message means to the question. A wish to stop is looked for elsewhere."""
    if question == Question.NONE:
        return _read_unasked(observed)
    if question == Question.WHICH:
        return _read_choice(observed)
    if question == Question.TIME and (named := _read_time(observed)):
        return named
    return _read_answer(observed, question)


def has_matter(observed: Observed, question: Question, *, beside: Iterable[str] = ()) -> bool:
    """Whether it asks or tells something ``beside`` these meanings and an answer to the question."""
    answers = answer_cues(question)
    matters = set(MATTERS) - set(beside)
    return (
        any(match.cues & matters and not match.cues & answers for match in observed.matches)
        or _asks(observed, answers | set(beside))
        or len(observed.leftover) >= MANY_WORDS[question]
    )


def answer_cues(question: Question) -> frozenset[str]:
    """All that says yes or no to the question."""
    says_yes, says_no = STATEMENTS[question]
    return frozenset((*says_yes, *says_no, *YES_WORDS, *NO_WORDS))


def _asks(observed: Observed, answers: AbstractSet[str]) -> bool:
    """Whether a question of theirs says more than an answer with a question mark."""
    explained = {
        place
        for match in observed.matches
        if match.cues & (answers | {"any.filler", *PLEASANT})
        for place in range(match.start, match.end)
    }
    return any(
        token.part in observed.questions and place not in explained
        for place, token in enumerate(observed.tokens)
    )


def _read_answer(observed: Observed, question: Question) -> Reading:
    says_yes, says_no = STATEMENTS[question]
    yes, stated = observed.affirms(YES_WORDS), observed.affirms(says_yes)
    no, denied = observed.leads(observed.says(NO_WORDS)), observed.says(says_no)
    if denied:
        # "Nothing in the mail" names a place and no arrival.
        stated = [match for match in stated if "arrival.place" not in match.cues]
    takes_agreement = question in TAKES_AGREEMENT and observed.has_only_names
    agreed = observed.affirms(AGREEMENT) if takes_agreement else []
    matter = has_matter(observed, question)
    if observed.has("any.urgent"):
        reading = Reading(IntentKind.OTHER, next(observed.find(["any.urgent"])), needs_owner=True)
    elif (yes or stated) and (no or denied):
        reading = _read_both(observed, (yes, stated), (no, denied), matter=matter)
    elif yes or stated or (agreed and not matter):
        if no or denied:
            reading = Reading(IntentKind.ASK_BACK, agreed[0], matter)
        else:
            reading = _read_yes(observed, question, (*stated, *yes, *agreed)[0], matter=matter)
    elif no or denied:
        is_unsure = observed.has("any.doubt")
        kind = IntentKind.ASK_BACK if is_unsure else IntentKind.NO
        # "Not yet, where is it?": what follows a NO tells where it is.
        beside = ["any.status"] if question == Question.ARRIVAL else []
        tells = has_matter(observed, question, beside=beside)
        reading = Reading(kind, (*denied, *no)[0], tells)
    else:
        reading = _read_without_answer(observed, question)
    return reading


def _asks_in_one_breath(observed: Observed, match: Match) -> bool:
    """Whether a mere yes may be to something else, as in "Yes please call me"."""
    part = observed.tokens[match.start].part
    return not match.cues.isdisjoint(YES_WORDS) and any(
        observed.tokens[other.start].part == part
        for other in observed.find(["any.call", "any.ask", "any.price"])
    )


def _read_both(
    observed: Observed,
    positive: tuple[Sequence[Match], Sequence[Match]],
    negative: tuple[Sequence[Match], Sequence[Match]],
    *,
    matter: bool,
) -> Reading:
    """Yes and no at once: a statement counts more than the word, and two statements are unclear."""
    (yes, stated), (_, denied) = positive, negative
    is_sure = not observed.has(*UNSURE, "any.condition")
    is_clear = is_sure and not observed.language.asks_back_no_that_came
    if stated and not denied and is_clear and not matter:
        return Reading(IntentKind.YES, stated[0])
    if denied and not stated and is_sure:
        return Reading(IntentKind.NO, denied[0], matter)
    return Reading(IntentKind.ASK_BACK, (*stated, *yes)[0], matter)


def _read_yes(observed: Observed, question: Question, match: Match, *, matter: bool) -> Reading:
    """A yes; with a condition, or to something that came and is wrong, it is for a person."""
    answers = answer_cues(question)
    ties = {"any.condition", *TIED_BY.get(question, ())}
    tied = [other for other in observed.matches if other.cues & ties and not other.cues & answers]
    if tied:
        is_trouble = any("any.trouble" in other.cues for other in tied) and all(
            "any.trouble" in other.cues or observed.word(other) in CONTRASTS for other in tied
        )
        is_wrong = question == Question.ARRIVAL and is_trouble and not observed.has(*UNSURE)
        return Reading(IntentKind.OTHER, match, needs_owner=True, is_wrong=is_wrong)
    names_number = question == Question.DECISION and observed.leaves_number
    is_unsure = names_number or observed.has(*UNSURE) or _asks_in_one_breath(observed, match)
    kind = IntentKind.ASK_BACK if is_unsure else IntentKind.YES
    return Reading(kind, match, matter or names_number)


def _read_time(observed: Observed) -> Reading | None:
    """A time that suits, or a limit to it, where another than the one that was offered is named."""
    times = [*observed.find(["any.when"])]
    agreed = observed.affirms([*YES_WORDS, "time.yes", "decision.yes", *AGREEMENT])
    is_said = any("any.yes" in match.cues for match in agreed)
    refused = observed.says([*NO_WORDS, "time.no", "any.negation"])
    names_another = observed.has("any.other_time")
    has_clock = names_another or any(observed.has_number(match) for match in times)
    is_one_time = len({observed.tokens[match.start].part for match in times}) == 1
    if not times or (observed.has("any.call") and not agreed):
        return None
    if (
        agreed
        and (is_said or (is_one_time and not has_clock))
        and not refused
        and not observed.has("any.condition")
    ):
        return None
    if observed.has(*UNSURE) and not agreed:
        return Reading(IntentKind.ASK_BACK, times[0], has_matter(observed, Question.TIME))
    beside = ["any.condition"] if observed.questions else ["any.condition", "any.ask", "any.price"]
    return Reading(IntentKind.TIME, times[0], has_matter(observed, Question.TIME, beside=beside))


def _read_without_answer(observed: Observed, question: Question) -> Reading:
    """No answer to the question stands in it."""
    call = next(observed.find(["any.call"]), None)
    status = next(observed.find(["any.status"]), None)
    statements = [cue for side in STATEMENTS[question] for cue in side]
    asked = next(filter(observed.is_asked, observed.find([*statements, *YES_WORDS])), None)
    if observed.has("any.condition", "any.trouble"):
        asked = None
    if call is not None:
        reading = Reading(IntentKind.CALL_ME, call, _tells_more(observed, "any.call"))
    elif question == Question.ARRIVAL and (status or asked) is not None:
        is_more = _tells_more(observed, "any.status") or _asks_hours(observed)
        reading = Reading(IntentKind.STATUS, status or asked, is_more)
    elif has_matter(observed, question):
        is_unsure = observed.has("any.doubt") and not observed.has(*FOR_PERSON)
        kind = IntentKind.ASK_BACK if is_unsure else IntentKind.OTHER
        reading = Reading(kind, next(observed.find(MATTERS), None), needs_owner=True)
    elif observed.has("any.thanks") and not observed.leftover:
        reading = Reading(IntentKind.THANKS, next(observed.find(["any.thanks"])))
    else:
        is_told = len(observed.leftover) >= (2 if question == Question.ARRIVAL else 1)
        reading = Reading(IntentKind.ASK_BACK, needs_owner=is_told)
    return reading


def _read_choice(observed: Observed) -> Reading:
    """The answer to "which?"; beside one a person may have something to read."""
    chosen = observed.affirms(["which.choice"])
    if chosen and not observed.questions:
        matter = has_matter(observed, Question.WHICH, beside=["any.change"])
        return Reading(IntentKind.CHOICE, chosen[0], matter)
    if observed.has("any.negation"):
        return Reading(IntentKind.OTHER, next(observed.find(["any.negation"])), needs_owner=True)
    if observed.consists_of(*PLEASANT, *YES_WORDS, *NO_WORDS, "any.filler"):
        return Reading(IntentKind.ASK_BACK)
    return _read_unasked(observed)


def _read_unasked(observed: Observed) -> Reading:
    """Nothing was asked: thanks, a question about where it is, a wish for a call, or a matter."""
    first = {
        cue: next(observed.find([cue]), None)
        for cue in ("any.urgent", "any.cancel", "any.call", "any.status")
    }
    wrong = next(observed.find(FOR_PERSON), None)
    urgent = first["any.urgent"] or first["any.cancel"]
    if urgent is not None:
        reading = Reading(IntentKind.OTHER, urgent, needs_owner=True)
    elif first["any.call"] is not None:
        reading = Reading(IntentKind.CALL_ME, first["any.call"], _tells_more(observed, "any.call"))
    elif first["any.status"] is not None:
        is_more = _tells_more(observed, "any.status") or _asks_hours(observed)
        reading = Reading(IntentKind.STATUS, first["any.status"], is_more)
    elif (
        wrong is not None
        or observed.has(*UNSURE, *TELLS_UNASKED)
        or any(observed.has_number(match) for match in observed.find(["any.when"]))
        or (observed.questions and _asks(observed, frozenset()))
    ):
        reading = Reading(IntentKind.OTHER, wrong, needs_owner=True)
    elif len(observed.leftover) < MANY_WORDS[Question.NONE]:
        reading = _read_pleasantry(observed)
    else:
        reading = Reading(IntentKind.OTHER, needs_owner=True)
    return reading


def _read_pleasantry(observed: Observed) -> Reading:
    """Thanks, or a yes or no to nothing."""
    pleasant = [*observed.find(PLEASANT)] if observed.has_only_names else []
    came, yes = observed.affirms(["arrival.yes"]), observed.affirms(YES_WORDS)
    no = observed.says(NO_WORDS)
    if pleasant and not no:
        reading = Reading(IntentKind.THANKS, pleasant[0])
    elif (came or yes) and not no:
        reading = Reading(IntentKind.YES, (*came, *yes)[0])
    elif no and not (came or yes):
        reading = Reading(IntentKind.NO, no[0])
    elif len(observed.leftover) == 0:
        reading = Reading(IntentKind.ASK_BACK)
    else:
        reading = Reading(IntentKind.OTHER, needs_owner=True)
    return reading


def _tells_more(observed: Observed, cue: str) -> bool:
    """Whether something stands beside a question about where it is, or a wish for a call."""
    others = set(MATTERS) - {cue, "any.ask"}
    beside = [match for match in observed.find(others) if cue not in match.cues]
    return bool(beside) or len(observed.leftover) >= MANY_WORDS[Question.NONE]


def _asks_hours(observed: Observed) -> bool:
    """Whether it asks when we are open: "when are you open and where?" is not about their thing."""
    words = {token.text for token in observed.tokens}
    is_ours = not words.isdisjoint(("you", "u", "office", "shop", "store"))
    return not words.isdisjoint(OUR_HOURS) or (is_ours and not words.isdisjoint(OPEN_WORDS))
