"""The reply to "where is it?": the state of a request, in the customer's language."""

from datetime import datetime

from portal.business_time import OpeningHours
from portal.i18n.languages import language_of
from portal.i18n.lazy_string import LazyString
from portal.messaging.sms import segments
from portal.messaging.wording.holds import render_hold
from portal.messaging.wording.renderer import MessageRenderer
from portal.messaging.wording.third_parties import third_party_template
from portal.models import (
    FollowUp,
    FollowUpState,
    Handoff,
    Promise,
    RequestStatus,
    ServiceRequest,
    StageRun,
)
from portal.rules.investigations import (
    answers_of,
    find_investigation,
    is_answered,
    looking_template,
    waits_for_answer,
)
from portal.rules.needs import open_check_promise

PASSED = {False: "status_passed", True: "status_passed_late"}
"""The reply while a handoff waits to be accepted, by whether that is late."""
DEFAULT_LABEL = LazyString("Ready by")
"""The label of the date of a request, where its workflow has no other."""


def render_status(renderer: MessageRenderer) -> str:
    """By when all of it should be done, and the stage; in one segment where the link allows it.

    Where that date is not known: the stage, who has it, what is next and by when.
    Before a department accepts a stage, its sender is named once that is late; while it is on hold,
    nobody is. A request that waits for the customer's answer says for which; a closed one says how to
    reopen it.
    """
    request = renderer.request
    run, question = renderer.current_run(), request.open_question
    if request.is_closed:
        text = _render_ended(renderer)
    elif question is not None and (run is None or question.run is run):
        text = renderer.say("status_asked", question=renderer.question(question))
    elif run is not None:
        text = _render_stage(renderer, run)
    elif answered := investigation_of(request):
        looking = _render_investigation(renderer, answered, renderer.fields()["owner"])
        text = renderer.say("status_looking", looking=looking)
    else:
        text = renderer.say(_template_when_done(request))
    return text


def _render_ended(renderer: MessageRenderer) -> str:
    """What the end means for the thing and the money; else when it ended and how to reopen it."""
    request = renderer.request
    is_cancelled = request.status == RequestStatus.CANCELLED
    ended = renderer.times.on(request.closed_at or renderer.now)
    text = renderer.say("status_cancelled" if is_cancelled else "status_ended", ended=ended)
    if outcome := renderer.outcome():
        said = renderer.say("status_ended_outcome", outcome=outcome)
        return renderer.first_that_fits(said, text)
    return text


def investigation_of(request: ServiceRequest) -> FollowUp | None:
    """The answered follow-up that is looked into now."""
    return find_investigation(request.definition, request.status, request.runs, request.follow_ups)


def render_looking(renderer: MessageRenderer, question: FollowUp, owner: str) -> str:
    """What is done about a no, as the workflow words it: "Carl is looking for your card"."""
    definition = renderer.request.definition.question(question.key)
    own = looking_template(
        definition, question, renderer.request.follow_ups, renderer.request.customer.locale
    )
    if own:
        return renderer.put(own, None, owner=owner)
    return renderer.say("looking_into_it", None, owner=owner)


def _render_investigation(renderer: MessageRenderer, question: FollowUp, owner: str) -> str:
    """What is done about a no, until a person has answered; then that they have."""
    if is_answered(question, answers_of(renderer.request.promises)):
        return renderer.say("answered_you", None)
    return render_looking(renderer, question, owner)


def _template_when_done(request: ServiceRequest) -> str:
    """The text once all stages are done: what we ask, and what that question waits for."""
    if not any(follow_up.state == FollowUpState.PLANNED for follow_up in request.follow_ups):
        return "status_confirming"
    known = [promise for promise in request.promises if promise.is_told]
    is_waiting = waits_for_answer(request.follow_ups, known)
    return "status_done_owed" if is_waiting else "status_done"


def _render_stage(renderer: MessageRenderer, run: StageRun) -> str:
    if run.held_at is not None:
        return render_hold(renderer, run)
    handoff = renderer.request.pending_handoff(run)
    fields = renderer.fields(run)
    if handoff is None:
        fields["owner"] = renderer.person_name(run.assignee_id)
    answered = investigation_of(renderer.request)
    if answered is not None:
        fields["title"] = _render_investigation(renderer, answered, fields["owner"])
    if answered is not None and renderer.timeline().has_no_dates:
        return renderer.say("status_looking", None, looking=fields["title"])
    return _render_expected(renderer, run, handoff, fields)


