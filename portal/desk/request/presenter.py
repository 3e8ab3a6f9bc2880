"""The page of one request: from its models to the view that the template shows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from sqlmodel.ext.asyncio.session import AsyncSession

from portal import business_time
from portal.desk.auth.current_staff import CurrentStaff, as_person
from portal.desk.dropped_balls.presenter import present_dropped_balls
from portal.desk.labels import (
    INTENT_LABELS,
    STATUS_LABELS,
    due,
    join_names,
    since,
    timezone_label,
)
from portal.desk.request.activity_log import describe_event
from portal.desk.request.consent import ConsentPresenter, permissions_to_check
from portal.desk.request.conversation.attachments import load_attachment_presenter
from portal.desk.request.conversation.presenter import (
    ConversationPresenter,
    is_last_message_undelivered,
)
from portal.desk.request.conversation.reply_composer import CannedReplyPresenter, ReplyChannels
from portal.desk.request.delays import DelayPresenter
from portal.desk.request.handover_summary import HandoverSummaryPresenter
from portal.desk.request.needs import need_lines
from portal.desk.request.offers.choices import assignees, return_fields, target_stages
from portal.desk.request.offers.next_actions import NextActionsPresenter
from portal.desk.request.offers.offered_actions import offered_actions, own_stages
from portal.desk.request.presence import present_colleagues
from portal.desk.request.promises import promise_lines, unanswered_note
from portal.desk.request.third_parties import third_party_stages
from portal.desk.request.timeline import TimelinePresenter
from portal.desk.request.view_models import CustomerSummary, EventLine, RequestView
from portal.desk.widgets import Badge, Choice, When
from portal.messaging.send_rules import due_at
from portal.messaging.wording.renderer import MessageRenderer
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import (
    Channel,
    Event,
    Message,
    MessageKind,
    RequestStatus,
    ServiceRequest,
)
from portal.models.columns import saved_id
from portal.queries.api_lists import send_attempts_by_message
from portal.queries.attachments import attachments_by_message
from portal.queries.consent import consent_history, find_permitted
from portal.queries.conversations import conversation, is_customer_waiting
from portal.queries.desk.activity_log import newest_events
from portal.queries.desk.canned_replies import last_contact_reason, list_canned_replies
from portal.queries.desk.dropped_balls import open_dropped_balls_of
from portal.queries.desk.handover_summary import load_handover_summary
from portal.queries.roster import load_roster
from portal.queries.stage_durations import load_stage_durations
from portal.rules.authorization import Act, authorize
from portal.rules.proactive_updates import ContactSchedule
from portal.rules.roster import Roster
from portal.settings import Settings
from portal.web.templating import StatusLink

MAX_EVENTS = 500
HEADLINES = {
    RequestStatus.COMPLETED: "{}'s request is completed",
    RequestStatus.CANCELLED: "{}'s request is cancelled",
    RequestStatus.DECLINED: "{}'s request could not go ahead",
    RequestStatus.AWAITING_CONFIRMATION: "Awaiting {}'s confirmation",
    RequestStatus.ON_HOLD: "{}'s request is on hold",
    RequestStatus.WAITING_ON_CUSTOMER: "Waiting for {}",
}


async def present_request(
    session: AsyncSession,
    request: ServiceRequest,
    reader: CurrentStaff,
    settings: Settings,
    action_url: str = "",
    *,
    reply: int | None = None,
) -> RequestView:
    """The request as this reader sees it; its forms post below ``action_url``.

    ``request`` is loaded whole. ``reply`` is the id of the saved reply to start from. Raises
    NotAllowed for a reader who may not see the request.
    """
    authorize(reader.colleague, request, None, Act.READ)
    messages = await conversation(session, saved_id(request))
    now = business_time.now()
    events = await newest_events(session, saved_id(request), limit=MAX_EVENTS)
    roster = await load_roster(session, request.definition, now, counted=True)
    presenter = RequestPresenter(request, roster, reader, messages, events, settings)
    view = presenter.view(action_url or f"/desk/requests/{request.reference}")
    attempts = await send_attempts_by_message(
        session, [message for message in messages if message.attempts]
    )
    files = await attachments_by_message(session, messages)
    permitted = await find_permitted(session, permissions_to_check(request, presenter.times))
    renderer = MessageRenderer(request, roster, settings.brand, settings.public_url, now)
    channels = ReplyChannels(request, messages, permitted, renderer)
    department_ids = {request.department_id, *(run.department_id for run in request.open_runs)}
    canned_replies = CannedReplyPresenter(
        await list_canned_replies(session, department_ids),
        renderer,
        await last_contact_reason(session, saved_id(request)),
    )
    replies = canned_replies.lines() if reader.may(Act.WRITE, request) else []
    lines = await consent_history(
        session, {point.address for point in request.customer.contact_points}
    )
    consent = ConsentPresenter(request, lines, permitted, presenter.times)
    delays = DelayPresenter(
        renderer, await load_stage_durations(session, request.workflow.key),
        ContactSchedule(request.customer, settings, now), presenter.times,
    )  # fmt: skip
    cards = [card for card in delays.cards() if reader.may(Act.DELAY, request, card.stage)]
    return replace(
        view,
        moves=[replace(move, estimate=delays.estimate_next(move.stage)) for move in view.moves],
        delays=cards,
        actions=view.actions | {"delay"} if cards else view.actions,
        conversation=ConversationPresenter(
            presenter.times,
            attempts,
            files,
            await load_attachment_presenter(
                session, reader, request, files.values(), presenter.times
            ),
        ).entries(messages, request.customer),
        consent=consent.view(may_act=reader.may(Act.CONSENT, request)),
        quiet_hours_note=presenter.quiet_hours_note(
            channels.default_channel, urgent=await is_customer_waiting(session, request, now)
        ),
        delivery_note=channels.delivery_note(reader.staff.name),
        channels=channels.choices(),
        intents=[Choice(kind.value, label) for kind, label in INTENT_LABELS.items()]
        if reader.may(Act.CORRECT_INTENT, request) and not action_url
        else (),
        replies=replies,
        draft=next((canned_reply.body for canned_reply in replies if canned_reply.id == reply), ""),
        colleagues=await present_colleagues(session, saved_id(request), reader),
        handover_summary=HandoverSummaryPresenter(
            await load_handover_summary(session, request), request, roster, presenter.times
        ).view(reader),
        third_party_stages=third_party_stages(request, events, presenter.times, reader, settings),
        dropped_balls=await present_dropped_balls(
            session, await open_dropped_balls_of(session, saved_id(request)), reader
        ),
    )


@dataclass
class RequestPresenter:
    """One request with all that belongs to it, and the reader of its page."""

    request: ServiceRequest
    roster: Roster
    reader: CurrentStaff
    messages: Sequence[Message]
    events: Sequence[Event]
    settings: Settings

    @cached_property
    def times(self) -> TimeFormatter:
        """Times in the zone of the department that has the request."""
        department = self.roster.department_by_id(self.request.department_id)
        return TimeFormatter("en", department.timezone, business_time.now())

    def view(self, action_url: str) -> RequestView:
        """The whole page as plain values."""
        request, times = self.request, self.times
        department = self.roster.department_by_id(request.department_id)
        next_due_run = min(request.open_runs, key=lambda run: run.due_at, default=None)
        url = f"/desk/requests/{request.reference}"
        promises, past = promise_lines(request, self.roster, times, self.events)
        if not self.reader.may(Act.PROMISE, request):
            promises = [replace(promise, fulfilment_hint="") for promise in promises]
        return RequestView(
            reference=request.reference,
            url=url,
            action_url=action_url,
            live_url=f"{url}/live",
            form_token=self.reader.form_token,
            version=request.version,
            last_event_id=saved_id(self.events[-1]) if self.events else 0,
            zone=times.timezone,
            status=request.status.value,
            status_label=STATUS_LABELS[request.status],
            headline=self._headline(),
            title=request.title,
            workflow=request.workflow.name,
            department=department.name,
            department_url=f"/desk?department={department.key}",
            opened=When(f"{request.opened_at:%Y-%m-%dT%H:%MZ}", times.since(request.opened_at)),
            due=due(times, next_due_run.due_at, late=next_due_run.is_overdue(times.now))
            if next_due_run
            else None,
            owner=as_person(self.roster.person(request.owner_id)),
            customer=self._customer(),
            timezone_label=timezone_label(times.timezone),
            step_groups=TimelinePresenter(request, self.roster, times).step_groups(),
            moves=NextActionsPresenter(request, self.roster, times, self.reader).all(),
            unanswered_note=unanswered_note(request, self.roster, times),
            promises=promises,
            past_promises=past,
            events=[self._event(event) for event in self.events],
            actions=offered_actions(request, self.reader, times.now),
            own_stages=own_stages(request, self.reader),
            target_stages=target_stages(request, self.roster),
            return_fields=return_fields(request),
            needs=need_lines(request, self.roster, times, self.reader),
            people=assignees(request, self.roster),
            badges=self._badges(),
        )

    def quiet_hours_note(self, channel: Channel, *, urgent: bool) -> str:
        """When a message written now is sent, during quiet hours of the customer; else empty."""
        customer, now = self.request.customer, self.times.now
        zone = customer.readable_timezone
        goes_at = due_at(
            self.settings, now, zone, channel, MessageKind.STAFF,
            urgent=urgent, own=customer.own_quiet_hours,
        )  # fmt: skip
        if goes_at <= now or channel == Channel.WEB:
            return ""
        local = TimeFormatter("en", zone, now)
        return f"It is {local.clock(now)} there; this goes at {local.clock(goes_at)}."

    def _headline(self) -> str:
        request, runs = self.request, self.request.open_runs
        if request.status in HEADLINES:
            return HEADLINES[request.status].format(request.customer.first_name)
        names = [self.roster.department_by_id(run.department_id).name for run in runs]
        if all(request.pending_handoff(run) for run in runs):
            return f"Waiting for {join_names(names)} to accept"
        verb = "have" if len(set(names)) > 1 else "has"
        return f"{join_names(names)} {verb} {request.customer.first_name}'s request"

    def _customer(self) -> CustomerSummary:
        request, times = self.request, self.times
        customer, link = request.customer, request.live_link
        addresses = {
            channel: customer.address(channel, times.now)
            for channel in (Channel.SMS, Channel.EMAIL)
        }
        local = TimeFormatter("en", customer.readable_timezone, times.now)
        local_time = f"It is {local.clock(times.now)} for {customer.first_name}"
        return CustomerSummary(
            name=customer.name,
            first_name=customer.first_name,
            phone=addresses[Channel.SMS] or "",
            email=addresses[Channel.EMAIL] or "",
            local_time=f"{local_time} ({timezone_label(customer.readable_timezone)})"
            if local.clock(times.now) != times.clock(times.now)
            else "",
            link=StatusLink.escape(f"{self.settings.public_url}/r/{link.token}")
            if link and self.reader.may(Act.LINK, request)
            else None,
        )

    def _event(self, event: Event) -> EventLine:
        return EventLine(
            id=saved_id(event),
            at=since(self.times, event.at),
            who=f"by {event.via_key} for {event.actor_name}" if event.via_key else event.actor_name,
            words=describe_event(event, self.request.definition, self.times),
            internal=not event.visible,
        )

    def _badges(self) -> list[Badge]:
        badges = []
        for run in self.request.open_runs:
            if run.is_overdue(self.times.now):
                badges.append(Badge("late", f"overdue since {self.times.by(run.due_at)}"))
            if run.held_at:
                until = f" until {self.times.by(run.hold_until)}" if run.hold_until else ""
                badges.append(Badge("hold", f"on hold{until}: {run.hold_reason}"))
        if is_last_message_undelivered(self.messages):
            badges.append(Badge("undelivered", "last message not delivered"))
        return badges
