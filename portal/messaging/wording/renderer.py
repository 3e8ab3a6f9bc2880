"""Renders the messages that a customer receives.

A stage's own texts are in its workflow file; the product's in ``templates/sms/LANGUAGE/NAME.txt``.
Of the person a text has only the given name, or none where it is not sure.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from portal.business_time import OpeningHours
from portal.i18n.languages import language_of
from portal.messaging.sms.gsm_text import to_gsm7
from portal.messaging.sms.segments import count_segments
from portal.messaging.wording.length import fits_one_text
from portal.messaging.wording.sent_items import title_of_sent
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import FollowUp, Handoff, ServiceRequest, StageRun
from portal.models.people.given_name import staff_first_name
from portal.paths import TEMPLATES
from portal.rules.arrival import Arrival, arrival_of
from portal.rules.investigations import asks_again
from portal.rules.roster import Roster
from portal.rules.stages.stage_timeline import StageTimeline, timeline_of

FIELD = re.compile(r"\{([a-z_]+)\}")
NAME_FIRST = re.compile(r"(^|[:.!?؟] )\{first_name\}[,،:]? *(\w?)")
NAME_LATER = re.compile(r"[,،]? *\{first_name\}")
"""The customer's name with its comma, at the beginning of a sentence and within one."""
SENTENCE_ENDS = (".", "!", "?", "؟", "…")
SENTENCE_START = re.compile(r"(?:^|[.?!؟] )$")
VERBATIM_FIELDS = frozenset({"link", "host", "code", "reference"})
"""Fields whose first letter stays as it is at the beginning of a sentence."""


@cache
def product_text(name: str, locale: str) -> str:
    """The product's own sentence of that name in the customer's language, else in English."""
    folder = TEMPLATES / "sms"
    language = locale.replace("_", "-").partition("-")[0].lower()
    translated = folder / language / f"{name}.txt"
    if not language.isalpha() or not translated.exists():
        translated = folder / "en" / f"{name}.txt"
    return translated.read_text(encoding="utf-8").strip()


def fill_template(template: str, fields: dict[str, str]) -> str:
    """Fill the fields of a template; a word in braces that is no field stays as it is.

    Where the ``first_name`` is empty, the greeting goes without it and its comma. A field that
    begins a sentence begins it with a capital letter: "Tomorrow, 3 pm: noted."
    """
    if fields.get("first_name") == "":
        template = _without_name(template)
    filled = FIELD.sub(lambda match: _fill(match, fields), template)
    return re.sub(r"  +", " ", filled).strip()


def _fill(match: re.Match[str], fields: dict[str, str]) -> str:
    value = fields.get(match[1], match[0])
    begins = SENTENCE_START.search(match.string[: match.start()])
    # "iPhone" and "eSIM" are written as they are.
    if begins and match[1] not in VERBATIM_FIELDS and value.partition(" ")[0].islower():
        return value[0].upper() + value[1:]
    return value


def as_sentence(text: str) -> str:
    """What a person wrote, with a full stop where it has no end: another sentence may follow."""
    text = text.strip()
    return text if not text or text.endswith(SENTENCE_ENDS) else f"{text}."


def _without_name(template: str) -> str:
    """The template without the name: ``{brand}: {first_name}, it is here.`` begins "It is here."."""
    template = NAME_FIRST.sub(lambda match: match[1] + match[2].upper(), template)
    return NAME_LATER.sub("", template)


