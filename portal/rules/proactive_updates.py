"""When a customer must next hear from us, so that they hear it before they wonder.

Pure: it reads a request as it stands and says the moments; what is told then, and in which words,
is for the relay.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import Enum, auto
from typing import Self
from zoneinfo import ZoneInfo

from portal.models.monitoring.stage_duration import StageDuration
from portal.models.people.actor import Actor
from portal.models.people.customer import Channel, Customer
from portal.models.people.department import Department
from portal.models.requests.event import EventKind
from portal.models.requests.promise import PromiseKind
from portal.models.requests.service_request import ServiceRequest
from portal.models.requests.stage_run import StageRun
from portal.rules.roster import Roster
from portal.settings import Settings
from portal.settings.types import QuietHours
from portal.workflows import StageDefinition

LEAD_TIME_SHARE = 0.05
MAX_LEAD_TIME = timedelta(minutes=15)
"""How long before a date its delay is told: so much of the whole time, and no more than that."""
MAX_ESTIMATES = 2
"""Dates of our own that did not hold; after these a person answers, and no machine guesses."""
MIN_EXTENSION_SHARE = 0.25
"""Of the time that was expected: a new date lies no nearer, or there is soon another."""
QUIET_HOURS_MARGIN = timedelta(hours=1)
"""A date that we give by ourselves lies no sooner after the customer's quiet hours."""
END_OF_DAY = time(20, 45)
"""By when we say that a day passes without what was told for it, on the customer's clock."""
NEW_DATE_ENDING = "will tell you a new date."
"""How the promise ends that is made where no date of ours has held."""


class UpdateKind(Enum):
    """What is to be told."""

    DELAY = auto()
    PROGRESS_UPDATE = auto()


@dataclass(frozen=True, slots=True)
class ProactiveUpdate:
    """What the customer must hear at this moment, past or to come, unless something happens."""

    kind: UpdateKind
    at: datetime
    run: StageRun


@dataclass(frozen=True, slots=True)
class ContactSchedule:
    """How we keep time with one customer: how often we look, and when it is night for them."""

    check_interval: timedelta
    quiet_hours: QuietHours | None
    zone: ZoneInfo

    @classmethod
    def for_customer(cls, customer: Customer, settings: Settings, now: datetime) -> Self:
        """Those that hold for this customer, by the way in which they are written to."""
        ways = [one for one in customer.channels() if customer.address(one, now)]
        by_mail = ways[:1] == [Channel.EMAIL]
        quiet_hours = settings.mail_quiet_hours if by_mail else settings.quiet_hours
        check_interval = timedelta(seconds=settings.sweep_seconds)
        return cls(check_interval, quiet_hours, ZoneInfo(customer.timezone))

    def after_quiet_hours(self, at: datetime) -> datetime:
        """That moment, or the end of the quiet hours in which it lies."""
        return (self.quiet_hours.until(at, self.zone) if self.quiet_hours else None) or at

    def quiet_hours_began_at(self, at: datetime) -> datetime | None:
        """When the quiet hours in which it lies began; None by day."""
        return self.quiet_hours.since(at, self.zone) if self.quiet_hours else None


def proactive_updates(
    request: ServiceRequest, roster: Roster, contact_schedule: ContactSchedule
) -> Iterator[ProactiveUpdate]:
    """All that this customer must hear unless something happens first, in no order."""
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
        yield from _of_passing_on(request, run, contact_schedule)
        if stage.update_every is not None and not _is_asked(request, run):
            calendar = roster.department_by_id(run.department_id).calendar
            at = calendar.add(_heard_at(request, run), stage.update_every)
            yield ProactiveUpdate(
                UpdateKind.PROGRESS_UPDATE, contact_schedule.after_quiet_hours(at), run
            )


def find_next_update_at(
    request: ServiceRequest, roster: Roster, contact_schedule: ContactSchedule
) -> datetime | None:
    """When the customer must next hear from us; None while nothing is to come."""
    return min(
        (one.at for one in proactive_updates(request, roster, contact_schedule)), default=None
    )


def fulfil_date_promises(request: ServiceRequest, actor: Actor, now: datetime) -> None:
    """The customer has been given the new date that they were promised, or better news."""
    for promise in request.promises:
        if (
            promise.is_open
            and promise.kind == PromiseKind.ANSWER
            and (promise.text.endswith(NEW_DATE_ENDING))
        ):
            promise.keep(now)
            request.record(
                EventKind.PROMISE_KEPT, actor, now, bumps_version=False, promise_id=promise.id
            )


