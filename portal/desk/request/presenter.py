"""Drawing one request for the desk: from the nouns to what the page shows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal import business_time
from portal.desk.auth.current_staff import Reader, as_person
from portal.desk.dropped_balls.presenter import draw_balls
from portal.desk.labels import MEANINGS, STATUS, as_listed, due, event_words, since, zone_words
from portal.desk.request.consent import Wanted, asked_of
from portal.desk.request.conversation import Talk, did_not_arrive
from portal.desk.request.delays import Delays
from portal.desk.request.handover_summary import Telling, draw_outside
from portal.desk.request.next_actions import Moves
from portal.desk.request.promises import promise_lines
from portal.desk.request.reply_composer import AtHand, Ways
from portal.desk.request.timeline import Line
from portal.desk.request.view_models import CustomerFacts, EventLine, RequestView
from portal.desk.widgets import Choice, Mark, When
from portal.messaging.send_rules import due_at
from portal.messaging.wording.renderer import Teller
from portal.messaging.wording.time_format import Words
from portal.models import (
    Channel,
    Event,
    Message,
    MessageKind,
    PromiseKind,
    RequestStatus,
    RunState,
    ServiceRequest,
)
from portal.queries.api_lists import attempts_of
from portal.queries.attachments import attachments_of
from portal.queries.consent import find_welcome, ledger
from portal.queries.conversations import conversation, is_awaited
from portal.queries.desk.canned_replies import last_reason, replies_at_hand
from portal.queries.desk.dropped_balls import balls_of
from portal.queries.desk.handover_summary import read_story
from portal.queries.presence import who_is_here
from portal.queries.requests import get_service_request
from portal.queries.roster import load_roster
from portal.queries.stage_durations import load_paces
from portal.rules.proactive_updates import Manners
from portal.rules.roster import Roster
from portal.settings import Settings

MOST_EVENTS = 500
HEADLINES = {
    RequestStatus.COMPLETED: "{}'s request is completed",
    RequestStatus.CANCELLED: "{}'s request is cancelled",
    RequestStatus.DECLINED: "{}'s request could not go ahead",
    RequestStatus.AWAITING_CONFIRMATION: "Done; {} has not said so yet",
    RequestStatus.ON_HOLD: "{}'s request is on hold",
    RequestStatus.WAITING_ON_CUSTOMER: "We wait for {}",
}


async def draw_request(
    session: AsyncSession,
    reference: str,
    reader: Reader,
    settings: Settings,
    act_url: str = "",
    *,
    reply: int | None = None,
) -> RequestView:
    """The request as this reader sees it now; its forms post below ``act_url``. Raises NotFound.

    ``reply`` is the reply at hand that was chosen: it then stands in the box.
    """
    request = await get_service_request(session, reference)
    messages = await conversation(session, request.id or 0)
    now = business_time.now()
    newest_first = (
        select(Event)
        .where(col(Event.request_id) == request.id)
        .order_by(col(Event.id).desc())
        .limit(MOST_EVENTS)
    )
    events = list(reversed((await session.exec(newest_first)).all()))
    roster = await load_roster(session, request.definition, now, counted=True)
    drawing = Drawing(request, roster, reader, messages, events, settings)
    view = drawing.view(act_url or f"/desk/requests/{request.reference}")
    attempts = await attempts_of(session, [one for one in messages if one.attempts])
    files = await attachments_of(session, messages)
    welcome = await find_welcome(session, asked_of(request, drawing.words))
    teller = Teller(request, roster, settings.brand, settings.public_url, now)
    ways = Ways(request, messages, welcome, teller)
    places = {request.department_id, *(run.department_id for run in request.open_runs)}
    at_hand = AtHand(
        await replies_at_hand(session, places), teller, await last_reason(session, request.id or 0)
    )
    replies = at_hand.lines() if reader.may_act(request) else []
    lines = await ledger(session, {one.address for one in request.customer.contact_points})
    wanted = Wanted(request, lines, welcome, drawing.words)
    delays = Delays(
        teller, await load_paces(session, request.workflow.key),
        Manners.towards(request.customer, settings, now), drawing.words,
    )  # fmt: skip
    theirs = {one.stage for one in view.moves if one.mine or reader.staff.id == request.owner_id}
    cards = [card for card in delays.cards() if card.stage in theirs]
    return replace(
        view,
        moves=[replace(one, likely=delays.likely_next(one.stage)) for one in view.moves],
        delays=cards,
        verbs=view.verbs | {"delay"} if cards else view.verbs,
        conversation=Talk(drawing.words, attempts, files).entries(messages, request.customer),
        wishes=wanted.drawn(may_act=reader.may_act(request)),
        night=drawing.night(ways.first, awaited=await is_awaited(session, request, now)),
        goes=ways.sentence(),
        ways=ways.choices(),
        meanings=[Choice(kind.value, said) for kind, said in MEANINGS.items()]
        if reader.may_act(request) and not act_url
        else (),
        replies=replies,
        draft=next((one.body for one in replies if one.id == reply), ""),
        here=await draw_here(session, request.id or 0, reader),
        story=Telling(await read_story(session, request), request, roster, drawing.words).view(
            reader
        ),
        outside=draw_outside(request, events, drawing.words),
        slipped=await draw_balls(session, await balls_of(session, request.id or 0), reader),
    )


async def draw_here(session: AsyncSession, request_id: int, reader: Reader) -> list[str]:
    """Who else has it open: "Paul Press is writing"."""
    others = await who_is_here(session, request_id, reader.staff.id or 0, business_time.now())
    return [f"{name} is {'writing' if writing else 'here'}" for name, writing in others]


@dataclass
class Drawing:
    """One request, all that belongs to it, and the reader it is drawn for."""

    request: ServiceRequest
    roster: Roster
    reader: Reader
    messages: Sequence[Message]
    events: Sequence[Event]
    settings: Settings

    @cached_property
    def words(self) -> Words:
        """Times in the zone of the department that has the request."""
        department = self.roster.department_by_id(self.request.department_id)
        return Words("en", department.timezone, business_time.now())

    def view(self, act_url: str) -> RequestView:
        """The whole page as plain values."""
        request, words = self.request, self.words
        department = self.roster.department_by_id(request.department_id)
        soonest = min(request.open_runs, key=lambda run: run.due_at, default=None)
        url = f"/desk/requests/{request.reference}"
        promises, past = promise_lines(request, self.roster, words, self.events)
        return RequestView(
            reference=request.reference,
            url=url,
            act_url=act_url,
            live_url=f"{url}/live",
            form_token=self.reader.form_token,
            version=request.version,
            seen=self.events[-1].id or 0 if self.events else 0,
            zone=words.timezone,
            status=request.status.value,
            status_words=STATUS[request.status],
            headline=self._headline(),
            title=request.title,
            workflow=request.workflow.name,
            department=department.name,
            department_url=f"/desk?department={department.key}",
            opened=When(f"{request.opened_at:%Y-%m-%dT%H:%MZ}", words.since(request.opened_at)),
            due=due(words, soonest.due_at, late=soonest.is_late(words.now)) if soonest else None,
            owner=as_person(self.roster.person(request.owner_id)),
            customer=self._customer(),
            zone_words=zone_words(words.timezone),
            legs=Line(request, self.roster, words).legs(),
            moves=Moves(request, self.roster, words, self.reader).all(),
            unanswered=self._unanswered(),
            promises=promises,
            past_promises=past,
            events=[self._event(one) for one in self.events],
            verbs=self._verbs(),
            back_to=self._back_to(),
            people=self._people(),
            marks=self._marks(),
        )

    def night(self, way: Channel, *, awaited: bool) -> str:
        """When words written now would go, while they wait for the morning there; else empty."""
        customer, now = self.request.customer, self.words.now
        goes_at = due_at(
            self.settings, now, customer.timezone, way, MessageKind.STAFF, urgent=awaited
        )
        if goes_at <= now or way == Channel.WEB:
            return ""
        local = Words("en", customer.timezone, now)
        return f"It is {local.clock(now)} there; this goes at {local.clock(goes_at)}."

    def _headline(self) -> str:
        request, first_name = self.request, self.request.customer.first_name
        runs = request.open_runs
        if request.status in HEADLINES:
            return HEADLINES[request.status].format(first_name)
        names = [self.roster.department_by_id(run.department_id).name for run in runs]
        if all(request.waiting_handoff(run) for run in runs):
            return f"Waiting for {as_listed(names)} to take it up"
        plural = len(set(names)) > 1
        return f"{as_listed(names)} {'have' if plural else 'has'} {first_name}'s request"

    def _customer(self) -> CustomerFacts:
        request, words = self.request, self.words
        customer, link = request.customer, request.live_link
        addresses = {
            channel: customer.address(channel, words.now)
            for channel in (Channel.SMS, Channel.EMAIL)
        }
        local = Words("en", customer.timezone, words.now)
        theirs = f"It is {local.clock(words.now)} for {customer.first_name}"
        return CustomerFacts(
            name=customer.name,
            first_name=customer.first_name,
            phone=addresses[Channel.SMS] or "",
            email=addresses[Channel.EMAIL] or "",
            local_time=f"{theirs} ({zone_words(customer.timezone)})"
            if local.clock(words.now) != words.clock(words.now)
            else "",
            link=f"{self.settings.public_url}/r/{link.token}"
            if link and self.reader.may_act(request)
            else None,
        )

    def _event(self, event: Event) -> EventLine:
        return EventLine(
            id=event.id or 0,
            at=since(self.words, event.at),
            who=event.actor_name,
            words=event_words(event, self.request.definition, self.words),
            internal=not event.visible,
        )

    def _unanswered(self) -> str:
        wrote_at = self.request.unanswered_since
        if wrote_at is None:
            return ""
        said = f"{self.request.customer.first_name} wrote {self.words.since(wrote_at)}."
        owed = next(
            (p for p in self.request.promises if not p.closed_at and p.kind == PromiseKind.ANSWER),
            None,
        )
        if owed is None:
            return f"{said} Nobody has answered yet."
        owner = self.roster.person(owed.owner_id).name
        if owed.due_at < self.words.now:
            return f"{said} {owner} was to answer by {self.words.by(owed.due_at)}."
        return f"{said} {owner} is to answer by {self.words.by(owed.due_at)}."

    def _verbs(self) -> frozenset[str]:
        request = self.request
        if not self.reader.may_act(request):
            return frozenset()
        verbs = {"messages", "contacts", "wishes", "promises/keep", "link/reissue", "minds"}
        if request.live_link:
            verbs.add("link/revoke")
        if request.is_closed:
            return frozenset(verbs | {"reopen"})
        verbs |= {"promises", "assign", "cancel", "send-back"}
        if any(run.third_party for run in request.open_runs):
            verbs.add("third-party")
        if any(run.held_at for run in request.open_runs):
            verbs.add("resume")
        if any(run.held_at is None for run in request.open_runs):
            verbs.add("hold")
        return frozenset(verbs)

    def _back_to(self) -> list[Choice]:
        """Where it can go back to; a closed request may also begin again where it stopped."""
        request = self.request
        void_first = sorted(request.runs, key=lambda run: run.state != RunState.SUPERSEDED)
        states = {run.stage_key: run.state for run in void_first}
        stages = [
            Choice(stage.key, f"{stage.name}, {self.roster.department(stage.department).name}")
            for stage in request.definition.stages
            if stage.key in states
            and (request.is_closed or states[stage.key] == RunState.COMPLETED)
        ]
        return [Choice("", "Where it stopped"), *stages] if request.is_closed else stages

    def _people(self) -> list[Choice]:
        """Who can be given it: those of the departments that have it first."""
        near = {run.department_id for run in self.request.open_runs} | {self.request.department_id}
        near_people = {person for key in near for person in self.roster.members.get(key, [])}
        here = [one for one in self.roster.staff.values() if self.roster.is_here(one.id or 0)]
        here.sort(key=lambda person: (person.id not in near_people, person.name))
        return [Choice(person.email, self._person_words(person.id or 0)) for person in here]

    def _person_words(self, person_id: int) -> str:
        name, n = self.roster.person(person_id).name, self.roster.open_runs.get(person_id)
        return f"{name} ({n} open)" if n else name

    def _marks(self) -> list[Mark]:
        marks = []
        for run in self.request.open_runs:
            if run.is_late(self.words.now):
                marks.append(Mark("late", f"late since {self.words.by(run.due_at)}"))
            if run.held_at:
                until = f" until {self.words.by(run.hold_until)}" if run.hold_until else ""
                marks.append(Mark("hold", f"on hold{until}: {run.hold_reason}"))
        if did_not_arrive(self.messages):
            marks.append(Mark("undelivered", "the last message did not arrive"))
        return marks
