"""When a customer must get the next update, so that it comes before they ask.

Pure: it reads a request and returns times; ``operations.proactive_updates`` sends the messages.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import Enum, auto
from functools import cached_property
from zoneinfo import ZoneInfo

from portal.models.monitoring.stage_duration import StageDuration
from portal.models.people.actor import Actor
from portal.models.people.customer import Channel, Customer
from portal.models.people.department import Department
from portal.models.requests.event import EventKind
from portal.models.requests.promise import PromiseWording
from portal.models.requests.service_request import ServiceRequest
from portal.models.requests.stage_run import StageRun
from portal.rules.facts import Facts
from portal.settings import Settings
from portal.settings.types import QuietHours, after_quiet_hours
from portal.workflows import StageDefinition

LEAD_TIME_SHARE = 0.05
MAX_LEAD_TIME = timedelta(minutes=15)
"""How long before a date its delay is announced: this share of the whole time, at most that."""
MAX_ESTIMATES = 2
"""How many dates we estimate for one stage; after these a person gives the date."""
MIN_EXTENSION_SHARE = 0.25
"""A new date is at least this share of the expected time away, or another follows soon."""
QUIET_HOURS_MARGIN = timedelta(hours=1)
"""A date that we estimate is at least this long after the customer's quiet hours."""
HANDOFF_NEWS_WITHIN = timedelta(hours=24)
"""How long a customer does not hear that a stage is done while nobody accepts the next one."""
END_OF_DAY = time(20, 45)
"""When a day counts as over for a date given as a day, in the customer's time zone."""


class UpdateKind(Enum):
    """The kinds of update."""

    DELAY = auto()
    PROGRESS_UPDATE = auto()


@dataclass(frozen=True, slots=True)
class ProactiveUpdate:
    """An update that the customer must get at this moment, past or to come."""

    kind: UpdateKind
    at: datetime
    run: StageRun


@dataclass(frozen=True)
class ContactSchedule:
    """When one customer is written to: how often we check, and when it is night for them."""

    customer: Customer
    settings: Settings
    now: datetime

    @property
    def check_interval(self) -> timedelta:
        """How often we check what is due to be sent."""
        return timedelta(seconds=self.settings.sweep_seconds)

    @cached_property
    def quiet_hours(self) -> Sequence[QuietHours]:
        """The quiet hours of the channel by which the customer is reached, and their own."""
        channels = [
            channel
            for channel in self.customer.channels()
            if self.customer.address(channel, self.now)
        ]
        is_reached_by_email = channels[:1] == [Channel.EMAIL]
        settings = self.settings
        usual = settings.mail_quiet_hours if is_reached_by_email else settings.quiet_hours
        return [hours for hours in (usual, self.customer.own_quiet_hours) if hours]

    @cached_property
    def zone(self) -> ZoneInfo:
        """The customer's time zone."""
        return ZoneInfo(self.customer.timezone)

    def after_quiet_hours(self, at: datetime) -> datetime:
        """That time, or the end of the quiet hours that it is in."""
        return after_quiet_hours(at, self.zone, self.quiet_hours) if self.quiet_hours else at

    def quiet_hours_began_at(self, at: datetime) -> datetime | None:
        """When the quiet hours that it is in began; None outside them."""
        begins = [begin for hours in self.quiet_hours if (begin := hours.since(at, self.zone))]
        return min(begins, default=None)


def proactive_updates(facts: Facts, contact_schedule: ContactSchedule) -> Iterator[ProactiveUpdate]:
    """Every update that the customer must get unless something happens first, in no order."""
    request = facts.request
    if request.is_closed:
        return
    for run in request.open_runs:
        stage = request.definition.stage(run.stage_key)
        if (
            not run.is_paused
            and run.delays_announced < MAX_ESTIMATES
            and run.opened_at < run.due_at
        ):
            yield ProactiveUpdate(
                UpdateKind.DELAY, _delay_at(request, run, stage, contact_schedule), run
            )
        yield from _handoff_updates(request, run, contact_schedule)
        if stage.update_every is not None and not _is_asked(request, run):
            calendar = facts.roster.department_by_id(run.department_id).calendar
            at = calendar.add(_last_heard_at(request, run), stage.update_every)
            yield ProactiveUpdate(
                UpdateKind.PROGRESS_UPDATE, contact_schedule.after_quiet_hours(at), run
            )


def fulfil_date_promises(request: ServiceRequest, actor: Actor, now: datetime) -> None:
    """Keep the promises of a new date: the customer has been given one, or better news."""
    for promise in request.promises:
        if promise.is_open and promise.wording == PromiseWording.NEW_DATE:
            promise.keep(now)
            request.record(
                EventKind.PROMISE_KEPT, actor, now, bumps_version=False, promise_id=promise.id
            )


