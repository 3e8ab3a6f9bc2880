"""Presents the open question to the customer: its text, the labels of its answers, free days."""

import json

from portal.business_time import TimeWindow, zone_or_utc
from portal.messaging.wording.channel_neutral import no_label, without_reply_hint, yes_label
from portal.messaging.wording.renderer import fill_template
from portal.messaging.wording.time_format import TimeFormatter
from portal.messaging.wording.time_windows import zone_name
from portal.models import AnswerType, FollowUpState
from portal.models.people.given_name import given_name
from portal.queries.status_page.rows import FollowUpRow, StatusPageRow
from portal.rules.investigations import asks_again
from portal.rules.visits import VisitPlan
from portal.tracking.status_page.appointment_view import VisitDay
from portal.tracking.status_page.question_view import Question
from portal.tracking.status_page.timeline import TimelinePresenter
from portal.tracking.status_page.visit_days import visit_days

MAX_DAYS = 4
"""Days with free windows on the page; the page of the visit has all of them."""


def present_question(
    snapshot: StatusPageRow, timeline: TimelinePresenter, brand: str
) -> Question | None:
    """The newest question that the customer has not answered; None without one."""
    asked = [row for row in snapshot.follow_ups if row.state == FollowUpState.ASKED]
    if not asked:
        return None
    row = asked[-1]
    fields: dict[str, str] = json.loads(row.fields)
    values = {
        "brand": brand,
        "first_name": given_name(snapshot.name, snapshot.locale),
        "reference": snapshot.reference,
        "title": timeline.definition.title_in(snapshot.title, snapshot.locale),
        "department": timeline.department(snapshot.department_id).name,
    }
    asks_time = row.expects == AnswerType.TIME
    words = without_reply_hint(timeline.question(row), asks_time=asks_time)
    text = fill_template(words, values | fields)
    definition = timeline.definition.question(row.key)
    days, zone = _free_days(snapshot, timeline, row)
    return Question(
        str(row.id),
        text,
        yes=yes_label(definition, fields, snapshot.locale),
        no=no_label(definition, fields, snapshot.locale),
        asks_time=asks_time,
        read_back=row.read_back_at is not None,
        takes_wrong=definition.wrong is not None and not asks_again(row, snapshot.follow_ups),
        windows=days[:MAX_DAYS],
        zone=zone,
        has_more=len(days) > MAX_DAYS,
        is_full=bool(row.is_for_visit) and not days,
    )


def _free_days(
    snapshot: StatusPageRow, timeline: TimelinePresenter, question: FollowUpRow
) -> tuple[tuple[VisitDay, ...], str]:
    """The days with free windows of a visit, and the zone of their hours where it is to be named.

    Empty where any time answers the question.
    """
    if not question.is_for_visit:
        return (), ""
    run = next(run for run in snapshot.runs if run.id == question.run_id)
    calendar = timeline.calendar(run.department_id)
    plan = VisitPlan.of(timeline.definition.question(question.key), calendar)
    booked = [TimeWindow(row.start_at, row.end_at) for row in snapshot.booked]
    windows = list(plan.free_windows(timeline.now, booked)) if plan else []
    if not windows:
        return (), ""
    times = TimeFormatter(snapshot.locale, calendar.zone.key, timeline.now)
    zone = zone_name(times, zone_or_utc(snapshot.timezone), windows[0].start)
    return visit_days(times, windows), zone
