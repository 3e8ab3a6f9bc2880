"""Presents a request on its status page: timeline, question, promises, conversation."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from portal.branding.theme import DEFAULT_THEME, Theme
from portal.business_time import TimeWindow, zone_or_utc
from portal.carriers import Carriers, shipped_carriers
from portal.i18n.languages import language_of
from portal.i18n.lazy_string import LazyString
from portal.messaging.wording.calls import call_window_text
from portal.messaging.wording.promises import localize_promise, moved_because
from portal.messaging.wording.renderer import as_sentence
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import (
    CLOSED_STATUSES,
    Answer,
    PromiseKind,
    RequestStatus,
)
from portal.models.people.given_name import given_name, staff_first_name
from portal.models.requests.promise import REPLY_KINDS
from portal.models.requests.request_status import WITHDRAWN
from portal.queries.status_page.rows import PromiseRow, StatusPageRow
from portal.rules.arrival import arrival_of
from portal.rules.withdrawal import allows_withdrawal
from portal.tracking.status_page.appointments import find_appointments
from portal.tracking.status_page.conversation import asks_which, build_conversation, list_documents
from portal.tracking.status_page.expectations import (
    collection,
    customer_action,
    place_to_come,
    present_arrival,
    present_delay,
    present_estimate,
)
from portal.tracking.status_page.investigation import (
    investigation_text,
    say_sought,
    sought_text,
)
from portal.tracking.status_page.needs import present_needs, say_sent, sent_headline
from portal.tracking.status_page.promises_view import PastPromise, PromiseLine
from portal.tracking.status_page.question import present_question
from portal.tracking.status_page.timeline import TimelinePresenter
from portal.tracking.status_page.timeline_view import Ending, Pause
from portal.tracking.status_page.view_models import StatusPage
from portal.workflows import WorkflowDefinition

MAX_PAST_PROMISES = 2


@dataclass(frozen=True)
class Organisation:
    """The organisation as its customers see it."""

    brand: str
    support_contact: str | None
    theme: Theme = DEFAULT_THEME
    carriers: Carriers = field(default_factory=shipped_carriers)
    text_number: str | None = None


def present_status_page(
    snapshot: StatusPageRow,
    definition: WorkflowDefinition,
    organisation: Organisation,
    *,
    token: str,
    now: datetime,
) -> StatusPage:
    """Everything that the customer reads of this request at ``now``."""
    snapshot = _with_public_names(snapshot, definition)
    timeline = TimelinePresenter(snapshot, definition, now, organisation.carriers)
    arrival = arrival_of(timeline.timeline)
    sought = sought_text(snapshot, definition, organisation.brand)
    steps = say_sent(say_sought(timeline.step_groups(), sought), snapshot)
    return StatusPage(
        now=now,
        brand=organisation.brand,
        support_contact=organisation.support_contact,
        theme=organisation.theme,
        text_number=organisation.text_number,
        reference=snapshot.reference,
        title=definition.title_in(snapshot.title, snapshot.locale),
        first_name=given_name(snapshot.name, snapshot.locale),
        locale=snapshot.locale,
        timezone=zone_or_utc(snapshot.timezone),
        status=snapshot.status,  # type: ignore[arg-type]
        headline=investigation_text(snapshot, definition) or timeline.headline,
        stage_headline=sought or sent_headline(steps, snapshot) or timeline.headline,
        write_to=timeline.department(snapshot.department_id).name,
        path=f"/r/{token}",
        last_event_id=snapshot.page_version,
        current_departments=timeline.current_departments,
        handoff=timeline.handoff,
        next_step=timeline.next_step,
        arrival=present_arrival(timeline, arrival),
        action=customer_action(timeline),
        place=place_to_come(timeline),
        delay=present_delay(timeline, arrival),
        estimate=present_estimate(arrival),
        last_report=timeline.last_report,
        third_party_update=timeline.third_party_update,
        parcel_links=timeline.parcel_links,
        ask_after=_ask_after(snapshot, timeline),
        question_waits=timeline.question_waits,
        asks_which=asks_which(snapshot.messages),
        question=present_question(snapshot, timeline, organisation.brand),
        needs=present_needs(snapshot, timeline),
        pause=_pause(snapshot, timeline),
        ending=_ending(snapshot, timeline),
        promises=_promises(snapshot, now),
        past_promises=_past_promises(snapshot),
        appointments=find_appointments(timeline),
        step_groups=steps,
        conversation=build_conversation(
            snapshot.messages,
            snapshot.attachments,
            organisation.brand,
            language_of(snapshot.locale),
        ),
        documents=list_documents(snapshot.messages, snapshot.attachments),
        may_withdraw=snapshot.closed_at is None
        and allows_withdrawal(
            definition, {run.stage_key for run in snapshot.runs if run.reached_at is not None}
        ),
    )


def _with_public_names(snapshot: StatusPageRow, definition: WorkflowDefinition) -> StatusPageRow:
    """The departments by the names that the customer reads."""
    departments = tuple(
        replace(row, name=definition.department_name(row.key, row.name, snapshot.locale))
        for row in snapshot.departments
    )
    return replace(snapshot, departments=departments)


def _pause(snapshot: StatusPageRow, timeline: TimelinePresenter) -> Pause | None:
    """Why the request is on hold, where staff put it on hold, until a day of the department."""
    if snapshot.status != RequestStatus.ON_HOLD:
        return None
    run = next(run for run in snapshot.runs if run.held_at)
    until = run.hold_until
    if until is not None:
        department = timeline.definition.stage(run.stage_key).department
        until = timeline.timeline.calendar_of(department).on_open_day(until)
    return Pause(as_sentence(run.hold_reason), until)


def _ask_after(snapshot: StatusPageRow, timeline: TimelinePresenter) -> datetime | None:
    """The last promised date; later where a reply is owed: that customer has asked already."""
    open_promises = [row for row in snapshot.promises if row.closed_at is None]
    owed = [row.due_at for row in open_promises if row.kind in REPLY_KINDS]
    return max([timeline.ask_after, *owed]) if timeline.ask_after else None


def _ending(snapshot: StatusPageRow, timeline: TimelinePresenter) -> Ending | None:
    """How and when the request ended."""
    if snapshot.status not in CLOSED_STATUSES or snapshot.closed_at is None:
        return None
    said_yes = any(row.answer == Answer.YES and not row.during_stage for row in snapshot.follow_ups)
    by_customer = bool(snapshot.closed_by_customer)
    outcome = timeline.definition.outcome(
        snapshot.status, is_unconfirmed=bool(snapshot.closed_unconfirmed)
    )
    return Ending(
        snapshot.closed_at,
        reason=_close_reason(snapshot) or None,
        confirmed=said_yes and snapshot.status == RequestStatus.COMPLETED,
        unconfirmed=bool(snapshot.closed_unconfirmed),
        by_customer=by_customer,
        outcome=timeline.localize(outcome) if outcome else "",
        collect=collection(timeline),
    )


def _close_reason(snapshot: StatusPageRow) -> str:
    """Why it was closed; a withdrawal is worded for its customer."""
    if not snapshot.close_reason.startswith(WITHDRAWN):
        return snapshot.close_reason
    said = language_of(snapshot.locale).say(LazyString("You withdrew it."))
    return said + snapshot.close_reason.removeprefix(WITHDRAWN)


def _promises(snapshot: StatusPageRow, now: datetime) -> tuple[PromiseLine, ...]:
    """The open promises, each with the first name of its owner."""
    return tuple(
        PromiseLine(
            key=str(row.id),
            text="" if row.kind == PromiseKind.ANSWER else _promise_text(snapshot, row),
            due_at=row.due_at,
            moved_reason=_moved_because(snapshot, row),
            owner=staff_first_name(row.owner),
            window=_call_window(snapshot, row, now),
        )
        for row in snapshot.promises
        if row.closed_at is None
    )


def _call_window(snapshot: StatusPageRow, promise: PromiseRow, now: datetime) -> str:
    """The window in which the customer wants the call; empty without one."""
    if promise.not_before_at is None or not promise.call_window:
        return ""
    times = TimeFormatter(snapshot.locale, zone_or_utc(snapshot.timezone), now)
    window = TimeWindow(promise.not_before_at, promise.due_at)
    return call_window_text(times, promise.call_window, window)


def _past_promises(snapshot: StatusPageRow) -> tuple[PastPromise, ...]:
    """The last promises that were kept or missed, newest first."""
    past = [(row.closed_at, row) for row in snapshot.promises if row.closed_at is not None]
    past.sort(key=lambda closed: closed[0], reverse=True)
    return tuple(
        PastPromise(
            _promise_text(snapshot, row),
            staff_first_name(row.owner),
            row.kept_at,
            is_moot=row.kept_at is None and closed_at < row.due_at,
        )
        for closed_at, row in past[:MAX_PAST_PROMISES]
    )


def _promise_text(snapshot: StatusPageRow, promise: PromiseRow) -> str:
    """What is promised, without its full stop: the page adds by when."""
    names = (
        department.name
        for department in snapshot.departments
        if department.id == promise.department_id
    )
    name = next(names, None)
    text = promise.text
    if name is not None:
        text = localize_promise(promise.wording, text, name, snapshot.locale)
    return text.rstrip(".")


def _moved_because(snapshot: StatusPageRow, promise: PromiseRow) -> str | None:
    by_customer = bool(promise.moved_by_customer)
    return moved_because(promise.moved_reason, snapshot.locale, by_customer=by_customer) or None
