"""A request's page from its snapshot: the way so far, what is asked and promised, what was said."""

from dataclasses import dataclass
from datetime import datetime

from portal.branding.theme import DEFAULT_THEME, Theme
from portal.messaging.wording.channel_neutral import without_reply_hint
from portal.messaging.wording.promises import localize_promise, moved_because
from portal.messaging.wording.renderer import fill_template
from portal.models import (
    CLOSED_STATUSES,
    Answer,
    AnswerType,
    FollowUpState,
    PromiseKind,
    RequestStatus,
)
from portal.queries.status_page.rows import PromiseRow, StatusPageRow
from portal.tracking.status_page.appointments import find_appointments
from portal.tracking.status_page.conversation import build_conversation
from portal.tracking.status_page.timeline import StageTimeline
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
MAX_PAST = 2


@dataclass(frozen=True)
class Organisation:
    """Who we are to the customer."""

    brand: str
    support_contact: str | None
    theme: Theme = DEFAULT_THEME


def build_status_page(
    snapshot: StatusPageRow,
    definition: WorkflowDefinition,
    organisation: Organisation,
    *,
    token: str,
    now: datetime,
) -> StatusPage:
    """Everything that the customer reads of this request at this moment."""
    journey = StageTimeline(snapshot, definition, now)
    return StatusPage(
        now=now,
        brand=organisation.brand,
        support_contact=organisation.support_contact,
        theme=organisation.theme,
        reference=snapshot.reference,
        title=definition.title_in(snapshot.title, snapshot.locale),
        first_name=_first(snapshot.name),
        locale=snapshot.locale,
        timezone=snapshot.timezone,
        status=snapshot.status,  # type: ignore[arg-type]
        headline=journey.headline,
        write_to=journey.department(snapshot.department_id).name,
        path=f"/r/{token}",
        last_event_id=snapshot.page_version,
        current_departments=journey.current_departments,
        handoff=journey.handoff,
        next_step=journey.next_step,
        delay=journey.delay,
        estimate=journey.estimate,
        ask_after=_ask_from(snapshot, journey),
        question=_question(snapshot, journey, organisation.brand),
        pause=_pause(snapshot),
        ending=_ending(snapshot),
        promises=_promises(snapshot),
        past_promises=_past_promises(snapshot),
        appointments=find_appointments(journey),
        step_groups=tuple(journey.step_groups()),
        conversation=build_conversation(
            snapshot.messages, snapshot.attachments, organisation.brand
        ),
    )


def _question(snapshot: StatusPageRow, journey: StageTimeline, brand: str) -> Question | None:
    """The newest question that waits for the customer."""
    asked = [one for one in snapshot.follow_ups if one.state == FollowUpState.ASKED]
    if not asked:
        return None
    facts = {
        "brand": brand,
        "first_name": _first(snapshot.name),
        "reference": snapshot.reference,
        "title": journey.definition.title_in(snapshot.title, snapshot.locale),
        "department": journey.department(snapshot.department_id).name,
    }
    words = fill_template(without_reply_hint(journey.question(asked[-1])), facts)
    return Question(str(asked[-1].id), words, asks_time=asked[-1].expects == AnswerType.TIME)


def _pause(snapshot: StatusPageRow) -> Pause | None:
    """Why all of it stands still, where staff put it aside."""
    if snapshot.status != RequestStatus.ON_HOLD:
        return None
    held = next(run for run in snapshot.runs if run.held_at)
    return Pause(held.hold_reason, held.hold_until)


def _ask_from(snapshot: StatusPageRow, journey: StageTimeline) -> datetime | None:
    """Past the last date that we believed in; who is promised an answer has asked already."""
    open_ones = [one for one in snapshot.promises if one.closed_at is None]
    owed = [one.due_at for one in open_ones if one.kind in REPLY_KINDS]
    return max([journey.ask_after, *owed]) if journey.ask_after else None


def _ending(snapshot: StatusPageRow) -> Ending | None:
    """How and when it ended."""
    if snapshot.status not in CLOSED_STATUSES or snapshot.closed_at is None:
        return None
    said_yes = any(one.answer == Answer.YES and not one.during_stage for one in snapshot.follow_ups)
    return Ending(
        snapshot.closed_at,
        reason=snapshot.close_reason or None,
        confirmed=said_yes and snapshot.status == RequestStatus.COMPLETED,
        unconfirmed=bool(snapshot.closed_unconfirmed),
    )


def _promises(snapshot: StatusPageRow) -> tuple[PromiseLine, ...]:
    """Our word that still stands, each with the first name of the person who keeps it."""
    return tuple(
        PromiseLine(
            key=str(one.id),
            words="" if one.kind == PromiseKind.ANSWER else _promised(snapshot, one),
            due_at=one.due_at,
            moved_because=_moved_because(snapshot, one),
            owner=_first(one.owner),
        )
        for one in snapshot.promises
        if one.closed_at is None
    )


def _past_promises(snapshot: StatusPageRow) -> tuple[PastPromise, ...]:
    """The last of those that we have kept or missed, newest first."""
    past = [(one.closed_at, one) for one in snapshot.promises if one.closed_at is not None]
    past.sort(key=lambda ended: ended[0], reverse=True)
    return tuple(
        PastPromise(_promised(snapshot, one), _first(one.owner), one.kept_at)
        for _, one in past[:MAX_PAST]
    )


def _promised(snapshot: StatusPageRow, promise: PromiseRow) -> str:
    """What is promised, without its full stop: the page adds by when."""
    names = (one.name for one in snapshot.departments if one.id == promise.department_id)
    name = next(names, None)
    text = promise.text
    if name is not None:
        text = localize_promise(promise.wording, text, name, snapshot.locale)
    return text.rstrip(".")


def _moved_because(snapshot: StatusPageRow, promise: PromiseRow) -> str | None:
    by_customer = bool(promise.moved_by_customer)
    return moved_because(promise.moved_reason, snapshot.locale, by_customer=by_customer) or None


def _first(name: str) -> str:
    """The first word of a name: all that a link which may be passed on says of a person."""
    return next(iter(name.split()), "")
