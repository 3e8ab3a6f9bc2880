"""What a mail says beside its message: why, who has the request, what is next, and its steps."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from portal.i18n.languages import Language, language_of
from portal.messaging.wording.channel_neutral import collect_text, no_label, yes_label
from portal.messaging.wording.renderer import MessageRenderer, as_sentence
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import AnswerType, FollowUp, Handoff, Message, MessageKind, StageRun
from portal.rules.investigations import asks_again
from portal.rules.stages.stage_timeline import QuestionStep, StageStep, StageTimeline
from portal.workflows import WorkflowDefinition

Step = StageStep[StageRun, Handoff, FollowUp] | QuestionStep[FollowUp]
Timeline = StageTimeline[StageRun, Handoff, FollowUp]

ENDINGS = frozenset({MessageKind.CANCELLED, MessageKind.COMPLETED, MessageKind.DECLINED})
DETAILED_KINDS = ENDINGS | {
    MessageKind.MILESTONE, MessageKind.FOLLOW_UP, MessageKind.REMINDER, MessageKind.HOLD,
    MessageKind.RESUMED, MessageKind.DELAY, MessageKind.UPDATE, MessageKind.LINK,
    MessageKind.PROMISE, MessageKind.ANSWER,
}  # fmt: skip
"""Mails about the request as it stands. A colleague's letter and a code are only themselves."""


@dataclass(frozen=True, slots=True)
class LetterDetails:
    """Sentences after the message, and the steps of the request, each with its state.

    ``has_reason``: the first sentence says why. ``answers`` are those to the question that the
    message puts: each with its label and the name of its anchor on the page.
    """

    has_reason: bool = False
    answers: tuple[tuple[str, str], ...] = ()
    sentences: tuple[str, ...] = ()
    steps: tuple[tuple[str, str], ...] = ()


NO_DETAILS = LetterDetails()
UNDER_WAY = ("current", "paused")
"""The states in which a stage may say that it has what it needs."""


def letter_details(
    renderer: MessageRenderer, message: Message, question: FollowUp | None = None
) -> LetterDetails:
    """The details of the mail that this message becomes; they are those of now.

    ``question`` is the one that the message puts.
    """
    if message.kind not in DETAILED_KINDS:
        return NO_DETAILS
    timeline = renderer.timeline()
    reason = _reason(renderer, message)
    sentences = [reason, _collection(renderer, message), _who(renderer), _next(renderer, timeline)]
    request = renderer.request
    return LetterDetails(
        has_reason=bool(reason),
        answers=answer_choices(
            request.definition, question, request.follow_ups, request.customer.locale
        )
        if question
        else (),
        sentences=tuple(sentence for sentence in sentences if sentence),
        steps=_steps(renderer, timeline),
    )


def answer_choices(
    definition: WorkflowDefinition, question: FollowUp, follow_ups: Sequence[FollowUp], locale: str
) -> tuple[tuple[str, str], ...]:
    """The answers to a question as its page has them, each with its label and its anchor."""
    language, asked = language_of(locale), definition.question(question.key)
    if question.expects == AnswerType.TIME:
        return ((language.gettext("Choose a time"), "answer-at"),)
    choices = [(language.say(yes_label(asked, question.fields, locale)), "answer-yes")]
    if asked.wrong is not None and not asks_again(question, follow_ups):
        choices.append((language.gettext("Yes, but something is wrong"), "answer-wrong"))
    return (*choices, (language.say(no_label(asked, question.fields, locale)), "answer-no"))


def possible_details(
    definition: WorkflowDefinition,
    times: TimeFormatter,
    people: Iterable[str],
    departments: Iterable[str],
    collections: Iterable[tuple[str, str]] = (),
) -> str:
    """The details that a mail may have had, a line each: what a reply may quote.

    ``people`` are the first names of those who have had the request, ``collections`` the places
    where the thing may be collected, with their hours. The days are those from 90
    days before the formatter's until 90 days after it.
    """
    locale, language = times.locale, language_of(times.locale)
    names = list(departments)
    who = [_who_has_it(language, person, department) for person in people for department in names]
    days = [times.day(times.now + timedelta(days=number)) for number in range(-90, 91)]
    next_steps = [language.gettext("Next, by {day}: {step}.", day=day, step="") for day in days]
    titles = [
        title.in_language(locale)
        for stage in definition.stages
        for title in (stage.title_to_come, stage.title, stage.title_when_done)
    ]
    titles += [
        question.title.in_language(locale) for question in definition.follow_ups if question.title
    ]
    states = _state_phrases(language).values()
    steps = [f"{title}: {state}" for title in titles for state in states]
    upcoming = [language.gettext("Next: {step}.", step=title) for title in titles]
    label = f"{language.gettext('Your timeline')}:"
    collect = [collect_text(language, *place) for place in collections]
    return "\n".join([label, *who, *collect, *upcoming, *steps, *next_steps])