def _lead_time(
    request: ServiceRequest, run: StageRun, contact_schedule: ContactSchedule
) -> timedelta:
    """How long before its date a delay is announced.

    At most half of the time between the last message to the customer and the date.
    """
    duration = run.due_at - run.opened_at
    upper_limit = max((run.due_at - _last_heard_at(request, run)) / 2, timedelta())
    return min(
        max(duration * LEAD_TIME_SHARE, 2 * contact_schedule.check_interval),
        MAX_LEAD_TIME,
        upper_limit,
    )


def delay_question_from(
    request: ServiceRequest, run: StageRun, contact_schedule: ContactSchedule
) -> datetime:
    """From when on the desk asks whether the stage will be done in time."""
    duration = run.due_at - run.opened_at
    return run.due_at - max(4 * _lead_time(request, run, contact_schedule), duration / 4)


def estimate_due_at(
    run: StageRun,
    stage: StageDefinition,
    department: Department,
    *,
    stage_duration: StageDuration | None,
    now: datetime,
    contact_schedule: ContactSchedule,
) -> datetime:
    """A new due date for a late stage, for a customer who reads it ``now``; never in quiet hours.

    It is the 80th percentile of measured durations, where that is still to come; else the end of
    the grace; else the expected time once more, and longer each time.
    """
    calendar = department.calendar.calendar_for(stage.expected)
    expected_at = department.calendar.add(run.opened_at, stage.expected)
    expected = calendar.elapsed(run.opened_at, expected_at)
    passed = max(run.due_at, now)
    once_more = calendar.add_open_time(now, expected * (1 + run.delays_announced))
    candidates = [run.overdue_at, once_more]
    if stage_duration is not None:
        paused = timedelta(seconds=run.paused_seconds)
        candidates.insert(0, calendar.add_open_time(run.opened_at, stage_duration.p80 + paused))
    estimate = next((at for at in candidates if at > passed), once_more)
    estimate = max(estimate, calendar.add_open_time(passed, expected * MIN_EXTENSION_SHARE))
    return (
        contact_schedule.after_quiet_hours(
            contact_schedule.after_quiet_hours(estimate) - QUIET_HOURS_MARGIN
        )
        + QUIET_HOURS_MARGIN
    )


def _delay_at(
    request: ServiceRequest,
    run: StageRun,
    stage: StageDefinition,
    contact_schedule: ContactSchedule,
) -> datetime:
    """Before its date; in quiet hours the evening before, if the customer knows the date by then."""
    ahead = _lead_time(request, run, contact_schedule)
    at = run.due_at - ahead
    evening = None if stage.urgent else contact_schedule.quiet_hours_began_at(at)
    if evening is None:
        return at
    return evening - ahead if evening - ahead > _last_heard_at(request, run) else at


def _handoff_updates(
    request: ServiceRequest, run: StageRun, contact_schedule: ContactSchedule
) -> Iterator[ProactiveUpdate]:
    """Updates about a handoff: when the customer expects the next stage, and when it is overdue.

    A handoff that is accepted in time is announced by its milestone alone.
    """
    handoff = request.pending_handoff(run)
    if handoff is None or handoff.accept_by is None or run.is_paused:
        return
    told_at, last = (
        request.last_told_at or run.opened_at - contact_schedule.check_interval,
        handoff.from_run,
    )
    if last is not None and told_at < run.opened_at:
        news_at = contact_schedule.after_quiet_hours(run.opened_at + HANDOFF_NEWS_WITHIN)
        at = min(_next_step_at(run, last, contact_schedule), news_at)
        yield ProactiveUpdate(UpdateKind.PROGRESS_UPDATE, at, run)
    if told_at < handoff.accept_by:
        yield ProactiveUpdate(
            UpdateKind.PROGRESS_UPDATE, contact_schedule.after_quiet_hours(handoff.accept_by), run
        )


def _next_step_at(run: StageRun, last: StageRun, contact_schedule: ContactSchedule) -> datetime:
    """Before the date given with the previous stage: that time on the same day, else that day's end."""
    ahead = max(
        (last.due_at - last.opened_at) * LEAD_TIME_SHARE, 2 * contact_schedule.check_interval
    )
    told_on = (last.reached_at or last.opened_at).astimezone(contact_schedule.zone).date()
    day = last.due_at.astimezone(contact_schedule.zone)
    end = (
        last.due_at
        if day.date() == told_on
        else datetime.combine(day, END_OF_DAY, contact_schedule.zone)
    )
    at = end - min(ahead, MAX_LEAD_TIME)
    at = contact_schedule.quiet_hours_began_at(at) or at
    return max(
        at, contact_schedule.after_quiet_hours(run.opened_at + 2 * contact_schedule.check_interval)
    ).astimezone(UTC)


def _last_heard_at(request: ServiceRequest, run: StageRun) -> datetime:
    """When the customer last heard from us since the stage opened; the date they know is no older."""
    return max(run.opened_at, request.last_told_at or run.opened_at)


def _is_asked(request: ServiceRequest, run: StageRun) -> bool:
    """True while a question of this stage has a reminder to come: no update is needed."""
    question = request.open_question
    return question is not None and question.run is run and question.next_at is not None
