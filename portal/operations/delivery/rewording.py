"""Words a message anew when it is sent, where it has waited.

"Next by tomorrow", written at night, is wrong in the morning; the date may have been moved and the
customer may have chosen another language meanwhile. What people wrote stays as it is.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.messaging.link_spacing import space_after_links
from portal.messaging.send_rules import OPT_OUT_HINT, with_opt_out_hint
from portal.messaging.sms.bidi import with_direction_mark
from portal.messaging.sms.gsm_text import to_gsm7
from portal.messaging.sms.plain_names import with_plain_names
from portal.messaging.wording.promises import render_promise
from portal.messaging.wording.renderer import MessageRenderer
from portal.models import Channel, Event, EventKind, Message, MessageKind, ServiceRequest
from portal.operations.delivery.channel_fallback import RETRY_CAUSE
from portal.operations.milestone_messages import (
    ANNOUNCED_KINDS,
    render_correction,
    render_event,
)
from portal.operations.outbox import MAX_SUBJECT_LENGTH
from portal.operations.proactive_updates import render_update
from portal.queries.requests import REQUEST_OPTIONS
from portal.queries.roster import load_roster
from portal.rules.roster import Roster
from portal.settings import Settings

FRESH_FOR = timedelta(minutes=1)
"""A message that is sent within this time of being written, and was not held, is sent as it is."""
REWORDED_KINDS = frozenset(
    {
        MessageKind.MILESTONE, MessageKind.FOLLOW_UP, MessageKind.REMINDER, MessageKind.HOLD,
        MessageKind.RESUMED, MessageKind.CANCELLED, MessageKind.COMPLETED, MessageKind.DECLINED,
        MessageKind.PROMISE, MessageKind.DELAY, MessageKind.UPDATE, MessageKind.LINK,
        MessageKind.VISIT,
    }
)  # fmt: skip
"""Messages that are written from the facts of a request. An answer goes at once, at any hour."""
PROMISE_TEMPLATES = {
    EventKind.PROMISE_MADE: "promise", EventKind.PROMISE_MOVED: "promise_moved",
}  # fmt: skip
UPDATE_EVENTS = frozenset(
    {
        EventKind.DELAYED, EventKind.PROGRESS_UPDATE, EventKind.DUE_DATE_CHANGED,
        EventKind.THIRD_PARTY_UPDATED,
    }
)  # fmt: skip
EVENT_CAUSE = "event:"


@dataclass(frozen=True, slots=True)
class Wording:
    """The text of a message as it is now."""

    body: str
    subject: str


def has_waited(row: Any, now: datetime) -> bool:
    """Whether the row of a message was held, or could not be sent as soon as it was written.

    One that repeats another, also by another channel, has waited as long as that one.
    """
    if row.kind not in REWORDED_KINDS or row.request_id is None:
        return False
    is_repeat = not row.cause.startswith(EVENT_CAUSE)
    written_at = row.happened_at or row.created_at
    return is_repeat or row.due_at > row.created_at or now - written_at > FRESH_FOR


async def reword(
    session: AsyncSession, settings: Settings, now: datetime, rows: Sequence[Any]
) -> dict[int, Wording]:
    """The wordings of those of these messages that are written from facts, by message id.

    The number of queries does not grow with the number of messages.
    """
    causes = await _event_ids(session, rows)
    if not causes:
        return {}
    request_ids = {row.request_id for row in rows if row.id in causes}
    query = select(ServiceRequest).where(col(ServiceRequest.id).in_(request_ids))
    requests = {
        request.id: request
        for request in (await session.exec(query.options(*REQUEST_OPTIONS))).all()
    }
    found = select(Event).where(col(Event.id).in_(set(causes.values())))
    events = {event.id: event for event in (await session.exec(found)).all()}
    rosters: dict[int, Roster] = {}
    wordings: dict[int, Wording] = {}
    for row in rows:
        event = events.get(causes.get(row.id))
        if event is None or event.request_id != row.request_id:
            continue
        request = requests[row.request_id]
        if request.workflow_id not in rosters:
            rosters[request.workflow_id] = await load_roster(session, request.definition, now)
        renderer = MessageRenderer(
            request, rosters[request.workflow_id], settings.brand, settings.public_url, now
        )
        is_email = row.channel == Channel.EMAIL
        told = await _render(session, renderer, row.kind, event, is_email=is_email)
        if told is not None:
            subject = told[1] or request.title_in(request.customer.locale)
            wordings[row.id] = Wording(
                _finished(told[0], row, renderer), subject[:MAX_SUBJECT_LENGTH]
            )
    return wordings


async def _event_ids(session: AsyncSession, rows: Sequence[Any]) -> dict[int, int]:
    """The event behind each message; of one that repeats another, the event of the first.

    A message that a person has edited has none.
    """
    causes = {row.id: row.cause for row in rows}
    while repeats := {
        row_id: int(found[1])
        for row_id, cause in causes.items()
        if (found := RETRY_CAUSE.fullmatch(cause))
    }:
        query = select(Message.id, Message.cause).where(col(Message.id).in_(set(repeats.values())))
        earlier = defaultdict(str, (await session.exec(query)).all())
        causes |= {row_id: earlier[message_id] for row_id, message_id in repeats.items()}
    return {
        row_id: int(cause.removeprefix(EVENT_CAUSE))
        for row_id, cause in causes.items()
        if cause.startswith(EVENT_CAUSE)
    }


async def _render(
    session: AsyncSession,
    renderer: MessageRenderer,
    kind: MessageKind,
    event: Event,
    *,
    is_email: bool,
) -> tuple[str, str] | None:
    """The body and the subject for what has happened; None where it stays as it is."""
    if event.kind in PROMISE_TEMPLATES and kind == MessageKind.PROMISE:
        made = event.data.get("promise_id")
        promise = next((each for each in renderer.request.promises if each.id == made), None)
        if promise is None:
            return None
        return render_promise(renderer, promise, PROMISE_TEMPLATES[event.kind]), ""
    if event.kind in UPDATE_EVENTS and event.run is not None:
        body = await render_update(session, renderer, event, event.run)
        return (body, "") if body else None
    if event.kind not in ANNOUNCED_KINDS or (
        event.kind == EventKind.STAGE_REACHED and event.run is None
    ):
        return None
    correction = render_correction(renderer, event, in_full=True) if is_email else None
    told = correction or render_event(renderer, event)
    return told[1:] if told is not None and told[0] == kind else None


def _finished(body: str, row: Any, renderer: MessageRenderer) -> str:
    """The body as this channel takes it, with the way out where it was in the text."""
    if row.channel != Channel.SMS:
        return space_after_links(body, renderer.public_url)
    locale = renderer.request.customer.locale
    body = space_after_links(to_gsm7(body), renderer.public_url)
    if OPT_OUT_HINT.search(row.body):
        body = with_opt_out_hint(body, renderer.brand, locale)
    return with_direction_mark(with_plain_names(body), locale)
