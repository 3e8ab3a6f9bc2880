"""One turn of the relay: one transaction, and what is made known once it is committed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from portal import business_time
from portal.database import Database
from portal.jobs import JobQueue
from portal.live import LiveUpdates
from portal.messaging.wording.renderer import MessageRenderer
from portal.models import Actor, Event, EventKind, Message, ServiceRequest, StageDurations
from portal.models.columns import saved_id
from portal.operations.dropped_balls.detection import detect_dropped_balls
from portal.operations.milestone_messages import queue_milestone_messages
from portal.operations.outbox import Outbox
from portal.queries.conversations import is_customer_waiting
from portal.queries.requests import lock_service_request
from portal.queries.roster import load_roster, stage_ids
from portal.queries.stage_durations import load_stage_durations
from portal.rules.follow_up_schedule import FollowUpSchedule
from portal.rules.proactive_updates import (
    ContactSchedule,
    find_next_update_at,
    fulfil_date_promises,
)
from portal.rules.roster import Roster
from portal.rules.stage_flow import StageFlow
from portal.settings import Settings

PROGRESS_EVENTS = frozenset(
    {EventKind.STAGE_REACHED, EventKind.AWAITING_CONFIRMATION, EventKind.COMPLETED}
)
"""What the customer hears of: it says more than a new date would have."""


@dataclass
class UnitOfWork:
    """What a verb works with: the transaction, the hand, the moment, and the outbox."""

    session: AsyncSession
    settings: Settings
    actor: Actor
    now: datetime
    outbox: Outbox
    changed_pages: dict[int, ServiceRequest] = field(default_factory=dict)
    # Requests about which only staff can see something new, such as a receipt.
    changed_requests: set[int] = field(default_factory=set)
    # Departments on whose board or in whose inbox something has moved.
    changed_departments: set[int] = field(default_factory=set)
    _rosters: dict[int, Roster] = field(default_factory=dict)
    _paces: dict[str, StageDurations] = field(default_factory=dict)

    async def lock(self, reference: str, version: int | None = None) -> ServiceRequest:
        """The request, held until the turn ends. Raises NotFound or Stale."""
        return await lock_service_request(self.session, reference, version)

    async def roster(self, request: ServiceRequest) -> Roster:
        """Who could take what in this request's workflow; read once a turn."""
        if request.workflow_id not in self._rosters:
            roster = await load_roster(self.session, request.definition, self.now)
            self._rosters[request.workflow_id] = roster
        return self._rosters[request.workflow_id]

    async def stage_durations(self, request: ServiceRequest) -> StageDurations:
        """How long its like have taken; read once a turn and workflow."""
        key = request.workflow.key
        if key not in self._paces:
            self._paces[key] = await load_stage_durations(self.session, key)
        return self._paces[key]

    async def stage_flow(self, request: ServiceRequest) -> StageFlow:
        """The rules of the relay for this request, by this hand, now."""
        ids = await stage_ids(self.session, request.workflow_id)
        return StageFlow(
            request, await self.roster(request), ids, self.actor, self.now,
            await self.stage_durations(request),
        )  # fmt: skip

    async def renderer(self, request: ServiceRequest) -> MessageRenderer:
        """What puts this request's facts into words."""
        return MessageRenderer(
            request, await self.roster(request), self.settings.brand, self.settings.public_url,
            self.now,
        )  # fmt: skip

    async def is_customer_waiting(self, request: ServiceRequest) -> bool:
        """True while the customer waits to hear from us, so that quiet hours hold nothing back."""
        return await is_customer_waiting(self.session, request, self.now)

    async def finish(self, request: ServiceRequest) -> list[Event]:
        """Write what happened, owe the customer the words for it, and let the page move on.

        Call it once at the end of each verb. The page's version grows once however much happened,
        so that a customer's page moves once for one deed.
        """
        self.session.add(request)
        news = [one for one in self.session.new if isinstance(one, Event)]
        await self.session.flush()
        news.sort(key=saved_id)
        await queue_milestone_messages(await self.renderer(request), self.outbox, news)
        if any(event.visible for event in news):
            self.mark_page_changed(request)
        elif news:
            self.changed_requests.add(saved_id(request))
        if any(one.kind in PROGRESS_EVENTS for one in news):
            fulfil_date_promises(request, self.actor, self.now)
        FollowUpSchedule(request, await self.roster(request), self.now).reschedule_unblocked()
        self.changed_departments |= await detect_dropped_balls(
            self.session, request, await self.roster(request), self.now
        )
        await self.schedule_update(request)
        if news:
            self.changed_departments |= {
                request.department_id,
                *(run.department_id for run in request.runs),
            }
            self.changed_departments |= {promise.department_id for promise in request.promises}
        await self.session.flush()
        return news

    async def schedule_update(self, request: ServiceRequest) -> None:
        """When its customer must next hear from us, unless something happens first."""
        contact_schedule = self.contact_schedule(request)
        request.next_update_at = find_next_update_at(
            request, await self.roster(request), contact_schedule
        )

    def contact_schedule(self, request: ServiceRequest) -> ContactSchedule:
        """How we keep time with this customer."""
        return ContactSchedule.for_customer(request.customer, self.settings, self.now)

    def mark_page_changed(self, request: ServiceRequest) -> None:
        """The customer can see something new: the page's version grows once a turn."""
        if request.id is not None and request.id not in self.changed_pages:
            request.page_version += 1
            self.changed_pages[request.id] = request


@dataclass
class Operations:
    """The way into every verb: settings, the database, and whom to tell after a commit."""

    settings: Settings
    database: Database
    jobs: JobQueue
    live: LiveUpdates

    @asynccontextmanager
    async def begin(self, actor: Actor) -> AsyncIterator[UnitOfWork]:
        """One transaction; after its commit the worker is woken and open pages are told.

        Should the process die between the two, the sweep finds the messages and the pages find
        their new version: nothing but seconds is lost.
        """
        now = business_time.now()
        async with self.database.transaction() as session:
            outbox = Outbox(session, self.settings, now)
            uow = UnitOfWork(session, self.settings, actor, now, outbox)
            yield uow
            await session.flush()
        owed = [message.id for message in outbox.written if _is_owed(message)]
        await self.jobs.deliver([one for one in owed if one is not None])
        for request_id, request in uow.changed_pages.items():
            await self.live.publish(request_id, request.page_version)
        await self.live.publish_to_desk(*(uow.changed_requests - uow.changed_pages.keys()))
        await self.live.publish_to_departments(*uow.changed_departments)


def _is_owed(message: Message) -> bool:
    return message.status == "queued"
