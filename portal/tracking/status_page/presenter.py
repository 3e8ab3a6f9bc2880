"""Presents a request on its status page: timeline, question, promises, conversation."""

from dataclasses import dataclass, replace
from datetime import datetime

from portal.branding.theme import DEFAULT_THEME, Theme
from portal.business_time import zone_or_utc
from portal.i18n.languages import language_of
from portal.messaging.wording.channel_neutral import without_reply_hint
from portal.messaging.wording.promises import localize_promise, moved_because
from portal.messaging.wording.renderer import as_sentence, fill_template
from portal.models import (
    CLOSED_STATUSES,
    Answer,
    AnswerType,
    FollowUpState,
    PromiseKind,
    RequestStatus,
)
from portal.models.people.given_name import given_name
from portal.queries.status_page.rows import PromiseRow, StatusPageRow
from portal.tracking.status_page.appointments import find_appointments
from portal.tracking.status_page.conversation import build_conversation
from portal.tracking.status_page.timeline import TimelinePresenter
from portal.tracking.status_page.view_models import (
    Ending,
    PastPromise,
    Pause,
    PromiseLine,
    Question,
    StatusPage,
)
from portal.workflows import WorkflowDefinition

REPLY_KINDS = (PromiseKind.ANSWER, PromiseKind.CALL)
MAX_PAST_PROMISES = 2


@dataclass(frozen=True)
class Organisation:
    """The organisation as its customers see it."""

    brand: str
    support_contact: str | None
    theme: Theme = DEFAULT_THEME


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
    timeline = TimelinePresenter(snapshot, definition, now)
    return StatusPage(
        now=now,
        brand=organisation.brand,
        support_contact=organisation.support_contact,
        theme=organisation.theme,
        reference=snapshot.reference,
        title=definition.title_in(snapshot.title, snapshot.locale),
        first_name=given_name(snapshot.name, snapshot.locale),
        locale=snapshot.locale,
        timezone=zone_or_utc(snapshot.timezone),
        status=snapshot.status,  # type: ignore[arg-type]
        headline=timeline.headline,
        write_to=timeline.department(snapshot.department_id).name,
        path=f"/r/{token}",
        last_event_id=snapshot.page_version,
        current_departments=timeline.current_departments,
        handoff=timeline.handoff,
        next_step=timeline.next_step,
        delay=timeline.delay,
        estimate=timeline.estimate,
        ask_after=_ask_after(snapshot, timeline),
        question=_question(snapshot, timeline, organisation.brand),
        pause=_pause(snapshot),
        ending=_ending(snapshot),
        promises=_promises(snapshot),
        past_promises=_past_promises(snapshot),
        appointments=find_appointments(timeline),
        step_groups=tuple(timeline.step_groups()),
        conversation=build_conversation(
            snapshot.messages,
            snapshot.attachments,
            organisation.brand,
            language_of(snapshot.locale),
        ),
    )


def _with_public_names(snapshot: StatusPageRow, definition: WorkflowDefinition) -> StatusPageRow:
    """The departments by the names that the customer reads."""
    departments = tuple(
        replace(row, name=definition.department_name(row.key, row.name, snapshot.locale))
        for row in snapshot.departments
    )
    return replace(snapshot, departments=departments)


def _question(snapshot: StatusPageRow, timeline: TimelinePresenter, brand: str) -> Question | None:
    """The newest question that the customer has not answered."""
    asked = [row for row in snapshot.follow_ups if row.state == FollowUpState.ASKED]
    if not asked:
        return None
    values = {
        "brand": brand,
        "first_name": given_name(snapshot.name, snapshot.locale),
        "reference": snapshot.reference,
        "title": timeline.definition.title_in(snapshot.title, snapshot.locale),
        "department": timeline.department(snapshot.department_id).name,
    }
    text = fill_template(without_reply_hint(timeline.question(asked[-1])), values)
    return Question(str(asked[-1].id), text, asks_time=asked[-1].expects == AnswerType.TIME)


def _pause(snapshot: StatusPageRow) -> Pause | None:
    """Why the request is on hold, where staff put it on hold."""
    if snapshot.status != RequestStatus.ON_HOLD:
        return None
    run = next(run for run in snapshot.runs if run.held_at)
    return Pause(as_sentence(run.hold_reason), run.hold_until)


def _ask_after(snapshot: StatusPageRow, timeline: TimelinePresenter) -> datetime | None:
    """The last promised date; later where a reply is owed: that customer has asked already."""
    open_promises = [row for row in snapshot.promises if row.closed_at is None]
    owed = [row.due_at for row in open_promises if row.kind in REPLY_KINDS]
    return max([timeline.ask_after, *owed]) if timeline.ask_after else None


def _ending(snapshot: StatusPageRow) -> Ending | None:
    """How and when the request ended."""
    if snapshot.status not in CLOSED_STATUSES or snapshot.closed_at is None:
        return None
    said_yes = any(row.answer == Answer.YES and not row.during_stage for row in snapshot.follow_ups)
    return Ending(
        snapshot.closed_at,
        reason=snapshot.close_reason or None,
        confirmed=said_yes and snapshot.status == RequestStatus.COMPLETED,
        unconfirmed=bool(snapshot.closed_unconfirmed),
    )


def _promises(snapshot: StatusPageRow) -> tuple[PromiseLine, ...]:
    """The open promises, each with the first name of its owner."""
    return tuple(
        PromiseLine(
            key=str(row.id),
            text="" if row.kind == PromiseKind.ANSWER else _promise_text(snapshot, row),
            due_at=row.due_at,
            moved_reason=_moved_because(snapshot, row),
            owner=_first_name(row.owner),
        )
        for row in snapshot.promises
        if row.closed_at is None
    )


def _past_promises(snapshot: StatusPageRow) -> tuple[PastPromise, ...]:
    """The last promises that were kept or missed, newest first."""
    past = [(row.closed_at, row) for row in snapshot.promises if row.closed_at is not None]
    past.sort(key=lambda closed: closed[0], reverse=True)
    return tuple(
        PastPromise(_promise_text(snapshot, row), _first_name(row.owner), row.kept_at)
        for _, row in past[:MAX_PAST_PROMISES]
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


def _first_name(name: str) -> str:
    """The first part of a colleague's name: a link may be passed on, so the page shows no more."""
    return next(iter(name.split()), "")