def _render_expected(
    renderer: MessageRenderer, run: StageRun, handoff: Handoff | None, fields: dict[str, str]
) -> str:
    """By when it is taken up or all is done, or for whom it waits; the stage and what is next."""
    arrival = renderer.arrival()
    by, template = arrival.by if arrival else None, "status"
    if run.waits_on_customer and handoff is None and _comes(renderer, run):
        return _render_come(renderer, run, fields)
    if handoff is not None and handoff.accept_by is not None:
        fields["due"] = renderer.times.by(handoff.accept_by)
        is_late = handoff.accept_by <= renderer.now
        text = renderer.say(PASSED[is_late], None, **fields)
        return _passed_with_arrival(renderer, fields, by, text) if by and not is_late else text
    if waiting := _waiting(renderer, run, fields):
        template, fields = waiting
    elif by is not None:
        return _with_arrival(renderer, fields, by)
    elif renderer.has_next_title(run) and not _is_next_theirs(renderer, run):
        text = renderer.say("status_next", None, **fields)
        for shorter in (f"{text} {renderer.link}", text):
            if segments.count_segments(shorter).segments == 1:
                return shorter
    return renderer.say(template, None, **fields)


def _comes(renderer: MessageRenderer, run: StageRun) -> bool:
    """Whether the customer comes to us in this stage."""
    return renderer.request.definition.stage(run.stage_key).customer_action == "come"


def _render_come(renderer: MessageRenderer, run: StageRun, fields: dict[str, str]) -> str:
    """Where the customer comes and when that is open; in one segment also without the link."""
    stage = renderer.request.definition.stage(run.stage_key)
    department = renderer.roster.department_by_id(run.department_id)
    place = stage.place.in_language(renderer.request.customer.locale) if stage.place else ""
    place = place.rstrip(".") or fields["department"]
    if not department.hours:
        return renderer.say("status_come", None, **fields | {"place": place})
    hours = renderer.times.opening_hours(OpeningHours.parse(department.hours))
    fields = fields | {"place": place, "hours": hours}
    text = renderer.say("status_come_hours", None, **fields)
    linkless = renderer.say("status_come_hours", None, **fields | {"link": ""})
    costs = [segments.count_segments(each).segments for each in (text, linkless)]
    return text if costs[0] <= costs[1] else linkless


def _is_next_theirs(renderer: MessageRenderer, run: StageRun) -> bool:
    """Whether the customer does what comes next: our date must not read as theirs."""
    stages = renderer.request.definition.stages
    return any(run.stage_key in stage.after and stage.waits_for_customers_part for stage in stages)


def _waiting(
    renderer: MessageRenderer, run: StageRun, fields: dict[str, str]
) -> tuple[str, dict[str, str]] | None:
    """For whom the stage waits: a third party, a colleague who checks, the customer; else None."""
    if run.waits_on_third_party:
        return third_party_template(renderer, run, fields)
    if check := _open_check(renderer, run):
        owner, due = renderer.person_name(check.owner_id), renderer.times.by(check.due_at)
        return "status_checking", fields | {"owner": owner, "due": due}
    if run.waits_on_customer:
        stage = renderer.request.definition.stage(run.stage_key)
        return ("status_waiting" if stage.is_customers_turn else "update_waiting"), fields
    return None


def _passed_with_arrival(
    renderer: MessageRenderer, fields: dict[str, str], by: datetime, text: str
) -> str:
    """The text of a handoff with the date of all of it, even without by when it starts, if one fits."""
    fields = fields | {"arrival": _arrival_text(renderer, by)}
    expected = renderer.say("arrival_expected", None, **fields)
    long = renderer.say("status_passed", None, **fields | {"link": f"{expected} {renderer.link}"})
    return renderer.first_that_fits(
        long, renderer.say("status_passed_arrival", None, **fields), text
    )


def _with_arrival(renderer: MessageRenderer, fields: dict[str, str], by: datetime) -> str:
    """The date and the stage; who has it and what is next where that costs no more."""
    fields = fields | {"arrival": _arrival_text(renderer, by)}
    short = renderer.say("status_arrival", None, **fields)
    expected = renderer.say("arrival_expected", None, **fields)
    long = renderer.say("status", None, **fields | {"title": f"{expected} {fields['title']}"})
    costs = [segments.count_segments(text).segments for text in (long, short)]
    return long if costs[0] <= costs[1] else short


def _arrival_text(renderer: MessageRenderer, by: datetime) -> str:
    """The label and the date: "With you by Wed 9 Dec". A text may be read on another day."""
    locale, label = renderer.request.customer.locale, renderer.request.definition.arrives
    text = label.in_language(locale) if label else language_of(locale).say(DEFAULT_LABEL)
    return f"{text} {renderer.times.due_date(by)}"


def _open_check(renderer: MessageRenderer, run: StageRun) -> Promise | None:
    """The promise to check what the customer has sent for this stage, where nothing is to come."""
    if run.waits_on_customer:
        return None
    for need in renderer.request.needs:
        if need.stage_key == run.stage_key and (
            check := open_check_promise(renderer.request, need)
        ):
            return check
    return None
