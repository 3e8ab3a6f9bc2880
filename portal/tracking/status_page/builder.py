"""A request's page from its snapshot: the way so far, what is asked and promised, what was said."""

from dataclasses import dataclass
from datetime import datetime

from portal.branding.theme import PLAIN, Livery
from portal.messaging.wording.channel_neutral import without_reply_hint
from portal.messaging.wording.promises import moved_because, promised
from portal.messaging.wording.renderer import fill
from portal.models import ENDED, Answer, Expects, FollowUpState, PromiseKind, RequestStatus
from portal.queries.status_page.rows import Snapshot
from portal.tracking.status_page.appointments import read_appointments
from portal.tracking.status_page.conversation import read_conversation
from portal.tracking.status_page.timeline import UNCONFIRMED, Journey
from portal.tracking.status_page.view_models import (
    Ending,
    PastPromise,
    Pause,
    PromiseLine,
    Question,
    StatusPage,
)
from portal.workflows import WorkflowDefinition

REPLIES = (PromiseKind.ANSWER, PromiseKind.CALL)
MOST_PAST = 2


@dataclass(frozen=True)
class House:
    """Who we are to the customer."""

    brand: str
    support_contact: str | None
    livery: Livery = PLAIN


def build_status_page(
    snapshot: Snapshot, definition: WorkflowDefinition, house: House, *, token: str, now: datetime
) -> StatusPage:
    """Everything that the customer reads of this request at this moment."""
    journey = Journey(snapshot, definition, now)
    return StatusPage(
        now=now,
        brand=house.brand,
        support_contact=house.support_contact,
        livery=house.livery,
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
        holders=journey.holders,
        handoff=journey.handoff,
        next_up=journey.next_up,
        delay=journey.delay,
        likely=journey.likely,
        ask_from=_ask_from(snapshot, journey),
        question=_question(snapshot, journey, house.brand),
        pause=_pause(snapshot),
        ending=_ending(snapshot),
        promises=_promises(snapshot),
        past_promises=_past_promises(snapshot),
        appointments=read_appointments(journey),
        levels=tuple(journey.levels()),
        conversation=read_conversation(snapshot.messages, snapshot.attachments, house.brand),
    )


def _question(snapshot: Snapshot, journey: Journey, brand: str) -> Question | None:
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
    words = fill(without_reply_hint(journey.question(asked[-1])), facts)
    return Question(str(asked[-1].id), words, asks_time=asked[-1].expects == Expects.TIME)


def _pause(snapshot: Snapshot) -> Pause | None:
    """Why all of it stands still, where staff put it aside."""
    if snapshot.status != RequestStatus.ON_HOLD:
        return None
    held = next(run for run in snapshot.runs if run.held_at)
    return Pause(held.hold_reason, held.hold_until)


def _ask_from(snapshot: Snapshot, journey: Journey) -> datetime | None:
    """Past the last date that we believed in; who is promised an answer has asked already."""
    open_ones = [one for one in snapshot.promises if one.closed_at is None]
    owed = [one.due_at for one in open_ones if one.kind in REPLIES]
    return max([journey.ask_from, *owed]) if journey.ask_from else None


def _ending(snapshot: Snapshot) -> Ending | None:
    """How and when it ended."""
    if snapshot.status not in ENDED or snapshot.closed_at is None:
        return None
    said_yes = any(one.answer == Answer.YES and not one.at_stage for one in snapshot.follow_ups)
    unconfirmed = snapshot.close_reason == UNCONFIRMED
    return Ending(
        snapshot.closed_at,
        reason=None if unconfirmed else snapshot.close_reason or None,
        confirmed=said_yes and snapshot.status == RequestStatus.COMPLETED,
        unconfirmed=unconfirmed,
    )


def _promises(snapshot: Snapshot) -> tuple[PromiseLine, ...]:
    """Our word that still stands, each with the first name of the person who keeps it."""
    return tuple(
        PromiseLine(
            key=str(one.id),
            words="" if one.kind == PromiseKind.ANSWER else _promised(snapshot, one.text),
            due_at=one.due_at,
            moved_because=moved_because(one.moved_reason, snapshot.locale) or None,
            owner=_first(one.owner),
        )
        for one in snapshot.promises
        if one.closed_at is None
    )


def _past_promises(snapshot: Snapshot) -> tuple[PastPromise, ...]:
    """The last of those that we have kept or missed, newest first."""
    past = [(one.closed_at, one) for one in snapshot.promises if one.closed_at is not None]
    past.sort(key=lambda ended: ended[0], reverse=True)
    return tuple(
        PastPromise(_promised(snapshot, one.text), _first(one.owner), one.kept_at)
        for _, one in past[:MOST_PAST]
    )


def _promised(snapshot: Snapshot, text: str) -> str:
    """Without its full stop: the page says by when."""
    names = {one.name for one in snapshot.departments}
    return promised(text, names, snapshot.locale).rstrip(".")


def _first(name: str) -> str:
    """The first word of a name: all that a link which may be passed on says of a person."""
    return next(iter(name.split()), "")
