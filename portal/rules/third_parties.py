"""What a report of a third party does to the stage that it does for us. Pure."""

from dataclasses import dataclass
from datetime import datetime

from portal.carriers import tracking_key
from portal.models.people.department import Department
from portal.models.requests.request_lookups import RequestLookups
from portal.models.requests.stage_run import RunState, StageRun
from portal.models.requests.third_party_code import ThirdPartyCode


@dataclass(frozen=True, slots=True)
class ThirdPartyEvent:
    """A report of a third party; ``at`` and ``estimated_at`` (UTC) are when, and by when.

    ``description`` is in their own words, ``number`` the tracking number, ``place`` where it was.
    ``key`` is the same in each repetition of the event. ``is_by_person``: staff recorded it.
    """

    at: datetime
    key: str
    carrier: str = ""
    number: str = ""
    code: ThirdPartyCode | None = None
    description: str = ""
    place: str = ""
    estimated_at: datetime | None = None
    is_by_person: bool = False


def find_third_party_run(
    request: RequestLookups, stage: str | None, number: str, at: datetime
) -> StageRun | None:
    """The run that a report of that time is about, open or ended; None where nothing says which.

    A named stage comes first, then the open run with that number, then an ended one: a late report
    about an earlier parcel is none about the next. Where its stage runs again without a number of
    its own, what happens from then on is about the new run: the parcel is looked for. Else the only
    open run of a third party.
    """
    runs = [run for run in request.runs if stage in (None, run.stage_key)]
    open_runs = [run for run in runs if run.is_open]
    if stage is not None:
        return next(reversed(open_runs or runs), None)
    key = tracking_key(number)
    with_number = [run for run in runs if key and run.tracking_key == key]
    for run in reversed(with_number):
        if run.is_open:
            return run
    if with_number:
        last = with_number[-1]
        return next((run for run in open_runs if _runs_again(run, last, at)), last)
    outside = [run for run in open_runs if run.third_party]
    return outside[0] if len(outside) == 1 else None


def apply_third_party_event(run: StageRun, event: ThirdPartyEvent) -> bool:
    """Set the run's third party, number, code and time; true where it is their newest report.

    An older one than the last leaves what that said. A parcel on its way back stays so, whatever
    comes for its number, until a person records otherwise: "delivered" then means to the sender.
    """
    latest_at = run.third_party_updated_at
    is_latest = latest_at is None or event.at >= latest_at
    if event.number and (is_latest or not run.tracking_number):
        if run.tracking_key and run.tracking_key != tracking_key(event.number):
            run.third_party_code = run.third_party_code_at = None
        run.tracking_number, run.tracking_key = event.number, tracking_key(event.number)
    if event.carrier and (is_latest or not run.third_party):
        run.third_party = event.carrier
    run.third_party_updated_at = max(event.at, latest_at or event.at)
    if event.code is None:
        return is_latest
    code_at = run.third_party_code_at
    if not _is_about(run, event) or (code_at is not None and event.at < code_at):
        return False
    if run.third_party_code == ThirdPartyCode.RETURNING and not event.is_by_person:
        return False
    run.third_party_code, run.third_party_code_at = event.code, event.at
    return True


def is_report_expected(run: StageRun) -> bool:
    """Whether its third party should report: not while it is on hold or waits on the customer."""
    return not run.is_paused or (run.waits_on_third_party and run.held_at is None)


def postpone_silence(run: StageRun, department: Department, now: datetime) -> None:
    """A hold ends: a third party that the stage waits for may be silent so much longer.

    Of every other stage the pause itself moves that time.
    """
    silent_at, held_at = run.silence_overdue_at, run.held_at
    if run.waits_on_third_party and silent_at and held_at and held_at < silent_at:
        calendar = department.calendar
        run.silence_overdue_at = calendar.add_open_time(silent_at, calendar.elapsed(held_at, now))


def is_delivered(run: StageRun, event: ThirdPartyEvent) -> bool:
    """Whether the event says that the customer has it, and no later one reports a problem."""
    has_problem = run.third_party_code is not None and run.third_party_code.is_problem
    return event.code == ThirdPartyCode.DELIVERED and _is_about(run, event) and not has_problem


def completes(run: StageRun, delivered: str) -> bool:
    """Whether "delivered" ends this run: its stage says so, or is the third party's own."""
    own = run.state == RunState.OPEN and bool(run.third_party)
    return delivered == "complete" or (delivered == "" and own)


def _runs_again(run: StageRun, earlier: StageRun, at: datetime) -> bool:
    """Whether this run repeats the earlier one, and had begun at that time."""
    return run.stage_key == earlier.stage_key and not run.tracking_key and run.opened_at <= at


def _is_about(run: StageRun, event: ThirdPartyEvent) -> bool:
    """Whether it is about the parcel of the run: an earlier one had another number."""
    return not event.number or tracking_key(event.number) == run.tracking_key
