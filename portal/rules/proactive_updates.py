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

from portal.models.monitoring.stage_duration import Pace
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

PART_AHEAD = 0.05
LONGEST_AHEAD = timedelta(minutes=15)
"""How long before a date its delay is told: so much of the whole time, and no more than that."""
MOST_GUESSES = 2
"""Dates of our own that did not hold; after these a person answers, and no machine guesses."""
AT_LEAST = 0.25
"""Of the time that was expected: a new date lies no nearer, or there is soon another."""
AFTER_WAKING = timedelta(hours=1)
"""A date that we give by ourselves lies no sooner after the customer's quiet hours."""
LATE = time(20, 45)
"""By when we say that a day passes without what was told for it, on the customer's clock."""
A_NEW_DATE = "will tell you a new date."
"""How the promise ends that is made where no date of ours has held."""


class News(Enum):
    """What is to be told."""

    DELAY = auto()
    STILL_ON_IT = auto()


@dataclass(frozen=True, slots=True)
class Telling:
    """What the customer must hear at this moment, past or to come, unless something happens."""

    news: News
    at: datetime
    run: StageRun


@dataclass(frozen=True, slots=True)
class Manners:
    """How we keep time with one customer: how often we look, and when it is night for them."""

    looks_every: timedelta
    quiet: QuietHours | None
    zone: ZoneInfo

    @classmethod
    def towards(cls, customer: Customer, settings: Settings, now: datetime) -> Self:
        """Those that hold for this customer, by the way in which they are written to."""
        ways = [one for one in customer.channels() if customer.address(one, now)]
        by_mail = ways[:1] == [Channel.EMAIL]
        quiet = settings.mail_quiet_hours if by_mail else settings.quiet_hours
        looks_every = timedelta(seconds=settings.sweep_every)
        return cls(looks_every, quiet, ZoneInfo(customer.timezone))

    def awake(self, at: datetime) -> datetime:
        """That moment, or the end of the quiet hours in which it lies."""
        return (self.quiet.until(at, self.zone) if self.quiet else None) or at

    def evening_before(self, at: datetime) -> datetime | None:
        """When the quiet hours in which it lies began; None by day."""
        return self.quiet.since(at, self.zone) if self.quiet else None


def tellings(request: ServiceRequest, roster: Roster, manners: Manners) -> Iterator[Telling]:
    """All that this customer must hear unless something happens first, in no order."""
    if request.is_closed:
        return
    for run in request.open_runs:
        stage = request.definition.stage(run.stage_key)
        if not run.is_paused and run.delays_told < MOST_GUESSES and run.opened_at < run.due_at:
            yield Telling(News.DELAY, _delay_at(request, run, stage, manners), run)
        yield from _of_passing_on(request, run, manners)
        if stage.update_every is not None and not _is_asked(request, run):
            calendar = roster.department_by_id(run.department_id).calendar
            at = calendar.add(_heard_at(request, run), stage.update_every)
            yield Telling(News.STILL_ON_IT, manners.awake(at), run)


def next_tell_at(request: ServiceRequest, roster: Roster, manners: Manners) -> datetime | None:
    """When the customer must next hear from us; None while nothing is to come."""
    return min((one.at for one in tellings(request, roster, manners)), default=None)


def keep_dates_owed(request: ServiceRequest, actor: Actor, now: datetime) -> None:
    """The customer has been given the new date that they were promised, or better news."""
    for promise in request.promises:
        if (
            promise.is_open
            and promise.kind == PromiseKind.ANSWER
            and (promise.text.endswith(A_NEW_DATE))
        ):
            promise.keep(now)
            request.record(EventKind.PROMISE_KEPT, actor, now, moves=False, promise_id=promise.id)


def ahead_of(request: ServiceRequest, run: StageRun, manners: Manners) -> timedelta:
    """How long before its date a delay is told; never so soon that it follows the date itself."""
    whole = run.due_at - run.opened_at
    longest = max((run.due_at - _heard_at(request, run)) / 2, timedelta())
    return min(max(whole * PART_AHEAD, 2 * manners.looks_every), LONGEST_AHEAD, longest)