@dataclass(frozen=True)
class MessageRenderer:
    """Renders messages about a request in its customer's language and zone."""

    request: ServiceRequest
    roster: Roster
    brand: str
    public_url: str
    now: datetime

    @property
    def link(self) -> str:
        """The address of the live page; it never comes from a Host header."""
        live = self.request.live_link
        return f"{self.public_url}/r/{live.token}" if live else self.public_url

    @property
    def times(self) -> TimeFormatter:
        """How this customer reads times, also days later; in UTC where their zone cannot be read.

        Staff can then still work on the request, and no such text is sent: the claim refuses it.
        """
        customer = self.request.customer
        zone = customer.readable_timezone
        return TimeFormatter(locale=customer.locale, timezone=zone, now=self.now, is_lasting=True)

    def milestone(self, run: StageRun, *, again: bool) -> str:
        """The text for a stage that has just been reached."""
        stage = self.request.definition.stage(run.stage_key)
        if run.correction:
            return self.correction(run.correction, run.correction_by_id)
        if again:
            return self._milestone_again(run)
        if stage.sms is not None:
            return self.put(stage.sms.in_language(self.request.customer.locale), run)
        if run.waits_on_third_party:
            return self.say("milestone_third_party", run)
        if run.waits_on_customer:
            return self.say(
                "milestone_waiting" if stage.is_customers_turn else "milestone_last", run
            )
        return self.say("milestone" if self.has_next(run) else "milestone_last", run)

    def _milestone_again(self, run: StageRun) -> str:
        """With why the stage runs again, where it fits and is not what the customer said.

        A stage that waits, or that nothing follows, has no next step of ours with a date.
        """
        is_waiting = run.waits_on_customer or run.waits_on_third_party
        has_date = run.is_open and not is_waiting and self.has_next(run)
        text = self.say("milestone_again", run) if has_date else self.milestone(run, again=False)
        reason = as_sentence(run.note)
        is_theirs = any(run.note == each.answer_words for each in self.request.follow_ups)
        if not reason or is_theirs:
            return text
        because = self.say("milestone_again_because", run, reason=reason)
        return self.first_that_fits(because, text)

    def say(self, name: str, run: StageRun | None = None, /, **fields: str) -> str:
        """One of the product's own sentences, filled."""
        return self.put(product_text(name, self.request.customer.locale), run, **fields)

    def first_that_fits(self, *texts: str) -> str:
        """The first of these that costs no more than a text of ours should, else the last."""
        locale = self.request.customer.locale
        return next((text for text in texts if fits_one_text(text, locale)), texts[-1])

    def correction(
        self, reason: str, asked_by_id: int | None, item: str = "", *, in_full: bool = False
    ) -> str:
        """What the customer is to correct: the reason and who asks, else where to read them.

        The reason stands in a text of one segment, and always where it is wanted ``in_full``.
        """
        asker = self.person_name(asked_by_id) if asked_by_id else self.brand
        text = self.say("correction_because", None, reason=reason, asker=asker)
        if in_full or count_segments(to_gsm7(text)).segments == 1:
            return text
        return self.say("correction_item" if item else "correction", None, item=item)

    def question(self, follow_up: FollowUp) -> str:
        """The question as the customer reads it, in the language that they read now."""
        locale = self.request.customer.locale
        if asks_again(follow_up, self.request.follow_ups):
            return self.say("all_well", follow_up.run)
        asked = self.request.definition.question(follow_up.key).question
        template = asked.in_language(locale)
        return self.put(template, follow_up.run, **follow_up.fields)

    def put(self, template: str, run: StageRun | None = None, /, **extra_fields: str) -> str:
        """A template with this request's facts put in."""
        return fill_template(template, self.fields(run) | extra_fields)

    def fields(self, run: StageRun | None = None) -> dict[str, str]:
        """The values of the fields, for this run or for the request as it is now.

        Without a run the department is the one that has the request: the sender's while a handoff
        waits to be accepted.
        """
        request = self.request
        given_run, run = run, run or self.current_run()
        fields = {
            "brand": self.brand,
            "first_name": request.customer.given_name,
            "reference": request.reference,
            "link": self.link,
            "owner": self.person_name(request.owner_id),
            "department": self.department_name(request.department_id),
            "title": request.title_in(request.customer.locale),
            "next": "",
            "next_by": "",
            "since": "",
        }
        if run is None:
            return fields
        return fields | {
            "department": self.department_name((given_run or request).department_id),
            "title": self.stage_title(run),
            "next": self.next_title(run),
            "next_by": self.times.day(run.due_at),
            "since": self.times.stamp(run.reached_at or run.opened_at),
        }

    def stage_title(self, run: StageRun) -> str:
        """The title of the stage, or what it says once all that it needs has come."""
        locale = self.request.customer.locale
        sent = title_of_sent(self.request.needs, run.stage_key) if run.is_open else None
        if sent is not None:
            return language_of(locale).say(sent)
        return self.request.definition.stage(run.stage_key).title.in_language(locale)

    def current_run(self) -> StageRun | None:
        """Where the request is, if it is anywhere: the open run that has been longest open."""
        runs = self.request.open_runs
        return runs[0] if runs else None

    def has_next(self, run: StageRun) -> bool:
        """True when something comes after this stage."""
        return bool(self.next_title(run))

    def has_next_title(self, run: StageRun) -> bool:
        """True when a sentence can name what comes next: a stage without ``title_next`` it cannot."""
        stages = self.request.definition.stages
        stage = next((stage for stage in stages if run.stage_key in stage.after), None)
        return self.has_next(run) if stage is None else stage.title_next is not None

    def next_title(self, run: StageRun) -> str:
        """What the customer reads of the stage after this one; empty after the last."""
        locale = self.request.customer.locale
        for stage in self.request.definition.stages:
            if run.stage_key in stage.after:
                return stage.title_to_come.in_language(locale)
        for question in self.request.definition.follow_ups_after(run.stage_key):
            if question.title is not None:
                return question.title.in_language(locale)
        return ""

    def person_name(self, staff_id: int) -> str:
        """The first name of a colleague, as customers read it; the brand where there is none."""
        return staff_first_name(self.roster.person(staff_id).name) or self.brand

    def timeline(self) -> StageTimeline[StageRun, Handoff, FollowUp]:
        """The state of each stage and question."""
        return timeline_of(self.request, lambda key: self.roster.department(key).calendar, self.now)

    def arrival(self) -> Arrival | None:
        """When all of the request should be done, where that can be said."""
        return arrival_of(self.timeline())

    def on_open_day(self, run: StageRun, at: datetime) -> datetime:
        """That moment, or a later one on a day on which the department of this run is open."""
        return self.roster.department_by_id(run.department_id).calendar.on_open_day(at)

    def outcome(self) -> str:
        """What this end means for the thing and the money; empty where the workflow does not say."""
        request = self.request
        outcome = request.definition.outcome(
            request.status, is_unconfirmed=request.closed_unconfirmed
        )
        return outcome.in_language(request.customer.locale) if outcome else ""

    def say_ending(self, name: str) -> str:
        """The sentence of that name about the end of the request, with its outcome if there is one.

        With where and when the thing is collected, as that fits into one text.
        """
        outcome, place = self.outcome(), self.collection()
        if not outcome:
            return self.say(name)
        where = [", ".join(filter(None, place)), place[0]] if place else []
        texts = [f"{outcome} {self.say('visit_place', place=each)}" for each in where]
        return self.first_that_fits(
            *(self.say(f"{name}_outcome", outcome=text) for text in (*texts, outcome))
        )

    def collection(self) -> tuple[str, str] | None:
        """Where the customer collects the thing after this end, and its hours; None where nowhere.

        The hours are empty where the department never closes.
        """
        request = self.request
        stage = request.definition.collection(
            request.status, is_unconfirmed=request.closed_unconfirmed
        )
        if stage is None:
            return None
        locale, department = request.customer.locale, self.roster.department(stage.department)
        name = request.definition.department_name(department.key, department.name, locale)
        hours = (
            self.times.opening_hours(OpeningHours.parse(department.hours))
            if department.hours
            else ""
        )
        return stage.place.in_language(locale) if stage.place else name, hours

    def department_name(self, department_id: int) -> str:
        """The department as customers know it."""
        department = self.roster.department_by_id(department_id)
        locale = self.request.customer.locale
        return self.request.definition.department_name(department.key, department.name, locale)
