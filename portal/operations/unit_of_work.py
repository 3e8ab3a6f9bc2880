"""The unit of work: one transaction of one actor, and what is published once it is committed."""

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
from portal.models import Actor, Event, EventKind, ServiceRequest
from portal.models.columns import saved_id
from portal.operations.dropped_balls.detection import detect_dropped_balls
from portal.operations.milestone_messages import ANNOUNCED_KINDS, queue_milestone_messages
from portal.operations.outbox import Outbox
from portal.operations.planning import (
    PROGRESS_EVENTS,
    fulfil_promised_dates,
    reschedule_follow_ups,
    schedule_update,
)
from portal.operations.step import Step, StepContext
from portal.operations.visits.windows import OFFER_EVENTS, offer_visit_windows
from portal.queries.conversations import is_customer_waiting
from portal.queries.requests import lock_service_request
from portal.queries.roster import load_workflow_facts
from portal.rules.facts import Facts, WorkflowFacts
from portal.rules.roster import Roster
from portal.rules.stages.stage_flow import StageFlow
from portal.settings import Settings

AFTER_EACH_OPERATION: tuple[Step, ...] = (
    Step(offer_visit_windows, on=OFFER_EVENTS),
    Step(queue_milestone_messages, on=ANNOUNCED_KINDS),
    Step(fulfil_promised_dates, on=PROGRESS_EVENTS),
    Step(reschedule_follow_ups),
    # After the flush: what a ball is about is named by the id of a row.
    Step(detect_dropped_balls),
    # Last: it reads ``last_told_at``, which a queued message sets.
    Step(schedule_update),
)
"""What follows each operation, in this order."""


@dataclass
class UnitOfWork:
    """The context of an operation: the transaction, the actor, the time (UTC) and the outbox."""

    session: AsyncSession
    settings: Settings
    actor: Actor
    now: datetime
    outbox: Outbox
    changed_pages: dict[int, ServiceRequest] = field(default_factory=dict)
    # Requests about which only staff can see something new, such as a receipt.
    changed_requests: set[int] = field(default_factory=set)
    # Departments whose board or inbox shows something new.
    changed_departments: set[int] = field(default_factory=set)
    _requests: dict[int, ServiceRequest] = field(default_factory=dict)
    _workflows: dict[int, WorkflowFacts] = field(default_factory=dict)

    async def lock(self, reference: str, version: int | None = None) -> ServiceRequest:
        """Lock the request until the transaction ends, and load its facts.

        Raises NotFound, or VersionConflict where ``version`` is not the newest.
        """
        request = await lock_service_request(self.session, reference, version)
        await self.facts(request)
        return request

    async def facts(self, request: ServiceRequest) -> Facts:
        """What the rules need to know of the request; its workflow's part is read once."""
        # By identity: a request that is being opened has no id yet.
        self._requests[id(request)] = request
        if request.workflow_id not in self._workflows:
            self._workflows[request.workflow_id] = await load_workflow_facts(
                self.session, request.workflow, self.now
            )
        return Facts(request, self._workflows[request.workflow_id], self.actor, self.now)

    async def roster(self, request: ServiceRequest) -> Roster:
        """Who can be given what in this request's workflow."""
        return (await self.facts(request)).roster

    async def stage_flow(self, request: ServiceRequest) -> StageFlow:
        """The rules of this request's stages, for the rules of handoffs and of questions."""
        return StageFlow(await self.facts(request))

    async def renderer(self, request: ServiceRequest) -> MessageRenderer:
        """What renders messages about this request."""
        return MessageRenderer(
            request, await self.roster(request), self.settings.brand, self.settings.public_url,
            self.now,
        )  # fmt: skip

    async def is_customer_waiting(self, request: ServiceRequest) -> bool:
        """True while the customer waits for a reply, so that quiet hours delay nothing."""
        return await is_customer_waiting(self.session, request, self.now)

    async def finish(self, request: ServiceRequest) -> list[Event]:
        """Write the recorded events, run AFTER_EACH_OPERATION, and return the events.

        Every operation calls it at its end. A second call sees only what was recorded since the
        first. The page's version grows at most once in a transaction.
        """
        facts = await self.facts(request)
        events = _take_events(request)
        self.session.add(request)
        await self.session.flush()
        for step in AFTER_EACH_OPERATION:
            if step.on is None or any(event.kind in step.on for event in events):
                await step.run(StepContext(self, facts, events))
        # The steps' own events lead to no message; the page and the boards show them.
        events += _take_events(request)
        # The page names the person who has it, although no line of it says who had it before.
        if any(event.visible or event.kind == EventKind.ASSIGNED for event in events):
            self.mark_page_changed(request)
        if events:
            self.changed_requests.add(saved_id(request))
            self.changed_departments |= {
                request.department_id,
                *(run.department_id for run in request.runs),
                *(promise.department_id for promise in request.promises),
            }
        await self.session.flush()
        return events

    def mark_page_changed(self, request: ServiceRequest) -> None:
        """The customer's page shows something new: its version grows, once in a transaction."""
        if request.id is not None and request.id not in self.changed_pages:
            request.page_version += 1
            self.changed_pages[request.id] = request

    def check_finished(self) -> None:
        """Raises RuntimeError for a recorded event that no ``finish`` has seen: a mistake of ours."""
        unfinished = [
            request.reference for request in self._requests.values() if request.recorded_events
        ]
        if unfinished:
            raise RuntimeError(f"Recorded and not finished: {', '.join(unfinished)}.")


@dataclass
class Operations:
    """Begins each unit of work, and publishes what it changed."""

    settings: Settings
    database: Database
    jobs: JobQueue
    live: LiveUpdates

    @asynccontextmanager
    async def begin(self, actor: Actor) -> AsyncIterator[UnitOfWork]:
        """One transaction; after its commit the worker is woken and open pages are notified.

        Where the process dies between the two, the sweep finds the messages and the pages find
        their new version: only seconds are lost.
        """
        now = business_time.now()
        async with self.database.transaction() as session:
            outbox = Outbox(session, self.settings, now)
            uow = UnitOfWork(session, self.settings, actor, now, outbox)
            yield uow
            uow.check_finished()
            await session.flush()
        queued = [message.id for message in outbox.written if message.status == "queued"]
        await self.jobs.deliver([message_id for message_id in queued if message_id is not None])
        for request_id, request in uow.changed_pages.items():
            await self.live.publish(request_id, request.page_version)
        await self.live.publish_to_desk(*(uow.changed_requests - uow.changed_pages.keys()))
        await self.live.publish_to_departments(*uow.changed_departments)


def _take_events(request: ServiceRequest) -> list[Event]:
    """What was recorded of the request since the last call."""
    events = list(request.recorded_events)
    request.recorded_events.clear()
    return events