def _reason(renderer: MessageRenderer, message: Message) -> str:
    """Why it is on hold, late or over, or the note before a question; once is enough.

    A customer who ended it knows why.
    """
    request, run = renderer.request, renderer.current_run()
    reason = ""
    if message.kind in ENDINGS:
        is_ours = not (request.closed_unconfirmed or request.closed_by_customer)
        reason = request.close_reason if is_ours else ""
    elif run is not None and message.kind == MessageKind.HOLD:
        reason = run.hold_reason
    elif run is not None and message.kind == MessageKind.DELAY:
        reason = run.delay_reason
    elif message.kind in (MessageKind.FOLLOW_UP, MessageKind.REMINDER):
        done = [run for run in request.runs if run.completed_at is not None]
        notes = [run.note for run in (*request.open_runs, *reversed(done[-1:])) if run.note]
        reason = notes[0] if notes else ""
    is_said = reason.strip().rstrip(".").casefold() in message.body.casefold()
    return "" if is_said else as_sentence(reason)


def _collection(renderer: MessageRenderer, message: Message) -> str:
    """Where the thing is collected after the end, and when; empty where the message says it."""
    place = renderer.collection() if message.kind in ENDINGS else None
    if place is None or all(part in message.body for part in place):
        return ""
    return collect_text(_language(renderer), *place)


def _who(renderer: MessageRenderer) -> str:
    """The person who has the request, and the department; empty once it is over."""
    request = renderer.request
    if request.is_closed or not request.open_runs:
        return ""
    return _who_has_it(
        _language(renderer),
        renderer.person_name(request.owner_id),
        renderer.department_name(request.department_id),
    )


def _who_has_it(language: Language, owner: str, department: str) -> str:
    return language.gettext(
        "{owner} at {department} has your request.", owner=owner, department=department
    )


def _next(renderer: MessageRenderer, timeline: Timeline) -> str:
    """The step that follows, and by when, where that is known."""
    step = timeline.next_step()
    if step is None:
        return ""
    language, title = _language(renderer), _title(renderer, step)
    # A date by which our part is done would read as one by which the customer's must be.
    is_theirs = isinstance(step, StageStep) and step.stage.waits_for_customers_part
    expected_at = None if is_theirs else timeline.expected_at(step)
    if expected_at is None or expected_at <= renderer.now:
        return language.gettext("Next: {step}.", step=title)
    day = renderer.times.day(expected_at)
    return language.gettext("Next, by {day}: {step}.", day=day, step=title)


def _steps(renderer: MessageRenderer, timeline: Timeline) -> tuple[tuple[str, str], ...]:
    """Every step but those that were not needed."""
    phrases = _state_phrases(_language(renderer))
    return tuple(
        (_title(renderer, step), phrases[step.state])
        for group in timeline.groups()
        for step in group
        if step.state in phrases
    )


def _title(renderer: MessageRenderer, step: Step) -> str:
    locale = renderer.request.customer.locale
    if isinstance(step, StageStep):
        if step.facts is not None and step.state in UNDER_WAY:
            return renderer.stage_title(step.facts.run)
        return step.title.in_language(locale)
    return step.question.title.in_language(locale) if step.question.title else ""


def _state_phrases(language: Language) -> dict[str, str]:
    return {
        "done": language.gettext("done"),
        "current": language.gettext("now"),
        "handed_off": language.gettext("begins soon"),
        "paused": language.gettext("waiting"),
        "upcoming": language.gettext("to come"),
    }


def _language(renderer: MessageRenderer) -> Language:
    return language_of(renderer.request.customer.locale)