def asked_from(request: ServiceRequest, run: StageRun, manners: Manners) -> datetime:
    """From when on the desk asks whether it will be done in time."""
    whole = run.due_at - run.opened_at
    return run.due_at - max(4 * ahead_of(request, run, manners), whole / 4)


def believed_date(
    run: StageRun,
    stage: StageDefinition,
    department: Department,
    *,
    pace: Pace | None,
    now: datetime,
    manners: Manners,
) -> datetime:
    """A new date for what will not be done by the old one, for a customer who reads it ``now``.

    By what four in five took, where that is still to come; else the end of its grace; else the
    time that was expected once more, and longer each time. By day.
    """
    calendar = department.calendar.counting(stage.expected)
    expected_at = department.calendar.add(run.opened_at, stage.expected)
    expected = calendar.elapsed(run.opened_at, expected_at)
    passed = max(run.due_at, now)
    once_more = calendar.add_open_time(now, expected * (1 + run.delays_told))
    beliefs = [run.late_at, once_more]
    if pace is not None:
        paused = timedelta(seconds=run.paused_seconds)
        beliefs.insert(0, calendar.add_open_time(run.opened_at, pace.most + paused))
    believed = next((one for one in beliefs if one > passed), once_more)
    believed = max(believed, calendar.add_open_time(passed, expected * AT_LEAST))
    return manners.awake(manners.awake(believed) - AFTER_WAKING) + AFTER_WAKING


def _delay_at(
    request: ServiceRequest, run: StageRun, stage: StageDefinition, manners: Manners
) -> datetime:
    """Ahead of its date; where that is at night, the evening before, if the date is older."""
    ahead = ahead_of(request, run, manners)
    at = run.due_at - ahead
    evening = None if stage.urgent else manners.evening_before(at)
    if evening is None:
        return at
    return evening - ahead if evening - ahead > _heard_at(request, run) else at


def _of_passing_on(request: ServiceRequest, run: StageRun, manners: Manners) -> Iterator[Telling]:
    """It waits to be taken up when the customer expects the next step; and when it should be.

    What is taken up in time is told by its milestone alone.
    """
    handoff = request.waiting_handoff(run)
    if handoff is None or handoff.accept_by is None or run.is_paused:
        return
    told_at, last = request.told_at or run.opened_at - manners.looks_every, handoff.from_run
    if last is not None and told_at < run.opened_at:
        yield Telling(News.STILL_ON_IT, _next_step_at(run, last, manners), run)
    if told_at < handoff.accept_by:
        yield Telling(News.STILL_ON_IT, manners.awake(handoff.accept_by), run)


def _next_step_at(run: StageRun, last: StageRun, manners: Manners) -> datetime:
    """Ahead of the date that was told with the stage before: an hour of its day, else a day."""
    ahead = max((last.due_at - last.opened_at) * PART_AHEAD, 2 * manners.looks_every)
    told_on = (last.reached_at or last.opened_at).astimezone(manners.zone).date()
    day = last.due_at.astimezone(manners.zone)
    end = last.due_at if day.date() == told_on else datetime.combine(day, LATE, manners.zone)
    at = end - min(ahead, LONGEST_AHEAD)
    at = manners.evening_before(at) or at
    return max(at, manners.awake(run.opened_at + 2 * manners.looks_every)).astimezone(UTC)


def _heard_at(request: ServiceRequest, run: StageRun) -> datetime:
    """When the customer last heard from us since it was opened: its date is no older."""
    return max(run.opened_at, request.told_at or run.opened_at)


def _is_asked(request: ServiceRequest, run: StageRun) -> bool:
    """While a question has reminders of its own, nothing else need be said."""
    asked = request.asked
    return asked is not None and asked.run is run and asked.next_at is not None