def delay_lead_time(
    request: ServiceRequest, run: StageRun, contact_schedule: ContactSchedule
) -> timedelta:
    """How long before its date a delay is told; never so soon that it follows the date itself."""
    whole = run.due_at - run.opened_at
    longest = max((run.due_at - _heard_at(request, run)) / 2, timedelta())
    return min(
        max(whole * LEAD_TIME_SHARE, 2 * contact_schedule.check_interval), MAX_LEAD_TIME, longest
    )


def delay_question_from(
    request: ServiceRequest, run: StageRun, contact_schedule: ContactSchedule
) -> datetime:
    """From when on the desk asks whether it will be done in time."""
    whole = run.due_at - run.opened_at
    return run.due_at - max(4 * delay_lead_time(request, run, contact_schedule), whole / 4)


def estimate_due_at(
    run: StageRun,
    stage: StageDefinition,
    department: Department,
    *,
    stage_duration: StageDuration | None,
    now: datetime,
    contact_schedule: ContactSchedule,
) -> datetime:
    """A new date for what will not be done by the old one, for a customer who reads it ``now``.

    By what four in five took, where that is still to come; else the end of its grace; else the
    time that was expected once more, and longer each time. By day.
    """
    calendar = department.calendar.calendar_for(stage.expected)
    expected_at = department.calendar.add(run.opened_at, stage.expected)
    expected = calendar.elapsed(run.opened_at, expected_at)
    passed = max(run.due_at, now)
    once_more = calendar.add_open_time(now, expected * (1 + run.delays_announced))
    beliefs = [run.overdue_at, once_more]
    if stage_duration is not None:
        paused = timedelta(seconds=run.paused_seconds)
        beliefs.insert(0, calendar.add_open_time(run.opened_at, stage_duration.p80 + paused))
    believed = next((one for one in beliefs if one > passed), once_more)
    believed = max(believed, calendar.add_open_time(passed, expected * MIN_EXTENSION_SHARE))
    return (
        contact_schedule.after_quiet_hours(
            contact_schedule.after_quiet_hours(believed) - QUIET_HOURS_MARGIN
        )
        + QUIET_HOURS_MARGIN
    )


def _delay_at(
    request: ServiceRequest,
    run: StageRun,
    stage: StageDefinition,
    contact_schedule: ContactSchedule,
) -> datetime:
    """Ahead of its date; where that is at night, the evening before, if the date is older."""
    ahead = delay_lead_time(request, run, contact_schedule)
    at = run.due_at - ahead
    evening = None if stage.urgent else contact_schedule.quiet_hours_began_at(at)
    if evening is None:
        return at
    return evening - ahead if evening - ahead > _heard_at(request, run) else at


def _of_passing_on(
    request: ServiceRequest, run: StageRun, contact_schedule: ContactSchedule
) -> Iterator[ProactiveUpdate]:
    """It waits to be taken up when the customer expects the next step; and when it should be.

    What is taken up in time is told by its milestone alone.
    """
    handoff = request.pending_handoff(run)
    if handoff is None or handoff.accept_by is None or run.is_paused:
        return
    told_at, last = (
        request.last_told_at or run.opened_at - contact_schedule.check_interval,
        handoff.from_run,
    )
    if last is not None and told_at < run.opened_at:
        yield ProactiveUpdate(
            UpdateKind.PROGRESS_UPDATE, _next_step_at(run, last, contact_schedule), run
        )
    if told_at < handoff.accept_by:
        yield ProactiveUpdate(
            UpdateKind.PROGRESS_UPDATE, contact_schedule.after_quiet_hours(handoff.accept_by), run
        )


def _next_step_at(run: StageRun, last: StageRun, contact_schedule: ContactSchedule) -> datetime:
    """Ahead of the date that was told with the stage before: an hour of its day, else a day."""
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


def _heard_at(request: ServiceRequest, run: StageRun) -> datetime:
    """When the customer last heard from us since it was opened: its date is no older."""
    return max(run.opened_at, request.last_told_at or run.opened_at)


def _is_asked(request: ServiceRequest, run: StageRun) -> bool:
    """While a question has reminders of its own, nothing else need be said."""
    asked = request.open_question
    return asked is not None and asked.run is run and asked.next_at is not None
